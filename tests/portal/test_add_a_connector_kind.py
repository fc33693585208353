"""The recipe of provisioning/core/README.md for a kind of connector, followed with a made-up one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from portal.pages.objects.connectors import connector_form
from portal.pages.objects.form_fields import FieldGroup, SelectField, TextField
from provisioning.core.intent import InvalidIntent, kind_of, normalise_body
from provisioning.core.intent.connector_settings import Credential
from provisioning.core.intent.connectors import CONNECTOR_KINDS, ConnectorKind
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Choice, Text
from provisioning.core.intent.reference import reference_markdown

SATELLITE = "satellite-link"
SETTINGS = {"terminal": "dish-7", "orbit": "geo"}


@dataclass(frozen=True, slots=True)
class SatelliteSettings:
    terminal: Annotated[str, Text(40, "[a-z]+-[0-9]+", help="the dish on the roof", example="dish-1")]
    orbit: Annotated[str, Choice({"leo": "Low Earth", "geo": "Geostationary"}, default="leo")]
    credential: Credential

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        if body["orbit"] == "leo" and body["credential"]:
            reader.problem("not_one_of", "credential", "Satellites in low orbit take no key. Leave it out.")


@pytest.fixture(autouse=True)
def satellite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTOR_KINDS, SATELLITE, ConnectorKind("vpn", SatelliteSettings))
    # Options are made when the module is imported, with the entry of the recipe already there.
    monkeypatch.setitem(kind_of("connectors").declaration.by_name["kind"].spec.options, SATELLITE, SATELLITE)  # type: ignore[attr-defined]


def read_settings(settings: Mapping[str, Any]) -> Any:
    attachments = [{"segment": "corp", "prefixes": ["10.1.0.0/16"]}]
    body = {"name": "roof", "kind": SATELLITE, "exchange": "eu", "attachments": attachments, "settings": settings}
    return normalise_body("connectors", body, lambda kind, name: name)["settings"]


def problems_of(settings: Mapping[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidIntent) as invalid:
        read_settings(settings)
    return {problem.path: problem.code for problem in invalid.value.problems}


def test_its_settings_are_read_with_defaults_and_problems() -> None:
    assert read_settings(SETTINGS) == {**SETTINGS, "credential": None}
    assert problems_of({"terminal": "Dish", "colour": "red"}) == {
        "settings.terminal": "not_one_of",
        "settings.colour": "unknown_field",
    }
    assert problems_of({"terminal": "dish-7", "credential": "key"}) == {"settings.credential": "not_one_of"}


def test_its_form_has_a_field_for_each_setting() -> None:
    body = {"kind": SATELLITE}
    [far_side] = [field for field in connector_form(body) if isinstance(field, FieldGroup) and field.path == "settings"]
    terminal, orbit, credential = far_side.fields
    assert isinstance(terminal, TextField) and isinstance(orbit, SelectField) and isinstance(credential, TextField)
    assert (terminal.label, terminal.hint, terminal.example) == ("Terminal", "The dish on the roof.", "dish-1")
    assert terminal.required and not orbit.required and credential.optional
    assert orbit.options == (("leo", "Low Earth"), ("geo", "Geostationary"))


def test_the_reference_page_and_the_schema_describe_it() -> None:
    assert f"### Settings of `{SATELLITE}`" in reference_markdown()
    assert "| `settings.terminal` | text like `dish-1`, at most 40 characters | required | the dish on the roof |" in (
        reference_markdown()
    )
    schemas = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]
    assert schemas["SatelliteSettings"]["required"] == ["terminal"]
    shapes = schemas["Connector"]["properties"]["settings"]["anyOf"]
    assert {"$ref": "#/components/schemas/SatelliteSettings"} in shapes
