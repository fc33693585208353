"""Cursor pages: ``{"next", "previous", "results"}`` with whole addresses to follow.

A cursor names the last row seen by its ordering value and key (keyset pagination), so a page is found through an index
however deep it is, and rows that come or go meanwhile neither repeat nor hide others. It is valid for the query it was
given out for only (provisioning/selectors/cursors.py, which the pages share; hence not DRF's CursorPagination).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db import DataError
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from provisioning.selectors import cursors

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
_ORDERED = (str, int, float, Decimal, datetime, NoneType)
"""Types of values that lists are ordered by."""
LIST_PARAMETERS = ("limit", "cursor", "search", "ordering")


@dataclass(frozen=True, slots=True)
class CursorPaginator:
    """The ordering, search and filters that a list allows.

    orderings: names accepted by ``?ordering=`` (each also with ``-``) → column, never null; the first one is the
    default, descending when it begins with ``-``. search: columns. filters: parameter → lookup. key: unique column.
    """

    orderings: Mapping[str, str]
    search: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    key: str = "pk"
    default: str = ""

    def page(self, request: Request, rows: QuerySet, show: Callable[[Any], Any]) -> dict[str, Any]:
        limit, ordering = parse_limit(request), request.query_params.get("ordering") or self.default
        refuse_unknown_parameters(request, self.filters)
        ordering = ordering or next(iter(self.orderings))
        column = self.orderings.get(ordering.removeprefix("-"))
        if column is None:
            raise invalid_parameter(
                "ordering", f"Order by one of {', '.join(self.orderings)}, or with - before it.", "not_one_of"
            )
        if words := request.query_params.get("search"):
            if not self.search:
                raise invalid_parameter("search", "This list cannot be searched.", "unknown_field")
            rows = rows.filter(_any_of(Q(**{f"{name}__icontains": words}) for name in self.search))
        for name, lookup in self.filters.items():
            if name in request.query_params:
                rows = _filtered(rows, name, lookup, request.query_params[name])
        return self._slice(request, rows, column, ordering, limit, show)

    def _slice(
        self, request: Request, rows: QuerySet, column: str, ordering: str, limit: int, show: Callable[[Any], Any]
    ) -> dict[str, Any]:
        fingerprint = _query_fingerprint(request, ordering)
        after, backwards = cursors.decode_cursor(request.query_params.get("cursor"), fingerprint)
        descending = ordering.startswith("-") != backwards
        if after:
            value, key = after
            comparison = "lt" if descending else "gt"
            try:
                rows = rows.filter(
                    Q(**{f"{column}__{comparison}": value}) | Q(**{column: value, f"{self.key}__{comparison}": key})
                )
            except (ValueError, TypeError, ModelError) as error:
                raise cursors.invalid_cursor() from error
        sign = "-" if descending else ""
        try:
            page_rows = list(rows.order_by(f"{sign}{column}", f"{sign}{self.key}")[: limit + 1])
        except (OverflowError, DataError) as error:
            # A timestamp that its time zone moves out of the calendar is only found by the database.
            raise invalid_parameter("cursor" if after else "", "A value is out of range.", "out_of_range") from error
        more, page_rows = len(page_rows) > limit, page_rows[:limit]
        if backwards:
            page_rows.reverse()

        def cursor(row: Any, back: bool) -> str:
            value = _value(row, column)
            position = value if isinstance(value, str | int) else value.isoformat()
            return cursors.encode_cursor(fingerprint, (position, _value(row, self.key)), back)

        has_next = more if not backwards else after is not None
        has_previous = after is not None if not backwards else more
        return page_json(
            request,
            [show(row) for row in page_rows],
            cursor(page_rows[-1], False) if has_next and page_rows else None,
            cursor(page_rows[0], True) if has_previous and page_rows else None,
        )


def page_json(request: Request, results: list[Any], following: str | None, previous: str | None) -> dict[str, Any]:
    return {"next": _page_url(request, following), "previous": _page_url(request, previous), "results": results}


def paginate_values(
    request: Request, values: Sequence[Any], filters: Sequence[str] = (), *, others: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a page of a short list that is in memory already.

    filters: fields compared as text; others: parameters that the view itself has used.
    """
    refuse_unknown_parameters(request, [*filters, *others])
    limit, query = parse_limit(request), request.query_params
    conditions = {name: query[name] for name in filters if name in query}
    matching = [value for value in values if all(str(value.get(name)) == text for name, text in conditions.items())]
    if words := query.get("search", "").lower():
        matching = [value for value in matching if any(words in str(inner).lower() for inner in value.values())]
    if ordering := query.get("ordering"):
        name = ordering.removeprefix("-")
        if not all(isinstance(value.get(name, ()), _ORDERED) for value in matching):
            raise invalid_parameter("ordering", "Order by a field of the objects.", "not_one_of")
        matching.sort(key=lambda value: (str(type(value[name])), value[name]), reverse=ordering.startswith("-"))
    fingerprint = _query_fingerprint(request, ordering or "")
    after, _ = cursors.decode_cursor(query.get("cursor"), fingerprint)
    start = after[0] if after else 0
    if not isinstance(start, int) or start < 0:
        raise cursors.invalid_cursor()
    following = cursors.encode_cursor(fingerprint, (start + limit, 0)) if start + limit < len(matching) else None
    previous = cursors.encode_cursor(fingerprint, (max(0, start - limit), 0)) if start else None
    return page_json(request, matching[start : start + limit], following, previous)


def parse_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MAX_LIMIT:
        raise invalid_parameter("limit", f"“{text[:20]}” is not a limit; use 1 to {MAX_LIMIT}.", "out_of_range")
    return int(text)


def refuse_unknown_parameters(request: Request, filters: Iterable[str]) -> None:
    """Raise ValidationError for a parameter that the list does not know; a mistyped filter must not list everything."""
    allowed = {*LIST_PARAMETERS, *filters}
    unknown = [name for name in request.query_params if name not in allowed]
    if unknown:
        raise ValidationError(
            {name: [f"There is no filter “{name}” here. There are {', '.join(sorted(allowed))}."] for name in unknown},
            "unknown_field",
        )


def invalid_parameter(path: str, message: str, code: str) -> ValidationError:
    return ValidationError({path: [message]}, code)


def _any_of(conditions: Iterable[Q]) -> Q:
    combined = Q()
    for condition in conditions:
        combined |= condition
    return combined


def _filtered(rows: QuerySet, name: str, lookup: str, text: str) -> QuerySet:
    try:
        return rows.filter(**{lookup: text})
    except (ValueError, TypeError, ModelError) as error:
        raise invalid_parameter(name, f"“{text}” is no value of “{name}”.", "wrong_type") from error


def _value(row: Any, column: str) -> Any:
    for part in column.split("__"):
        row = getattr(row, part)
    return row


def _page_url(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request._request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _query_fingerprint(request: Request, ordering: str) -> str:
    parameters = {
        name: text for name, text in request.query_params.items() if name not in ("cursor", "limit", "ordering")
    }
    return cursors.query_fingerprint(request.path, ordering, parameters)
