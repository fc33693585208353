"""Addresses of the pages. Names are plain words: {% url "topology" slug %}."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from portal.pages import accounts, audit, home, members, revisions, tokens, topology

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("t/<slug:slug>/topology/", topology.topology, name="topology"),
    path("t/<slug:slug>/topology/side/", topology.side, name="topology-side"),
    path("t/<slug:slug>/revisions/", revisions.revisions, name="revisions"),
    path("t/<slug:slug>/revisions/<int:number>/", revisions.revision, name="revision"),
    path("t/<slug:slug>/revisions/<int:number>/restore/", revisions.restore, name="revision-restore"),
    path("t/<slug:slug>/cloud-accounts/", accounts.accounts, name="cloud-accounts"),
    path("t/<slug:slug>/cloud-accounts/<uuid:uid>/discover/", accounts.discover, name="cloud-account-discover"),
    path("t/<slug:slug>/cloud-accounts/<uuid:uid>/keys/", accounts.credentials, name="cloud-account-keys"),
    path("t/<slug:slug>/members/", members.members, name="members"),
    path("t/<slug:slug>/members/<uuid:uid>/", members.change, name="member"),
    path("t/<slug:slug>/settings/tokens/", tokens.tokens, name="tokens"),
    path("t/<slug:slug>/settings/tokens/<uuid:uid>/revoke/", tokens.revoke, name="token-revoke"),
    path("t/<slug:slug>/audit/", audit.audit, name="audit"),
    path("t/<slug:slug>/audit/verify/", audit.verify, name="audit-verify"),
]
