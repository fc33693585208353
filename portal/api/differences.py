"""What differs between two states of a draft or two revisions, object by object, as the API shows it."""

from __future__ import annotations

from portal.api.schema_fields import any_json, choice, list_of, object_schema, text, uid
from provisioning.core import intent as core

DIFFERENCE = object_schema(
    "Difference",
    kind=choice(list(core.KINDS)),
    id=uid(),
    name=text(),
    action=choice(("create", "change", "remove")),
    before=any_json("null: not there"),
    after=any_json("null: not there any more"),
    fields=list_of(
        object_schema("DifferentField", path=text("like size or rules[web].ports"), before=any_json(), after=any_json())
    ),
)
