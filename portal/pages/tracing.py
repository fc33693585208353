"""Trace, and who reaches whom: questions about one flow, and about all flows of one thing, in any version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from portal.pages import kinds, review
from portal.pages.door import PageRequest, page
from portal.pages.objects.fields import PROTOCOLS, Pick
from portal.pages.objects.form import Bound, bind
from portal.pages.objects.listing import Names
from portal.pages.places import Places
from portal.pages.refusals import Outcome, told
from provisioning.core.intent.intent_object import INTERNET
from provisioning.models import Draft, Revision
from provisioning.selectors import reachability as selectors
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot

REVISIONS = 20
SHOWN = 300
ENDS = ("connectors", "groups", "internet-apps")
HOPS = {
    "nat": kinds.Look(icon="replace", word="NAT", cluster=""),
    "node": kinds.Look(icon="server-2", word="Exchange node", cluster=""),
    "service": kinds.look("service"),
    "app": kinds.Look(icon="world-www", word="Internet application", cluster=""),
    "internet": kinds.Look(icon="world", word="Internet", cluster=""),
    "connector": kinds.Look(icon="plug-connected", word="Connector", cluster=""),
}


@dataclass(frozen=True, slots=True)
class Version:
    """What is asked: live, a draft or an old revision."""

    key: str
    view: Snapshot
    root: str  # its objects' pages
    api: str


@page()
def trace(request: PageRequest) -> HttpResponse:
    """One flow, hop by hop. Everything that was asked is in the address."""
    version = _version(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("from", "to", "port", "from_segment", "to_segment")}
    protocol, assume = request.GET.get("protocol", "tcp"), request.GET.get("assume", "healthy")
    found, outcome = None, Outcome()
    if asked["from"] and asked["to"]:
        with told() as outcome:
            found = selectors.trace_flow(
                version.view,
                asked["from"],
                asked["to"],
                protocol=int(protocol) if protocol.isdecimal() else protocol,
                port=int(asked["port"]) if asked["port"].isdecimal() and len(asked["port"]) < 6 else None,
                from_segment=asked["from_segment"] or None,
                to_segment=asked["to_segment"] or None,
                observed_at=timezone.now() if assume == "observed" and version.key == "live" else None,
            )
    fields = bind(
        (
            Pick("from", "From", kinds=("connectors",), literals={INTERNET: "internet"}, free=True, example=END),
            Pick("to", "To", kinds=("connectors", "internet-apps"), literals={INTERNET: "internet"}, free=True,
                 example=END),
            Pick("from_segment", "From segment", kinds=("segments",)),
            Pick("to_segment", "To segment", kinds=("segments",)),
        ),
        asked,
        Names(version.view, [asked]).label,
        prefix="tr",
    )  # fmt: skip
    context = {
        **_shared(request, version),
        "start": fields[0],
        "end": fields[1],
        "segments": fields[2:],
        "asked": asked,
        "protocols": [name for name, _ in PROTOCOLS if name != "any"],
        "protocol": protocol,
        "assume": assume,
        "problems": outcome.problems,
        "found": _traced(version, found, fields) if found else None,
    }
    return render(request, "pages/trace.html", context)


END = "a name, or an address"


def _traced(version: Version, found: dict[str, Any], fields: list[Bound]) -> dict[str, Any]:
    rule = found.get("rule")
    names = [chosen.name for one in fields[:2] for chosen in one.chosen]
    return {
        "state": found["disposition"],
        "start": names[0] if names else "",
        "end": names[-1] if names else "",
        "passes": found["disposition"] in ("delivered", "delivered_inspected", "local"),
        "rule": review.cause(rule, found.get("segment") or "") if rule else "",
        "url": Places(version.root, [rule]).rule(rule),
        "chain": found.get("chain") or [],
        "segment": found.get("segment") or found.get("to_segment") or "",
        "to_segment": found.get("to_segment") or "",
        "hops": [_hop(hop) for hop in found["hops"]],
        "back": [_hop(hop) for hop in (found.get("return") or {}).get("hops", ())],
    }


def _hop(hop: dict[str, Any]) -> dict[str, Any]:
    look = HOPS.get(hop["kind"]) or kinds.look(hop["kind"])
    return {**hop, "icon": look.icon, "word": look.word}


@page()
def reach(request: PageRequest) -> HttpResponse:
    """What something can reach, or with ``way=to`` what can reach it; ``other`` asks about one pair."""
    version = _version(request)
    way = "to" if request.GET.get("way") == "to" else "from"
    asked = {"of": request.GET.get("of", "").strip()}
    fields = bind(
        (Pick("of", "What can", kinds=ENDS, literals={"any": "any connector", INTERNET: "internet"}, free=True),),
        asked,
        Names(version.view, [asked]).label,
        prefix="re",
    )
    found: list[dict[str, Any]] | None = None
    outcome = Outcome()
    if asked["of"]:
        with told() as outcome:
            found = selectors.list_reachable(version.view, asked["of"], towards=way == "to")
    context = {
        **_shared(request, version),
        "of": fields[0],
        "way": way,
        "asked": asked,
        "name": fields[0].chosen[0].name if fields[0].chosen else "",
        "problems": outcome.problems,
        "rows": _reached(request, version, found[:SHOWN]) if found is not None else None,
        "more": max(0, len(found or ()) - SHOWN),
    }
    return render(request, "pages/reach.html", context)


def _reached(request: PageRequest, version: Version, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = Places(version.root, [one.get("rule") for one in found])
    address = reverse("trace", args=[request.tenant.slug])
    return [
        {
            "from": review.names(one, "from"),
            "to": review.names(one, "to"),
            "segment": one["segment"],
            "to_segment": one.get("to_segment") or "",
            "flow": review.flow(one),
            "action": "inspect" if one["via"] else "allow",
            "via": ", ".join(one["via"]),
            "cause": review.cause(one.get("rule"), one["segment"]),
            "url": places.rule(one.get("rule")),
            "example": review.example(one.get("example")),
            "trace": f"{address}?{urlencode(_flow(version, one))}" if one.get("example") else "",
        }
        for one in found
    ]


def _flow(version: Version, one: dict[str, Any]) -> dict[str, Any]:
    """The example packet as the trace page asks it."""
    packet = one["example"]
    asked = {"from": packet["source"], "to": packet["destination"], "protocol": packet["protocol"]}
    if one["to"] == [INTERNET]:
        asked["to"] = INTERNET
    segments = {"from_segment": one["segment"], "to_segment": one.get("to_segment") or one["segment"]}
    port = {"port": packet["port"]} if packet.get("port") is not None else {}
    return {"version": version.key, **asked, **port, **segments}


def _shared(request: PageRequest, version: Version) -> dict[str, Any]:
    live = queries.live_snapshot().revision
    return {
        "tenant": request.tenant,
        "version": version.key,
        "api": version.api,
        "versions": [
            ("live", f"Live, revision {live}"),
            *((f"drafts/{one.uid}", f"Draft {one.name}") for one in Draft.objects.filter(state=Draft.State.OPEN)),
            *(
                (f"revisions/{one.number}", f"Revision {one.number}")
                for one in Revision.objects.exclude(number=live)[:REVISIONS]
            ),
        ],
    }


def _version(request: PageRequest) -> Version:
    slug, key = request.tenant.slug, request.GET.get("version", "") or "live"
    api = f"/api/v1/t/{slug}/"
    if key == "live":
        return Version(key, queries.live_snapshot(), reverse("network", args=[slug]), f"{api}live/")
    kind, _, which = key.partition("/")
    if kind == "revisions" and which.isdecimal() and len(which) < 10:
        root = reverse("revision-objects", args=[slug, int(which)])
        return Version(key, queries.revision_snapshot(int(which)), root, f"{api}{key}/")
    if kind != "drafts":
        raise Http404
    view = queries.draft_snapshot(which)
    if view.draft is None or view.draft.state == Draft.State.DISCARDED:
        raise Http404
    request.draft_uid = view.draft.uid
    return Version(key, view, reverse("draft-objects", args=[slug, view.draft.uid]), f"{api}{key}/")
