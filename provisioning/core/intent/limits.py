"""How long the lists of a body may be. Beyond it they would keep the check of a network, its plan and the people who
wait for it busy; the API's description tells the same numbers.

Measured (2 cores, Python 3.11): the worst single policy that is accepted is checked in 1.7 s and read in 0.6 s.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """noun: what there may be ``most`` of, in the plural; remedy: what to do with more, a sentence."""

    most: int
    noun: str
    remedy: str

    @property
    def code(self) -> str:
        return f"too_many_{self.noun.partition(' ')[0]}"

    def message(self, count: int) -> str:
        return f"There are {count:,} {self.noun} here; {self.most:,} is the most. {self.remedy}"


RULES = Limit(1_000, "rules", "Split them in two.")
"""Of a policy, a route policy or a firewall."""
PORTS = Limit(256, "ports", "Write neighbours as one range, or split the rule in two.")
ICMP_TYPES = Limit(64, "types", "Split the rule in two.")
PREFIXES = Limit(256, "prefixes", "Put them into a prefix list and name that.")
"""Written where a prefix list can stand instead."""
MATCH_VALUES = Limit(
    10_000, "prefixes and ports", "Put those that belong together into prefix lists, or split it in two."
)
"""Prefixes, names of prefix lists and ports of all rules of a policy or a firewall together."""
ENTRIES = Limit(10_000, "entries", "Split the list in two and name both.")
"""Of a prefix list."""
SOURCES = Limit(100, "lists with a source", "Fetch those that belong together as one file.")
"""Of a network: somebody's server is asked for each of them."""
LITERAL_PREFIXES = Limit(1_000, "prefixes", "Write neighbours as one shorter prefix.")
"""Of an attachment, a segment, a side of a share or a translation, which cannot name prefix lists."""
ATTACHMENTS = Limit(256, "attachments", "Make a second connector for the others.")
REFERENCES = Limit(1_000, "names", "Put what belongs together into a group and name that.")
"""Of references in one field."""
PROTOCOLS = Limit(64, "protocols", "Split the rule in two.")
LABELS = Limit(64, "labels", "Leave out those that no selector asks for.")
"""Of a connector or an attachment."""
OBJECTS = Limit(150_000, "objects", "Send them in parts, as tables or lists of edits.")
"""Of a document, all kinds together; a network may have more than 100,000 connectors."""
LIST_ITEMS = Limit(256, "parts", "Split the object in two.")
"""Of any other list of objects or texts."""
GROUPS_OF_ATTACHMENT = REFERENCES.most
"""That an attachment is in by name, by its labels or through groups in groups."""
MAX_LEVELS = 16
"""Of groups in groups, prefix lists in prefix lists and port lists in port lists."""
