"""Ten networks that people published, said in this model, with flows whose outcome their sources decide.

``NAME.yaml`` is the network as a document; at its head stands where it comes from. Where we have a translator for the
source's format, ``NAME.source.*`` is the source, and the document completes what the translation made of it, as one
would in the draft. ``NAME.csv`` lists flows, in the columns of a list of flows that people send, with ``disposition``
and ``because``. docs/real-networks.md counts what of each source is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provisioning.core.formats.csv_text import read_csv
from provisioning.core.formats.flow_list import MAX_FLOWS, read_flow_table
from provisioning.core.formats.yaml_format import load_yaml
from provisioning.core.intent import INTERNET
from provisioning.core.reach import FlowQuery
from provisioning.core.translators import FORMATS
from provisioning.core.translators.translation import SourceFile, TranslationContext
from tests.core.document_networks import build_document
from tests.core.flow_headers import asked_headers
from tests.core.reference_evaluator import ReferenceEvaluator, ReferencePacket
from tests.core.reference_objects import parse_address
from tests.core.sample_networks import IntentBuilder
from tests.core.test_reference_evaluator import SentPacket
from tests.core.translators.translating import LOCATIONS

FOLDER = Path(__file__).parent
NETWORKS = tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))
SOURCE_FORMATS = {
    "cloudwan-simple": "aws-cloud-wan",
    "k8s-netpol": "kubernetes-policies",
    "portal-terraform": "alkira-terraform",
}
CONTEXT = TranslationContext(locations=LOCATIONS, places={"US-WEST": "us-west", "US-EAST": "us-east"})


def network_document(name: str) -> dict[str, list[dict[str, Any]]]:
    document: dict[str, list[dict[str, Any]]] = load_yaml((FOLDER / f"{name}.yaml").read_bytes())
    if name in SOURCE_FORMATS:
        files = [SourceFile(path.name, path.read_bytes()) for path in FOLDER.glob(f"{name}.source.*")]
        translation = FORMATS[SOURCE_FORMATS[name]].translate(files, CONTEXT)
        for kind, bodies in translation.document.items():
            own = {body["name"]: body for body in document.get(kind, ())}
            completed = [{**body, **own.pop(body["name"], {})} for body in bodies]
            document[kind] = [*completed, *own.values()]
    return document


def build_network(name: str) -> IntentBuilder:
    return build_document(network_document(name))


def known_flows(name: str) -> Iterator[tuple[FlowQuery, str]]:
    """Yield each flow of a network and the disposition that its source gives."""
    table = (FOLDER / f"{name}.csv").read_bytes()
    for flow, row in zip(read_flow_table(table), read_csv(table, MAX_FLOWS)[1], strict=True):
        assert flow.query is not None, flow
        yield flow.query, row.cells["disposition"]


def internet_packet(reference: ReferenceEvaluator, query: FlowQuery) -> ReferencePacket:
    """Return what a flow from the internet sends."""
    source, destination = (_end_address(reference, end)[0] for end in (query.source, query.destination))
    return ReferencePacket(source, destination, *asked_headers(query))


def sent_packet(reference: ReferenceEvaluator, query: FlowQuery) -> SentPacket | None:
    """Return what a flow of a list sends, found in the bodies alone; None where it starts on the internet, as all do
    that name an application and no segment."""
    applications = {row.body["name"] for row in reference.rows.of("internet-apps")}
    if query.source == INTERNET or (query.destination in applications and query.segment is None):
        return None
    sender, _, address = query.source.rpartition("@")
    source, named = _end_address(reference, address)
    wanted = query.from_segment or query.segment
    segments = [row for row in reference.rows.of("segments") if wanted in (None, row.body["name"])]
    named = named or next((row.uid for row in reference.rows.of("connectors") if row.body["name"] == sender), None)
    for segment in segments:
        owner = reference.owner(segment.uid, source)
        senders = {edge.connector for edge in (reference.edges(segment.uid) if named else [owner]) if edge}
        connector = named or (owner.connector if owner else None)
        if connector not in senders:
            continue
        destination, _ = _end_address(reference, query.destination)
        return segment.uid, connector, ReferencePacket(source, destination, *asked_headers(query))
    raise AssertionError(f"{query.source} is in none of {[segment.body['name'] for segment in segments]}")


def _end_address(reference: ReferenceEvaluator, text: str) -> tuple[int, str | None]:
    """Return the address of an end, and the connector that it names."""
    if text == INTERNET:
        return parse_address("198.51.100.10"), None
    for row in reference.rows.of("connectors"):
        if row.body["name"] == text:
            return parse_address(row.body["attachments"][0]["prefixes"][0].partition("/")[0]), row.uid
    for row in reference.rows.of("internet-apps"):
        if row.body["name"] == text:
            return reference.public(row.body), None
    return parse_address(text), None
