"""Where the entries of a prefix list come from: a file at an address that is fetched again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Boolean, Choice, Integer, Text, Texts

FORMATS = {
    "text": "Text: a prefix or range a line",
    "aws": "AWS: ip-ranges.json",
    "azure": "Azure: ServiceTags json",
    "gcp": "Google: cloud.json, goog.json",
}
MAX_PROVISIONED = 1_000
"""Entries that may come and go without anybody looking."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """``interval`` counts hours. ``provision_within``: None where a person provisions every refresh."""

    url: Annotated[
        str,
        Text(
            500,
            label="Address",
            help="of the file; https",
            example="https://ip-ranges.amazonaws.com/ip-ranges.json",
            # No user name, no password, nothing but printable ASCII.
            pattern=r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[!-\[\]-~]*)?",
        ),
    ]
    format: Annotated[str, Choice(FORMATS, default="text", label="Format")]
    services: Annotated[
        tuple[str, ...], Texts(help="only those of these services, as the file names them", example="S3")
    ]
    regions: Annotated[
        tuple[str, ...], Texts(help="only those of these regions, as the file names them", example="eu-central-1")
    ]
    ipv6: Annotated[bool, Boolean(label="IPv6 too", help="off: IPv4 only")] = True
    interval: Annotated[int, Integer(1, 720, default=24, help="hours between two refreshes")] = 24
    provision_within: Annotated[
        int | None,
        Integer(
            1,
            MAX_PROVISIONED,
            default=None,
            label="Provision by itself",
            help="a refresh in which at most so many entries come and go, that allows nothing new and fails no "
            "assertion; left out: a person provisions each",
        ),
    ] = None

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        for field in ("services", "regions"):
            if body["format"] == "text" and body[field]:
                wrong = f"A text names no {field}. Leave “{field}” out, or choose another format."
                reader.problem("not_one_of", field, wrong)
