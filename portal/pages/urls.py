"""Addresses of the pages. Names are plain words: {% url "topology" slug %}."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from portal.pages.home import home
from portal.pages.topology import side, topology

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("t/<slug:slug>/topology/", topology, name="topology"),
    path("t/<slug:slug>/topology/side/", side, name="topology-side"),
]
