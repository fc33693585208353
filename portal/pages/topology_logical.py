"""The logical view of what is live: segments as lanes, groups as cards, policies as lines, as on a draft's canvas."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.pages import canvas_links
from portal.pages.canvas_view import visible_chips
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.design import load_board, read_board_view
from provisioning.snapshots import queries


@tenant_page("view")
def logical(request: PageRequest) -> HttpResponse:
    snapshot = queries.live_snapshot()
    board_view = read_board_view(request)
    board = load_board(snapshot, snapshot, board_view)
    present = board.present
    canvas_links.add_badges(board, present)
    names = {item.uid: item.name for rows in present.values() for item in rows}
    shares = canvas_links.share_chips(present.get("shares", []), board.lanes, names)
    context = {
        "tenant": request.tenant,
        "revision": snapshot.revision,
        "objects_url": reverse("network", args=[request.tenant.slug]),
        "may": {"edit": False},
        "board": board,
        "board_view": board_view,
        "present": present,
        "segments": present.get("segments", []),
        "shares": visible_chips(shares, board_view, board.lanes),
    }
    return render(request, "pages/topology_logical.html", context)
