"""Links to the pages of what the core names by key: rules of a trace, paths of problems."""

from __future__ import annotations

from collections.abc import Iterable

from portal.pages.objects import KIND_PAGES
from provisioning.core.intent import kind_word
from provisioning.models import Draft, Item
from provisioning.selectors.object_names import names_by_key


class ObjectLinks:
    """Addresses below ``root`` (the objects of one version) of the objects that rules and paths name.

    ``draft``: whose names of objects paths are told by.
    """

    def __init__(
        self, root: str, rules: Iterable[str | None] = (), paths: Iterable[str] = (), draft: Draft | None = None
    ) -> None:
        self.root = root
        named = {object_key for rule in rules if rule and (object_key := parse_rule(rule))}
        named |= {object_key for path in paths if (object_key := parse_problem_path(path))}
        items = Item.objects.filter(kind__in={kind for kind, _ in named}, key__in={key for _, key in named})
        self._uids = {(item.kind, item.key): item.uid for item in items} if named else {}
        self._names = names_by_key(named, draft) if named and draft else {}

    def rule(self, rule: str | None) -> str:
        return self._url(parse_rule(rule) if rule else None)

    def place(self, path: str) -> dict[str, str]:
        """Return the address of the object that a path is about, and the path by the name of the object."""
        named = parse_problem_path(path)
        if named not in self._names:
            return {"url": self._url(named), "place": path}
        within = path.split("/", 2)[2:]
        return {"url": self._url(named), "place": ", ".join([f"{kind_word(named[0])} {self._names[named]}", *within])}

    def _url(self, named: tuple[str, str] | None) -> str:
        uid = self._uids.get(named) if named else None
        return f"{self.root}{named[0]}/?select={uid}" if named and uid else ""


def parse_rule(rule: str) -> tuple[str, str] | None:
    """Return (kind, key): ``prod-out/web`` is a rule of the policy prod-out, ``share/partners`` the share itself."""
    first, _, rest = rule.partition("/")
    return ("shares", rest) if first == "share" and rest else ("policies", first) if first else None


def parse_problem_path(path: str) -> tuple[str, str] | None:
    """Return (kind, key): ``policies/prod-out/rules[0].ports`` is about the policy prod-out."""
    kind, _, rest = path.partition("/")
    key = rest.partition("/")[0]
    return (kind, key) if kind in KIND_PAGES and key else None
