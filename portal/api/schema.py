"""The OpenAPI document: what all views have in common is added here once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from portal.api.idempotency import MAX_KEY_LENGTH
from portal.api.pagination import DEFAULT_LIMIT, MAX_LIMIT

PREFIX = ("api", "v1", "t")
ACTIONS = {"GET": "read", "POST": "create", "PUT": "replace", "PATCH": "change", "DELETE": "remove"}

PROBLEM = inline_serializer(
    "Problem",
    {
        "type": serializers.CharField(),
        "title": serializers.CharField(),
        "status": serializers.IntegerField(),
        "detail": serializers.CharField(),
        "problems": inline_serializer(
            "ProblemPart",
            {
                "code": serializers.CharField(help_text="stable, for programs"),
                "path": serializers.CharField(help_text="where in the body or the network", allow_blank=True),
                "message": serializers.CharField(help_text="what to do about it"),
            },
            many=True,
        ),
        "request_id": serializers.CharField(required=False),
        "conflicts": inline_serializer(
            "FieldConflict",
            {
                "kind": serializers.CharField(),
                "id": serializers.UUIDField(),
                "key": serializers.CharField(),
                "name": serializers.CharField(),
                "path": serializers.CharField(help_text="empty: the whole object", allow_blank=True),
                **{side: serializers.JSONField(help_text="null: not there") for side in ("base", "mine", "theirs")},
            },
            many=True,
            required=False,
        ),
    },
)


def _header_parameter(name: str, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text)


IF_MATCH = _header_parameter("If-Match", "An ETag that was read: 412 when the object has changed since.")
IF_NONE_MATCH = _header_parameter("If-None-Match", "An ETag that was read: 304 while it holds.")
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
    OpenApiParameter.HEADER,
    description="The same key and body again: the same answer, and nothing is done twice.",
)


def query_parameter(
    name: str, text: str = "", kind: Any = str, *, enum: Sequence[str] = (), required: bool = False
) -> Any:
    return OpenApiParameter(name, kind, description=text, enum=list(enum) or None, required=required)


_page_schemas: dict[str, Any] = {}


def page_schema(shape: Any, name: str) -> Any:
    """Return the schema of a page; one object for each name, since the document knows schemas by name."""
    if name not in _page_schemas:
        _page_schemas[name] = _build_page_schema(shape, name)
    return _page_schemas[name]


def _build_page_schema(shape: Any, name: str) -> Any:
    link: dict[str, Any] = {"allow_null": True, "help_text": "address of the page beside this one"}
    return inline_serializer(
        f"{name}Page",
        {
            "next": serializers.URLField(**link),
            "previous": serializers.URLField(**link),
            "results": serializers.ListField(child=deepcopy(shape)),
            "count": serializers.IntegerField(required=False, help_text="with total=1, where it is offered"),
        },
    )


def extend_list_schema(
    shape: Any, name: str, *, orderings: Iterable[str] = (), filters: Iterable[str] = (), also: Sequence[Any] = ()
) -> Any:
    """Return a decorator for a ``get`` that answers a page of ``shape``; ``also``: more parameters."""
    signed = [sign + ordering for ordering in orderings for sign in ("", "-")]
    parameters = [
        query_parameter(
            "limit",
            "Rows in a page.",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        ),
        query_parameter("cursor", "Opaque; part of next and previous."),
        query_parameter("search", "Part of a name, in any case."),
        query_parameter("ordering", enum=signed),
        *(query_parameter(filter) for filter in filters),
        *also,
    ]
    return extend_schema(responses=page_schema(shape, name), parameters=parameters)


def copy_method(method: Any) -> Any:
    """Return a copy of an inherited method, so that describing it for one class does not describe it for the others."""

    def inner(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, request, *args, **kwargs)

    return inner


class ApiAutoSchema(AutoSchema):
    """Names operations by path and verb, and adds problems, entity tags and idempotency keys."""

    def get_operation_id(self) -> str:
        words = [word for word in self.path.strip("/").split("/") if word not in PREFIX and not word.startswith("{")]
        last = ACTIONS[self.method]
        if self.method == "GET" and self._is_list():
            last = "list"
        return "_".join([*words, last]).replace("-", "_")

    def get_tags(self) -> list[str]:
        words = [word for word in self.path.strip("/").split("/") if word not in PREFIX and not word.startswith("{")]
        return words[:1]

    def get_description(self) -> str:  # type: ignore[override]
        description = super().get_description()
        right = getattr(self.view, "read_right" if self.method == "GET" else "write_right", None)
        return f"{description}\n\nNeeds the right `{right}`." if right and "{slug}" in self.path else description

    def get_summary(self) -> str | None:
        """Return the first sentence of the description, which is listed beside the address."""
        summary = " ".join(self.get_description().partition("\n\n")[0].split())
        return super().get_summary() or summary.partition(". ")[0].removesuffix(".") or None

    def get_override_parameters(self) -> list[Any]:
        shared = {
            "GET": [IF_NONE_MATCH],
            "POST": [IDEMPOTENCY, IF_MATCH] if "{" in self.path.rpartition("{slug}")[2] else [IDEMPOTENCY],
        }
        return [*super().get_override_parameters(), *shared.get(self.method, [IF_MATCH])]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        description = OpenApiResponse(PROBLEM, description="What happened, to what, and what to do.")
        problem = self._get_response_for_code(description, "default", media_types=["application/problem+json"])
        return {**bodies, "default": problem}

    def _is_list(self) -> bool:
        shape = self.get_response_serializers()
        shapes = shape.values() if isinstance(shape, dict) else [shape]
        return any(type(schema).__name__.endswith("Page") for schema in shapes)
