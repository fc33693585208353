"""What follows from the fields that a dataclass declares: its bodies are read, values built, references found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Build, Field, Object, as_tuple
from provisioning.core.intent.old_names import RenamedFrom

ObjectReference = tuple[str, str]
"""(kind, uid)."""

NamedObjects = tuple[str, tuple[str, ...], Sequence[str | None]]
"""Path of a field (``[]`` for the place in a list), the kinds it may name, and the uids there; None for a literal."""


@dataclass(frozen=True)
class DeclaredField:
    """``attribute``: of the dataclass; ``name``: in bodies; ``nested``: of the objects inside."""

    attribute: str
    name: str
    spec: Field
    nested: Declaration | None

    @property
    def label(self) -> str:
        return self.spec.label or self.name.replace("_", " ").capitalize()

    @property
    def is_reference(self) -> bool:
        return bool(self.spec.kinds) or (self.nested is not None and self.nested.has_references)


class Declaration:
    """The fields of a dataclass, in their order. A static method ``check_body`` of it holds rules across fields:
    it gets the reader and the body that was read, may complain, and may fill in what follows from other fields. A
    static method ``translate_body`` turns a body as earlier releases took it into today's."""

    def __init__(self, type_: type) -> None:
        self.type = type_
        hints = get_type_hints(type_, include_extras=True)
        self.fields = tuple(
            _declared_field(field.name, hints[field.name])
            for field in fields(type_)
            if get_origin(hints[field.name]) is Annotated
        )
        self.by_name = {field.name: field for field in self.fields}
        self.has_references = any(field.is_reference for field in self.fields)
        self._check_body = getattr(type_, "check_body", None)
        self._translate_body = getattr(type_, "translate_body", None)
        self._references = tuple(
            (field.name, field.attribute, field.spec, field.nested) for field in self.fields if field.is_reference
        )
        self._sets: tuple[tuple[str, Any], ...] = tuple(
            (field.name, field.spec.sorted_by) for field in self.fields if field.spec.is_set
        )
        self._nested = tuple(
            (field.name, field.spec, field.nested) for field in self.fields if field.nested is not None
        )
        self._readers = tuple((field.name, field.spec.read, field.nested) for field in self.fields)
        self.renamed_fields: tuple[tuple[str, RenamedFrom], ...] = tuple(
            (field.name, field.spec.renamed_from) for field in self.fields if field.spec.renamed_from
        )

    def read(self, reader: FieldReader) -> dict[str, Any]:
        """Return the stored form with every default filled in; all problems go to the reader."""
        body: dict[str, Any] = {}
        if self._translate_body is not None:
            reader.body = self._translate_body(reader.body)
        if self.renamed_fields:
            reader.translate_old_names(self.renamed_fields)
        for name, read, nested in self._readers:
            body[name] = read(reader, name, body, nested)
        if self._check_body is not None:
            self._check_body(reader, body)
        reader.reject_unknown_fields()
        for name, sort_key in () if reader.problems else self._sets:
            body[name] = sorted(body[name], key=sort_key)
        return body

    def with_sorted_sets(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored body with its sets in the order that ``read`` gives them; older bodies have another one."""
        changes: dict[str, Any] = {
            name: sorted(body[name], key=sort_key) for name, sort_key in self._sets if body.get(name)
        }
        for name, spec, nested in self._nested:
            if (inner := body.get(name)) and spec.is_declared_in(body):
                sort, is_list = nested.with_sorted_sets, spec.is_list
                changes[name] = [sort(part) for part in inner] if is_list else sort(inner)
        return {**body, **changes}

    @cached_property
    def build(self) -> Build:
        """``build(body, number, *identity)``: the typed value of a stored body.

        It is compiled from one expression, as ``dataclasses`` compile ``__init__``, since networks have 100,000 objects
        and a loop over fields takes a fifth longer::

            lambda body, number, *identity: Policy(*identity, body["name"], tuple(body["segments"]), …)
        """
        names: dict[str, Any] = {"type_": self.type}
        values = []
        for index, field in enumerate(self.fields):
            stored, converter = f"body[{field.name!r}]", field.spec.converter(field.nested)
            if converter is None:
                values.append(stored)
            elif converter is as_tuple:
                values.append(f"tuple({stored})")
            else:
                names[f"convert_{index}"] = converter
                values.append(f"convert_{index}({stored}, number, body)")
        build: Build = eval(f"lambda body, number, *identity: type_(*identity, {', '.join(values)})", names)
        return build

    @cached_property
    def _field_names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    def is_complete(self, body: Mapping[str, Any]) -> bool:
        """Whether a stored body has today's fields, inside as well: one of an older release may not."""
        if body.keys() != self._field_names:
            return False
        return all(
            nested.is_complete(inner)
            for name, spec, nested in self._nested
            if body[name] and spec.is_declared_in(body)
            for inner in (body[name] if spec.is_list else (body[name],))
        )

    def references(self, body: Mapping[str, Any]) -> Iterator[ObjectReference]:
        """Yield what a stored body names; a uid is counted for each kind it may be of."""
        for name, _, spec, nested in self._references:
            value = body.get(name)
            if not value:
                continue
            for inner in value if spec.is_list else (value,):
                if nested is not None and not spec.kinds:
                    yield from nested.references(inner)
                elif uid := spec.uid_in(inner):
                    for kind in spec.kinds:
                        yield kind, uid

    def named_objects(self, item: Any, path: str = "") -> Iterator[NamedObjects]:
        """Yield what a typed value names, field by field."""
        for name, attribute, spec, nested in self._references:
            value = getattr(item, attribute)
            if not value:
                continue
            if spec.kinds and spec.is_list:
                yield f"{path}{name}[]", spec.kinds, [spec.uid_in(inner) for inner in value]
            elif spec.kinds:
                yield path + name, spec.kinds, [spec.uid_in(value)]
            elif nested is not None and spec.is_list:
                for index, inner in enumerate(value):
                    yield from nested.named_objects(inner, f"{path}{name}[{index}].")
            elif nested is not None and isinstance(value, nested.type):
                yield from nested.named_objects(value, f"{path}{name}.")

    def kinds_named(self) -> set[tuple[str, ...]]:
        """Return all kinds that its fields may name, field by field."""
        nested = [field.nested.kinds_named() for field in self.fields if field.nested is not None]
        return {field.spec.kinds for field in self.fields if field.spec.kinds}.union(*nested)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], DeclaredField]]:
        """Yield every field at any depth with its path in bodies; ``*`` stands for each of a list."""
        for field in self.fields:
            here = (*path, field.name)
            yield here, field
            if field.nested is not None:
                yield from field.nested.walk((*here, "*") if field.spec.is_list else here)


@cache
def declaration_of(type_: type) -> Declaration:
    return Declaration(type_)


def _declared_field(attribute: str, hint: Any) -> DeclaredField:
    annotated, *notes = get_args(hint)
    spec = next(note for note in notes if isinstance(note, Field))
    inner = spec.stored_as if isinstance(spec, Object) and spec.stored_as else _dataclass_in(annotated)
    return DeclaredField(attribute, attribute.rstrip("_"), spec, declaration_of(inner) if inner else None)


def _dataclass_in(hint: Any) -> type | None:
    """Return the dataclass somewhere in an annotation."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((inner for part in get_args(hint) if (inner := _dataclass_in(part))), None)
