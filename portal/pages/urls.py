"""Addresses of the pages. Names are plain words: {% url "topology" slug %}."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
