"""The documents an agent applies: signed ones of a version it knows or the one before."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioning.agent.agent import Agent
from provisioning.agent.backoff import Backoff
from provisioning.agent.document import UnknownDocumentVersion, UntrustedDocument, verify_document
from provisioning.agent.netlink import Netlink
from provisioning.agent.portal_client import PortalClient
from provisioning.agent.render import render_node
from provisioning.agent.state import AgentState
from provisioning.core.node_document import VERSION
from provisioning.core.values.resource import canonical_json
from tests.core.previous_bodies import previous_body
from tests.lab.compiled_documents import compile_documents
from tests.lab.test_agent_render import NETWORK, clinic

KEY = Ed25519PrivateKey.generate()
NODE = "aws-eu-central-1/1"


def signed(document: dict[str, Any]) -> tuple[str, str]:
    text = canonical_json(document)
    return text, base64.b64encode(KEY.sign(text.encode())).decode()


def document(version: int = VERSION) -> dict[str, Any]:
    return {"version": version, "serial": 7, "node": {}, "sections": NETWORK.documents()[NODE]}


def previous_document(sections: dict[str, Any], version: int = VERSION - 1) -> dict[str, Any]:
    """Return the document as an earlier version wrote it."""
    old = {
        key: {**section, "body": previous_body(section["kind"], section["body"], version)}
        for key, section in sections.items()
    }
    return {"version": version, "serial": 57, "node": {}, "sections": old}


def make_agent(folder: Path) -> Agent:
    public_key = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    return Agent(
        location="aws-eu-central-1",
        index=1,
        portal=PortalClient("http://127.0.0.1:1", "token"),
        state=AgentState(folder, "boot"),
        netlink=Netlink(),
        public_key=public_key,
        simulate=True,
    )


def test_a_document_of_a_later_version_or_another_signer_is_refused() -> None:
    with pytest.raises(UnknownDocumentVersion, match=f"version {VERSION + 1}, this agent knows {VERSION}"):
        verify_document(*signed(document(VERSION + 1)), KEY.public_key())
    text, signature = signed(document())
    with pytest.raises(UntrustedDocument):
        verify_document(text.replace("10.1.", "10.9."), signature, KEY.public_key())
    assert verify_document(text, signature, KEY.public_key()).serial == 7


@pytest.mark.parametrize("version", range(1, VERSION))
@pytest.mark.parametrize("sections", [NETWORK.documents()[NODE], compile_documents(clinic().network())[NODE]])
def test_a_document_of_an_earlier_version_is_read(sections: dict[str, Any], version: int) -> None:
    old = verify_document(*signed(previous_document(sections, version)), KEY.public_key())
    new = verify_document(*signed({**document(), "sections": sections}), KEY.public_key())
    assert old.serial == 57
    rendered = render_node(old, {}, "x.")
    assert rendered == render_node(new, {}, "x.") and rendered.namespaces and not rendered.failed


def test_an_agent_starts_from_its_stored_document_of_the_version_before(tmp_path: Path) -> None:
    text, signature = signed(previous_document(NETWORK.documents()[NODE]))
    (tmp_path / "document.json").write_text(json.dumps({"document": text, "signature": signature}))
    agent = make_agent(tmp_path)
    agent.resume()
    assert agent.document.serial == 57 and agent.applied.keys() == NETWORK.documents()[NODE].keys()


def test_a_downgraded_agent_leaves_the_kernel_alone_and_reports_it(tmp_path: Path) -> None:
    text, signature = signed(document(VERSION + 1))
    (tmp_path / "document.json").write_text(json.dumps({"document": text, "signature": signature}))
    agent = make_agent(tmp_path)
    agent.resume()
    report = agent.build_report()
    assert (report["serial"], report["applied"], report["health"]["document_version"]) == (0, {}, VERSION)
    assert "upgrade the agent" in report["health"]["refused"]
    assert json.loads((tmp_path / "document.json").read_text())["document"] == text


def test_an_agent_pauses_longer_each_time_by_chance_and_as_long_as_the_portal_asks() -> None:
    backoff, away = Backoff(0.2, 5.0), httpx.ConnectError("refused")
    pauses = [backoff.pause(away) for _ in range(7)]
    least = (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0)
    assert all(low <= pause <= 1.5 * low for low, pause in zip(least, pauses, strict=True))
    backoff.reset()
    assert len({Backoff(1, 1).pause(away) for _ in range(20)}) > 1, "nodes do not come back together"
    busy = httpx.Response(503, headers={"Retry-After": "7"}, request=httpx.Request("POST", "http://portal"))
    assert backoff.pause(httpx.HTTPStatusError("busy", request=busy.request, response=busy)) >= 7
