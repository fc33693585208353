"""Values that follow from single objects: an edit costs what it touches, and the result is that of a new network."""

from __future__ import annotations

from provisioning.core.resolve.derived import Derived, DerivedKey

LARGE = DerivedKey[str]("names of large objects")


def test_what_follows_from_each_object_is_made_for_those_that_an_edit_touched() -> None:
    looked_at: list[str] = []

    def find(item: tuple[str, bool]) -> str:
        looked_at.append(item[0])
        return item[0].upper() if item[1] else ""

    a, b, c, d = ("a", True), ("b", False), ("c", True), ("d", True)
    first = Derived()
    assert first.get_by_object(LARGE, {"a": a, "b": b, "c": c}, find) == {"a": "A", "c": "C"}
    second, objects = Derived(first), {"a": a, "b": ("b", True), "d": d}
    looked_at.clear()
    assert second.get_by_object(LARGE, objects, find) == {"a": "A", "b": "B", "d": "D"}
    assert looked_at == ["b", "d"]
    assert second.get_by_object(LARGE, objects, find, shared=("other",)) == {"a": "A", "b": "B", "d": "D"}
    assert looked_at == ["b", "d", "a", "b", "d"]
    assert first.get_by_object(LARGE, {"a": a}, find) == {"a": "A"}


def test_a_token_is_the_same_while_the_objects_are() -> None:
    first, items = Derived(), {"a": object(), "b": object()}
    token = first.token(items, of="groups")
    second = Derived(first)
    assert second.token(dict(items), of="groups") is token
    assert Derived(second).token({"a": items["a"]}, of="groups") is not token
    assert Derived(second).token({**items, "b": object()}, of="groups") is not token
