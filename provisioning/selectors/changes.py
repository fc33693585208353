"""What a draft does to its base revision, and how many objects a view has: for lists that show a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal

from django.db.models import Count

from provisioning.models import Draft, Overlay, Version
from provisioning.selectors import views
from provisioning.selectors.views import Row, View

State = Literal["new", "changed", "removed"]


def counts(view: View) -> Counter[str]:
    """Objects of each kind."""
    versions = Version.objects.filter(first__lte=view.revision, last__gte=view.revision)
    found = Counter({row["kind"]: row["number"] for row in versions.values("kind").annotate(number=Count("pk"))})
    if view.draft:
        for kind, state in _overlaid(view.draft):
            found[kind] += {"new": 1, "changed": 0, "removed": -1}[state]
    return found


def touched(draft: Draft) -> Counter[str]:
    """Objects of each kind that the draft adds, changes or removes."""
    return Counter(kind for kind, _ in _overlaid(draft))


def states(draft: Draft, found: Collection[Row]) -> dict[str, State]:
    """uid → what the draft did to it, for those rows that it did anything to."""
    overlaid = set(
        Overlay.objects.filter(draft=draft, item__in=[row.number for row in found]).values_list("item", flat=True)
    )
    known = _known(draft, overlaid)
    return {row.uid: "changed" if row.number in known else "new" for row in found if row.number in overlaid}


def changed(draft: Draft, kind: str) -> list[tuple[Row, State]]:
    """The objects of a kind that the draft touched, by name; removed ones as the base revision has them, last."""
    overlays = list(Overlay.objects.filter(draft=draft, kind=kind).select_related("item"))
    here = [overlay for overlay in overlays if overlay.body is not None]
    known = _known(draft, [overlay.item_id for overlay in here])
    base = View(draft.base_revision)
    here_rows = views.named(views.of_draft(draft), [overlay.item.uid for overlay in here])
    gone = views.named(base, [overlay.item.uid for overlay in overlays if overlay.body is None])
    found: list[tuple[Row, State]] = [
        (here_rows[str(overlay.item.uid)], "changed" if overlay.item_id in known else "new") for overlay in here
    ]
    return sorted(found, key=_by_name) + sorted(((row, "removed") for row in gone.values()), key=_by_name)


def _by_name(entry: tuple[Row, State]) -> str:
    return entry[0].name


def _overlaid(draft: Draft) -> Iterable[tuple[str, State]]:
    overlays = list(Overlay.objects.filter(draft=draft).values_list("kind", "item", "body__isnull"))
    known = _known(draft, [item for _, item, _ in overlays])
    for kind, item, gone in overlays:
        yield kind, "removed" if gone else "changed" if item in known else "new"


def _known(draft: Draft, items: Iterable[int]) -> set[int]:
    """Those of these items that the base revision has."""
    base = draft.base_revision
    found = Version.objects.filter(item__in=list(items), first__lte=base, last__gte=base)
    return set(found.values_list("item", flat=True))
