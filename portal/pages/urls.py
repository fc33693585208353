"""Addresses of the pages. Names are plain words: {% url "topology" slug %}."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from portal.pages import (
    accounts, audit, draft_bar, connectors, design, documents, home, invoices, members, plans, rebasing, revisions, runs, tokens, topology, tracing, usage, wizard)
from portal.pages.objects import pages as objects

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("t/<slug:slug>/topology/", topology.topology, name="topology"),
    path("t/<slug:slug>/topology/side/", topology.side, name="topology-side"),
    path("t/<slug:slug>/draft-bar/", draft_bar.bar, name="draft-bar"),
    path("t/<slug:slug>/design/", design.design, name="design"),
    path("t/<slug:slug>/design/<uuid:uid>/", design.canvas, name="draft"),
    path("t/<slug:slug>/design/<uuid:uid>/rules/", design.rules, name="draft-rules"),
    path("t/<slug:slug>/design/<uuid:uid>/yaml/", documents.text, name="draft-yaml"),
    path("t/<slug:slug>/design/<uuid:uid>/reach/", design.reach, name="draft-reach"),
    path("t/<slug:slug>/design/<uuid:uid>/restore/", design.restore, name="draft-restore"),
    path("t/<slug:slug>/design/<uuid:uid>/objects/", objects.in_draft, name="draft-objects"),
    path("t/<slug:slug>/design/<uuid:uid>/objects/<slug:kind>/", objects.in_draft, name="draft-object"),
    path("t/<slug:slug>/design/<uuid:uid>/rebase/", rebasing.rebasing, name="draft-rebase"),
    path("t/<slug:slug>/design/<uuid:uid>/import/<slug:kind>/", documents.importing, name="draft-import"),
    path("t/<slug:slug>/design/<uuid:uid>/download/", documents.of_draft, name="draft-download"),
    path("t/<slug:slug>/design/<uuid:uid>/names/", documents.names, name="draft-names"),
    path("t/<slug:slug>/network/download/", documents.of_live, name="network-download"),
    path("t/<slug:slug>/revisions/<int:number>/download/", documents.of_revision, name="revision-download"),
    path("t/<slug:slug>/network/", objects.in_live, name="network"),
    path("t/<slug:slug>/network/<slug:kind>/", objects.in_live, name="network-object"),
    path("t/<slug:slug>/revisions/<int:number>/objects/", objects.in_revision, name="revision-objects"),
    path("t/<slug:slug>/revisions/<int:number>/objects/<slug:kind>/", objects.in_revision, name="revision-object"),
    path("t/<slug:slug>/connectors/", connectors.connectors, name="connectors"),
    path("t/<slug:slug>/connectors/new/", wizard.wizard, name="connector-new"),
    path("t/<slug:slug>/plans/", plans.plans, name="plans"),
    path("t/<slug:slug>/plans/<uuid:uid>/", plans.plan, name="plan"),
    path("t/<slug:slug>/runs/", runs.runs, name="runs"),
    path("t/<slug:slug>/runs/<uuid:uid>/", runs.run, name="run"),
    path("t/<slug:slug>/trace/", tracing.trace, name="trace"),
    path("t/<slug:slug>/reach/", tracing.reach, name="reach"),
    path("t/<slug:slug>/revisions/", revisions.revisions, name="revisions"),
    path("t/<slug:slug>/revisions/compare/", revisions.compare, name="revisions-compare"),
    path("t/<slug:slug>/revisions/<int:number>/", revisions.revision, name="revision"),
    path("t/<slug:slug>/revisions/<int:number>/restore/", revisions.restore, name="revision-restore"),
    path("t/<slug:slug>/usage/", usage.usage, name="usage"),
    path("t/<slug:slug>/invoices/", invoices.invoices, name="invoices"),
    path("t/<slug:slug>/invoices/<str:number>/", invoices.invoice, name="invoice"),
    path("t/<slug:slug>/invoices/<str:number>/csv/", invoices.table, name="invoice-csv"),
    path("t/<slug:slug>/invoices/<str:number>/lines/<int:position>/", invoices.group, name="invoice-group"),
    path("t/<slug:slug>/invoices/<str:number>/samples/<str:line>/", invoices.samples, name="invoice-samples"),
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
