"""Prefix lists: addresses with a name, for rules and route policies."""

from __future__ import annotations

from urllib.parse import urlsplit

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import Body, KindPage, ListColumn
from provisioning.core.intent.list_sources import FORMATS

FIELDS = fields_of("prefix-lists")
ENTRY, SOURCE = FIELDS.nested("entries"), FIELDS.nested("source")
ANY_FORMAT = ("format", tuple(FORMATS))
CLOUD_FORMAT = ("format", tuple(format for format in FORMATS if format != "text"))
SOURCE_FIELDS = FIELDS(
    "source",
    hint="",
    fields=(
        SOURCE("format", label="Entries come from", optional="by hand"),
        SOURCE("url", required=False, hint="", when=ANY_FORMAT),
        SOURCE("services", half=True, hint="All where empty.", when=CLOUD_FORMAT),
        SOURCE("regions", half=True, hint="All where empty.", when=CLOUD_FORMAT),
        SOURCE("interval", half=True, example="24", when=ANY_FORMAT),
        SOURCE(
            "provision_within",
            half=True,
            example="never",
            hint="Without a person where at most so many entries come and go and nothing new is allowed.",
            when=ANY_FORMAT,
        ),
        SOURCE("ipv6", hint="", when=ANY_FORMAT),
    ),
)
ENTRIES = FIELDS(
    "entries",
    fields=(
        ENTRY("prefix"),
        ENTRY("ge", half=True, example="/", hint=""),
        ENTRY("le", half=True, example="/", hint=""),
        ENTRY("description", hint=""),
    ),
)


def entry_text(entry: Body) -> str:
    """`10.0.0.0/8 ≥ 16 ≤ 24`."""
    bounds = "".join(f" {sign} {entry[key]}" for key, sign in (("ge", "≥"), ("le", "≤")) if entry.get(key) is not None)
    return f"{entry['prefix']}{bounds}"


KIND_PAGE = KindPage(
    key="prefix-lists",
    icon="list-numbers",
    columns=(
        ListColumn("Entries", lambda body: [entry_text(entry) for entry in body["entries"]], cell="mono"),
        ListColumn("Source", lambda body: body["source"] and urlsplit(body["source"]["url"]).hostname, wide=True),
        ListColumn("Contains", lambda body: body["contains"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    # What a source gave is shown below the form (refreshes.py): it is not edited.
    form=lambda body: (
        FIELDS("name"),
        SOURCE_FIELDS,
        *(() if body.get("source") else (ENTRIES,)),
        FIELDS("contains"),
        FIELDS("description"),
    ),
)
