"""Topology: the live map and its twin, a table."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.pages.door import page


@page("view")
def topology(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/topology.html")
