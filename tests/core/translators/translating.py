"""Translations of the sources beside, and the networks that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provisioning.core.check import check_network
from provisioning.core.intent import KINDS
from provisioning.core.translators import FORMATS
from provisioning.core.translators.translation import SourceFile, TranslatedFiles, TranslationContext
from tests.core.document_networks import build_document
from tests.core.sample_networks import CATALOG, IntentBuilder

SOURCES = Path(__file__).parent / "sources"
SOURCE_FILES = {
    "alkira-terraform": ["alkira.tf"],
    "aws-cloud-wan": ["core-network.json"],
    "kubernetes-policies": ["policies.yaml"],
    "firewall-csv": ["rulebase.csv", "addresses.csv"],
    "netbox": ["netbox.json"],
}
assert SOURCE_FILES.keys() == FORMATS.keys()
LOCATIONS = {location.region: location.key for location in CATALOG.locations.values()}


def translate(key: str, *sources: str | bytes, **chosen: Any) -> TranslatedFiles:
    """Translate texts, or the file of that name beside, with what is chosen and a catalogue of three locations."""
    files = [_source_file(source, number) for number, source in enumerate(sources, 1)]
    return FORMATS[key].translate(files, TranslationContext(locations=LOCATIONS, **chosen))


def _source_file(source: str | bytes, number: int) -> SourceFile:
    if isinstance(source, str) and "\n" not in source:
        return SourceFile(source, (SOURCES / source).read_bytes())
    return SourceFile(f"file-{number}", source.encode() if isinstance(source, str) else source)


def draw(translation: TranslatedFiles, **others: list[dict[str, Any]]) -> IntentBuilder:
    """Return the network of a document, with others beside (``connectors=[…]``); every object of it is accepted."""
    return build_document({kind: [*others.get(kind, ()), *translation.document.get(kind, ())] for kind in KINDS})


def errors(net: IntentBuilder) -> list[str]:
    return [problem.message for problem in check_network(net.network()) if problem.severity == "error"]


def notes(translation: TranslatedFiles, kind: str) -> dict[str, str]:
    """Return what the notes of a kind say → why."""
    return {note.says: note.why for note in translation.notes if note.kind == kind}
