"""Policy documents of AWS Cloud WAN as segments, groups by label, and shares.

Source: https://docs.aws.amazon.com/network-manager/latest/cloudwan/cloudwan-policies-json.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.translators.json_source import load_json, mapping, objects, texts
from provisioning.core.translators.translation import (
    BadAddress,
    BadSource,
    SourceFile,
    SourceFormat,
    TranslatedFiles,
    TranslationBuilder,
    TranslationContext,
    description,
    read_prefix,
)
from provisioning.core.values.labels import BadLabel, check_label

_SECTIONS = ("version", "core-network-configuration", "segments", "segment-actions", "attachment-policies")
MAX_SEGMENTS = 200
"""Each may be shared with each."""
_EVERYTHING = ["0.0.0.0/0", "::/0"]


def translate(files: Sequence[SourceFile], context: TranslationContext) -> TranslatedFiles:
    builder = TranslationBuilder(context)
    for file in files:
        policy = load_json(file)
        if not isinstance(policy, Mapping) or not objects(policy, "segments"):
            raise BadSource(file.name, "This is not a policy document of Cloud WAN: it has no “segments”.")
        if len(objects(policy, "segments")) > MAX_SEGMENTS:
            raise BadSource(file.name, f"It has more than {MAX_SEGMENTS} segments.")
        _PolicyTranslator(builder, file.name, policy).translate()
    return builder.finish()


class _PolicyTranslator:
    def __init__(self, builder: TranslationBuilder, file: str, policy: Mapping[str, Any]) -> None:
        self.builder, self.file, self.policy = builder, file, policy
        self.segments: dict[str, str] = {}
        self.shared: set[frozenset[str]] = set()

    def translate(self) -> None:
        for section in self.policy:
            if section not in _SECTIONS:
                why, remedy = "There is nothing like it here.", "Draw by hand what the network needs of it."
                self.builder.note("left_out", self.file, section, why, remedy)
        self.translate_edges()
        for index, segment in enumerate(objects(self.policy, "segments")):
            self.translate_segment(segment, f"{self.file} segments[{index}]")
        self.translate_attachment_policies()
        for index, action in enumerate(objects(self.policy, "segment-actions")):
            self.translate_action(action, f"{self.file} segment-actions[{index}]")

    def translate_edges(self) -> None:
        for edge in objects(self.policy, "core-network-configuration", "edge-locations"):
            region = str(edge.get("location", ""))
            if region in self.builder.context.locations or region in self.builder.context.places:
                self.builder.exchange_for(region, self.file)
                continue
            why = "There is no location in that region."
            self.builder.note("left_out", self.file, f"edge location {region}", why, "Choose an exchange near it.")
        if mapping(self.policy.get("core-network-configuration")).get("asn-ranges"):
            why = "ASNs of exchanges are not chosen."
            self.builder.note("left_out", self.file, "asn-ranges", why, "Nothing, unless far sides filter by it.")

    def translate_segment(self, segment: Mapping[str, Any], place: str) -> None:
        name = str(segment.get("name", ""))
        is_isolated = segment.get("isolate-attachments") is True
        self.segments[name] = self.builder.add(
            "segments",
            name,
            description=description(segment.get("description")),
            default_action="deny" if is_isolated else "allow",
        )
        reasons = {
            "require-attachment-acceptance": "Who attaches is approved with the plan, not for each segment.",
            "edge-locations": "A segment is at every exchange.",
            "allow-filter": "Who may share a segment is not limited.",
            "deny-filter": "Who may share a segment is not limited.",
        }
        for field, why in reasons.items():
            # Acceptance is asked for unless the document says otherwise.
            if segment.get(field, field == "require-attachment-acceptance"):
                remedy = "Nothing, where plans are approved by a second person." if "accept" in field else "Nothing."
                self.builder.note("left_out", place, f"{name}: {field}", why, remedy)

    def translate_attachment_policies(self) -> None:
        """Make a group for each segment that attachments join by their tags: those that have the labels."""
        rules = objects(self.policy, "attachment-policies")
        for rule in sorted(rules, key=lambda rule: _number(rule.get("rule-number"))):
            place = f"{self.file} attachment-policies rule {rule.get('rule-number')}"
            action = mapping(rule.get("action"))
            segment = self.segments.get(str(action.get("segment", "")))
            if segment is None:
                why = "Which segment an attachment joins is written in the connector."
                remedy = "Attach each connector to its segment."
                says = f"segment by the tag {action.get('tag-value-of-key', '')}"
                self.builder.note("left_out", place, says, why, remedy)
                continue
            selectors = list(self.selectors(rule, place))
            made = [self.builder.add("groups", f"{segment} {text}"[:90], selector=text) for text in selectors]
            self.join_group(segment, made)
            if made:
                why = f"Connectors name their segment; those with these labels are in the group “{segment}”."
                remedy = "Attach them to the segment, with the tags as labels."
                self.builder.note("assumed", place, ", or ".join(selectors), why, remedy)

    def join_group(self, segment: str, made: list[str]) -> None:
        group = self.builder.body("groups", segment)
        if group is None and made:
            self.builder.add("groups", segment, description=f"Attachments of segment {segment}", contains=made)
        elif group is not None:
            group["contains"] = [*group["contains"], *made]

    def selectors(self, rule: Mapping[str, Any], place: str) -> Iterator[str]:
        """Yield the selectors of which an attachment meets any."""
        requirements = []
        for condition in objects(rule, "conditions"):
            text = _requirement(condition)
            if text:
                requirements.append(text)
                continue
            why = "Selectors ask for labels only."
            remedy = "Give the connectors a label for it, and ask for that in the group."
            says = f"{condition.get('type')} {condition.get('operator', '')} {condition.get('value', '')}"
            self.builder.note("left_out", place, says, why, remedy)
            if rule.get("condition-logic") != "or":
                return
        if rule.get("condition-logic") == "or":
            yield from dict.fromkeys(requirements)
        elif requirements:
            yield ", ".join(dict.fromkeys(requirements))

    def translate_action(self, action: Mapping[str, Any], place: str) -> None:
        name = str(action.get("segment", ""))
        segment = self.segments.get(name)
        kind = action.get("action")
        if segment is None:
            why, remedy = "The document has no such segment.", "Correct it in the document."
            self.builder.note("left_out", place, f"{kind} {name}", why, remedy)
        elif kind == "share":
            for other in self.shared_with(action.get("share-with"), name):
                self.add_share(segment, other)
        elif kind == "create-route":
            self.add_routes(segment, action, place)
        else:
            why, remedy = "Services are not translated.", "Draw the firewall as a service, and let a policy inspect."
            self.builder.note("left_out", place, f"{kind} {name}", why, remedy)

    def shared_with(self, wanted: Any, own: str) -> list[str]:
        excepted = texts(mapping(wanted).get("except"))
        every = wanted == "*" or texts(wanted) == ["*"] or bool(excepted)
        names = [name for name in self.segments if name not in excepted] if every else texts(wanted)
        return [self.segments[name] for name in names if name != own and name in self.segments]

    def add_share(self, segment: str, other: str) -> None:
        """Share all of two segments, once however often the document says so."""
        pair = frozenset((segment, other))
        if pair not in self.shared:
            self.shared.add(pair)
            sides = {side: {"segment": of, "prefixes": _EVERYTHING} for side, of in (("a", segment), ("b", other))}
            self.builder.add("shares", f"{segment} {other}", **sides, direction="both", route_limit=10_000)

    def add_routes(self, segment: str, action: Mapping[str, Any], place: str) -> None:
        prefixes = []
        for text in texts(action.get("destination-cidr-blocks")):
            try:
                prefixes.append(read_prefix(text))
            except BadAddress as error:
                self.builder.note("left_out", place, text, str(error), "Correct it in the document.")
        targets = texts(action.get("destinations"))
        if targets == ["blackhole"] and prefixes:
            destination = self.builder.addresses(prefixes, f"{segment} blackhole")
            rule = {"name": "blackhole", "action": "deny", "reject": False, "destination": destination}
            everyone = {"segments": [segment], "from": ["any"], "to": ["any", "internet"]}
            self.builder.add_policies(f"{segment} blackhole", [rule], tier="mandatory", **everyone)
        else:
            why = "A prefix belongs to the connector that it is behind."
            remedy = "Add the prefixes to that connector's attachment; for the internet, draw an internet exit."
            says = f"route of {', '.join(prefixes)} to {', '.join(targets)}"
            self.builder.note("left_out", place, says, why, remedy)


def _requirement(condition: Mapping[str, Any]) -> str:
    """Return a condition on a tag as a requirement of a selector; nothing where it is on something else."""
    key, value = re.sub(r"\s", "_", str(condition.get("key", ""))), str(condition.get("value", ""))
    try:
        check_label(key, value)
    except BadLabel:
        return ""
    match condition.get("type"), condition.get("operator"):
        case "tag-exists", _:
            return key
        case "tag-value", "equals":
            return f"{key}={value}"
        case "tag-value", "not-equals":
            return f"{key}!={value}"
    return ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


FORMAT = SourceFormat(
    "aws-cloud-wan",
    "AWS Cloud WAN",
    "A policy document of a core network, as JSON.",
    (".json",),
    translate,
    ("exchange", "places"),
    max_bytes=2_000_000,
    quick_bytes=2_000_000,
)
