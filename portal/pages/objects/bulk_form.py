"""The form that changes a field of many objects: which field, and for each its value."""

from __future__ import annotations

from dataclasses import replace

from portal.pages.objects.declared_fields import DeclaredFields
from portal.pages.objects.form_fields import FormField, ReferenceField, SelectField
from portal.pages.objects.kind_page import KindPage
from provisioning.core.intent import kind_of
from provisioning.core.intent.bulk_changes import ADD, DISCARD, SET

SET_ACTIONS = ((ADD, "Add"), (DISCARD, "Take out"), (SET, "Replace all by"))
ON_OFF = (("true", "on"), ("false", "off"))


def bulk_fields(kind: KindPage) -> tuple[FormField, ...]:
    """Return the fields of the form; none where nothing of the kind can be changed for many at once."""
    fields = kind_of(kind.key).bulk_fields
    if not fields:
        return ()
    options = tuple((name, declared.label) for name, (_, declared) in fields.items())
    chosen: list[FormField] = [SelectField("field", "Change", options=options)]
    for name, (path, declared) in fields.items():
        when = ("field", (name,))
        if declared.spec.is_added_to:
            chosen.append(SelectField(f"actions.{name}", "How", options=SET_ACTIONS, when=when))
        form_field = DeclaredFields(kind_of(kind.key).declaration).at(path)
        if form_field.widget == "flag":
            form_field = SelectField("", declared.label, options=ON_OFF)
        elif isinstance(form_field, ReferenceField) and declared.spec.nullable:
            form_field = replace(form_field, hint="Empty: none.")
        chosen.append(replace(form_field, path=f"values.{name}", when=when, half=False))
    return tuple(chosen)
