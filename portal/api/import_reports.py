"""What of foreign files a network does not say, as the API shows it."""

from __future__ import annotations

from portal.api.schema_fields import choice, list_of, mapping, number, object_schema, text, text_list
from provisioning.core.translators.translation import MAX_NOTES, NOTE_KINDS

NOTE = object_schema(
    "ImportNote",
    kind=choice(
        list(NOTE_KINDS),
        "left_out: the network does not have it; assumed: it has it in another form, or by a guess; needed: "
        "provisioning will need it",
    ),
    place=text("file and line, row or object"),
    says=text("what the source says there"),
    why=text(),
    remedy=text("what to do about it"),
)
REPORT_FIELDS = {
    "notes": list_of(NOTE, f"what could not be said, the first {MAX_NOTES:,}", required=False),
    "more_notes": number("how many more there are", required=False),
    "header": text_list("the columns of a table", required=False),
    "columns": mapping("field → the column it is read from", required=False),
}
REPORT = object_schema("ImportReport", **REPORT_FIELDS)
