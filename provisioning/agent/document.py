"""The signed document a node gets from the portal, verified and typed.

A document holds sections of many tenants. Inside a tenant's section, node names are that tenant's own
(``{exchange key}/{1|2}``); ``self`` is what that tenant calls this node.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class UntrustedDocument(Exception):
    """The document was not signed by the portal this node enrolled with."""


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """One resource of one tenant on this node."""

    key: str
    tenant: str
    address: str
    kind: str
    digest: str
    node: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NodeDocument:
    """digest is of the text as it was signed; the long poll names it to learn of a newer one."""

    version: int
    node: Mapping[str, Any]
    sections: Mapping[str, DocumentSection]
    digest: str
    text: str
    signature: str

    def of_kind(self, kind: str, tenant: str | None = None) -> list[DocumentSection]:
        return [s for s in self.sections.values() if s.kind == kind and tenant in (None, s.tenant)]


EMPTY_DOCUMENT = NodeDocument(version=0, node={}, sections={}, digest="", text="", signature="")


def verify_document(text: str, signature: str, public_key: Ed25519PublicKey) -> NodeDocument:
    """The document in ``text``; raises Untrusted, and ValueError or KeyError for one that makes no sense."""
    raw = text.encode()
    try:
        public_key.verify(base64.b64decode(signature), raw)
    except InvalidSignature:
        raise UntrustedDocument(
            "the document's signature is not the portal's; refused, forwarding goes on as before"
        ) from None
    data = json.loads(text)
    sections = {key: _parse_section(key, value) for key, value in data["sections"].items()}
    return NodeDocument(
        version=int(data["version"]),
        node=data.get("node", {}),
        sections=sections,
        digest=hashlib.sha256(raw).hexdigest(),
        text=text,
        signature=signature,
    )


def _parse_section(key: str, value: Mapping[str, Any]) -> DocumentSection:
    return DocumentSection(
        key=key,
        tenant=value["tenant"],
        address=value["address"],
        kind=value["kind"],
        digest=value["digest"],
        node=value.get("self", ""),
        body=value["body"],
    )
