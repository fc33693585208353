"""Cursor pages: ``{"next", "previous", "results"}`` with whole addresses to follow.

A cursor names the last row seen by its ordering value and key, so a page is found through an index however deep
it is, and rows that come or go meanwhile neither repeat nor hide others. It holds for the question it was given out for
(provisioning/selectors/cursors.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db import DataError
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from provisioning.selectors import cursors

DEFAULT, MOST = 50, 1000
ASKED = ("limit", "cursor", "search", "ordering")


@dataclass(frozen=True, slots=True)
class Listing:
    """What may be asked of a list.

    orderings: names accepted by ``?ordering=`` (each also with ``-``) → column, never null; the first one is the
    default, descending when it begins with ``-``. search: columns. filters: parameter → lookup. key: unique column.
    """

    orderings: Mapping[str, str]
    search: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    key: str = "pk"
    default: str = ""

    def page(self, request: Request, rows: QuerySet, show: Callable[[Any], Any]) -> dict[str, Any]:
        limit, ordering = limit_of(request), request.query_params.get("ordering") or self.default
        refuse_unknown(request, self.filters)
        ordering = ordering or next(iter(self.orderings))
        column = self.orderings.get(ordering.removeprefix("-"))
        if column is None:
            raise bad("ordering", f"Order by one of {', '.join(self.orderings)}, or with - before it.", "not_one_of")
        if words := request.query_params.get("search"):
            if not self.search:
                raise bad("search", "This list cannot be searched.", "unknown_field")
            rows = rows.filter(_any(Q(**{f"{name}__icontains": words}) for name in self.search))
        for name, lookup in self.filters.items():
            if name in request.query_params:
                rows = _filtered(rows, name, lookup, request.query_params[name])
        return self._cut(request, rows, column, ordering, limit, show)

    def _cut(
        self, request: Request, rows: QuerySet, column: str, ordering: str, limit: int, show: Callable[[Any], Any]
    ) -> dict[str, Any]:
        question = _question(request, ordering)
        after, backwards = cursors.decode_cursor(request.query_params.get("cursor"), question)
        down = ordering.startswith("-") != backwards
        if after:
            value, key = after
            past = "lt" if down else "gt"
            try:
                rows = rows.filter(Q(**{f"{column}__{past}": value}) | Q(**{column: value, f"{self.key}__{past}": key}))
            except (ValueError, TypeError, ModelError) as error:
                raise cursors.invalid_cursor() from error
        sign = "-" if down else ""
        try:
            found = list(rows.order_by(f"{sign}{column}", f"{sign}{self.key}")[: limit + 1])
        except (OverflowError, DataError) as error:
            # A moment that its time zone carries out of the calendar is only seen when the database is asked.
            raise bad("cursor" if after else "", "A value is out of range.", "out_of_range") from error
        more, found = len(found) > limit, found[:limit]
        if backwards:
            found.reverse()

        def cursor(row: Any, back: bool) -> str:
            value = _value(row, column)
            plain = value if isinstance(value, str | int) else value.isoformat()
            return cursors.encode_cursor(question, (plain, _value(row, self.key)), back)

        forward = more if not backwards else after is not None
        behind = after is not None if not backwards else more
        return envelope(
            request,
            [show(row) for row in found],
            cursor(found[-1], False) if forward and found else None,
            cursor(found[0], True) if behind and found else None,
        )


def envelope(request: Request, results: list[Any], following: str | None, previous: str | None) -> dict[str, Any]:
    return {"next": _link(request, following), "previous": _link(request, previous), "results": results}


def of_values(
    request: Request, values: Sequence[Any], filters: Sequence[str] = (), *, others: Sequence[str] = ()
) -> dict[str, Any]:
    """A page of a short list that is in memory already.

    filters: fields compared as text; others: parameters that the endpoint itself has used.
    """
    refuse_unknown(request, [*filters, *others])
    limit, query = limit_of(request), request.query_params
    wanted = {name: query[name] for name in filters if name in query}
    found = [value for value in values if all(str(value.get(name)) == text for name, text in wanted.items())]
    if words := query.get("search", "").lower():
        found = [value for value in found if any(words in str(inner).lower() for inner in value.values())]
    if ordering := query.get("ordering"):
        name = ordering.removeprefix("-")
        if any(isinstance(value.get(name, {}), dict) for value in found):
            raise bad("ordering", "Order by a field of the objects.", "not_one_of")
        found.sort(key=lambda value: (str(type(value[name])), value[name]), reverse=ordering.startswith("-"))
    question = _question(request, ordering or "")
    after, _ = cursors.decode_cursor(query.get("cursor"), question)
    start = after[0] if after else 0
    if not isinstance(start, int) or start < 0:
        raise cursors.invalid_cursor()
    following = cursors.encode_cursor(question, (start + limit, 0)) if start + limit < len(found) else None
    previous = cursors.encode_cursor(question, (max(0, start - limit), 0)) if start else None
    return envelope(request, found[start : start + limit], following, previous)


def limit_of(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT))
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MOST:
        raise bad("limit", f"“{text[:20]}” is no limit; it has to be from 1 to {MOST}.", "out_of_range")
    return int(text)


def refuse_unknown(request: Request, filters: Iterable[str]) -> None:
    """A filter that was only mistyped must not answer with everything."""
    known = {*ASKED, *filters}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise ValidationError(
            {name: [f"There is no filter “{name}” here. There are {', '.join(sorted(known))}."] for name in unknown},
            "unknown_field",
        )


def bad(path: str, message: str, code: str) -> ValidationError:
    return ValidationError({path: [message]}, code)


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def _filtered(rows: QuerySet, name: str, lookup: str, text: str) -> QuerySet:
    try:
        return rows.filter(**{lookup: text})
    except (ValueError, TypeError, ModelError) as error:
        raise bad(name, f"“{text}” is no value of “{name}”.", "wrong_type") from error


def _value(row: Any, column: str) -> Any:
    for part in column.split("__"):
        row = getattr(row, part)
    return row


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request._request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _question(request: Request, ordering: str) -> str:
    more = {name: text for name, text in request.query_params.items() if name not in ("cursor", "limit", "ordering")}
    return cursors.query_fingerprint(request.path, ordering, more)
