"""Terraform's language (HCL, https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md) as blocks with values.

python-hcl2 parses; its tree is read directly, since its own dictionaries take three times as long and lose the lines.
Nothing is run: names of variables with a default and of locals are filled in, other expressions stay ``Unread``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from provisioning.core.translators.translation import BadSource, SourceFile, quote

MAX_DEPTH = 60
"""Of brackets inside brackets."""
MAX_FILLED = 1_000_000
"""Values, and tens of letters, that the names of all files together are filled in with."""
_OPENING, _CLOSING = "{[(", "}])"


@dataclass(frozen=True, slots=True)
class Traversal:
    """A name of something else: ``alkira_segment.corp.id`` is ("alkira_segment", "corp", "id")."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Unread:
    """An expression that only Terraform works out."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Block:
    """``place``: file and line."""

    type: str
    labels: tuple[str, ...]
    place: str
    attributes: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def nested(self, type_: str) -> list[Block]:
        return [block for block in self.blocks if block.type == type_]


def parse_hcl(file: SourceFile) -> list[Block]:
    """Return the blocks of a file. Raise BadSource where it is not HCL, or nested too deeply."""
    text = file.text()
    _check_depth(file.name, text)
    try:
        # Terraform takes a last line without its end; the grammar does not.
        tree = hcl2.parses_to_tree(f"{text}\n")
        return list(_Reader(file.name, text).blocks(tree.children[0]))
    except UnexpectedInput as error:
        place = f"{file.name}:{max(error.line, 1)}"
        raise BadSource(place, "This is not HCL. Run “terraform validate” on it, or leave the file out.") from error
    except (LarkError, RecursionError) as error:
        raise BadSource(
            file.name, "This is not HCL that can be read: an expression is too long or too deep."
        ) from error


class Names:
    """What ``var.…`` and ``local.…`` stand for.

    A few lines of names can stand for gigabytes, so there is an end to what is filled in; beyond it a value counts as
    one that only Terraform works out.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self.values, self._left = values, MAX_FILLED

    def fill_in(self, value: Any, depth: int = 0) -> Any:
        """Return the value with every name replaced by what it stands for."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            return Unread("a name that is made of itself" if depth > MAX_DEPTH else "names that stand for too much")
        match value:
            case Traversal(parts) if parts[0] in ("var", "local") and len(parts) >= 2:
                self._left -= len(parts)
                known = self.values.get(f"{parts[0]}.{parts[1]}", value)
                for part in parts[2:]:
                    known = known.get(part, value) if isinstance(known, Mapping) else value
                return value if known is value else self.fill_in(known, depth + 1)
            case tuple():
                return self._join([self.fill_in(part, depth + 1) for part in value])
            case list():
                return [self.fill_in(part, depth + 1) for part in value]
            case dict():
                return {key: self.fill_in(part, depth + 1) for key, part in value.items()}
            case str():
                self._left -= len(value) // 10
        return value

    def _join(self, filled: list[Any]) -> Any:
        """Return a text of parts; what names make of it is paid for by its length."""
        self._left -= sum(len(part) for part in filled if isinstance(part, str)) // 10
        if all(isinstance(part, str | int | float) for part in filled):
            return "".join(map(str, filled))
        return Unread(
            "".join(f"${{{part}}}" if isinstance(part, Traversal | Unread) else str(part) for part in filled)[:1000]
        )


def _check_depth(name: str, text: str) -> None:
    depth = 0
    for char in text:
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth > MAX_DEPTH:
            raise BadSource(name, f"It is nested deeper than {MAX_DEPTH} brackets.")


class _Reader:
    """Reads the tree of one file; a text with ``${…}`` in it becomes a tuple of its parts."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def blocks(self, body: Tree[Token]) -> Iterator[Block]:
        for node in _trees(body, "block"):
            head = [child for child in node.children if isinstance(child, Tree) and child.data != "body"]
            labels = tuple(str(self.value(child)) for child in head[1:] if child.data in ("identifier", "string"))
            block = Block(str(self.value(head[0])), labels, f"{self.name}:{node.meta.line}")
            inner = next(_trees(node, "body"), None)
            if inner is not None:
                for attribute in _trees(inner, "attribute"):
                    key, value = (
                        child for child in attribute.children if isinstance(child, Tree) and child.data != "eq"
                    )
                    block.attributes[str(self.value(key))] = self.value(value)
                block.blocks = list(self.blocks(inner))
            yield block

    def value(self, node: Tree[Token]) -> Any:
        children = [child for child in node.children if isinstance(child, Tree)]
        match node.data:
            case "expr_term" | "object_elem_key" if len(children) == 1:
                return self.value(children[0])
            case "identifier":
                return str(node.children[0])
            case "string":
                return self.string(children)
            case "int_lit" | "float_lit":
                return self.number(str(node.children[0]))
            case "literal_value" | "keyword":
                return {"true": True, "false": False, "null": None}.get(str(node.children[0]), str(node.children[0]))
            case "unary_op" if str(node.children[0]) == "-" and isinstance(
                number := self.value(children[-1]), int | float
            ):
                return -number
            case "tuple":
                return [self.value(child) for child in children if child.data != "new_line_or_comment"]
            case "object":
                return dict(self.entry(child) for child in children if child.data == "object_elem")
            case "get_attr_expr_term" | "index_expr_term":
                return Traversal(parts) if (parts := self.traversal(node)) else self.unread(node)
            case "heredoc_template" | "heredoc_template_trim":
                return "\n".join(str(node.children[0]).splitlines()[1:-1])
        return self.unread(node)

    def string(self, parts: list[Tree[Token]]) -> Any:
        values = [
            self.value(next(_trees(part.children[0], "expr_term")))
            if isinstance(part.children[0], Tree) and part.children[0].data == "interpolation"
            else self.part(part)
            for part in parts
        ]
        if all(isinstance(value, str) for value in values):
            return "".join(values)
        return values[0] if len(values) == 1 else tuple(values)

    def part(self, node: Tree[Token]) -> str:
        text = self.source(node)
        return text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\").replace("$${", "${")

    def number(self, text: str) -> int | float | Unread:
        if len(text) > 20:
            return Unread(quote(text))
        return int(text) if text.isdecimal() else float(text)

    def entry(self, node: Tree[Token]) -> tuple[str, Any]:
        key, value = (child for child in node.children if isinstance(child, Tree))
        return str(self.value(key)), self.value(value)

    def traversal(self, node: Tree[Token]) -> tuple[str, ...]:
        """Return the names of ``a.b["c"].d``; nothing where something is worked out in it."""
        parts: list[str] = []
        while node.data in ("get_attr_expr_term", "index_expr_term", "expr_term"):
            children = [child for child in node.children if isinstance(child, Tree)]
            if node.data != "expr_term":
                step = children[1]
                named = [self.value(child) for child in step.children if isinstance(child, Tree)]
                key = named[0] if named else str(step.children[-1])
                if not isinstance(key, str | int):
                    return ()
                parts.append(str(key))
            node = children[0]
        return (str(node.children[0]), *reversed(parts)) if node.data == "identifier" else ()

    def unread(self, node: Tree[Token]) -> Unread:
        return Unread(quote(self.source(node)))

    def source(self, node: Tree[Token]) -> str:
        return self.text[node.meta.start_pos : node.meta.end_pos]


def _trees(node: Any, data: str) -> Iterator[Tree[Token]]:
    return (child for child in node.children if isinstance(child, Tree) and child.data == data)
