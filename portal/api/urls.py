"""``/api/v1/``: one line an endpoint."""

from __future__ import annotations

from django.urls import include, path

from portal.api import accounts, catalog, documents, drafts, intent, money, plans, reach, revisions, tenancy, topology
from portal.api.docs import DocsView, SchemaView

tenant = [
    path("drafts/", drafts.Drafts.as_view()),
    path("drafts/<uuid:draft>/", drafts.OneDraft.as_view()),
    path("drafts/<uuid:draft>/undo/", drafts.Undo.as_view()),
    path("drafts/<uuid:draft>/redo/", drafts.Redo.as_view()),
    path("drafts/<uuid:draft>/rebase/", drafts.Rebase.as_view()),
    path("drafts/<uuid:draft>/plan/", plans.MakePlan.as_view()),
    path("drafts/<uuid:draft>/diff/", drafts.DraftDiff.as_view()),
    *documents.paths("drafts/<uuid:draft>/", draft=True),
    *documents.paths("live/"),
    *documents.paths("revisions/<int:n>/"),
    *intent.paths("drafts/<uuid:draft>/", draft=True),
    *intent.paths("live/"),
    *intent.paths("revisions/<int:n>/"),
    *reach.paths("drafts/<uuid:draft>/"),
    *reach.paths("live/", live=True),
    *reach.paths("revisions/<int:n>/"),
    path("delta/", reach.Delta.as_view()),
    path("plans/", plans.Plans.as_view()),
    path("plans/<uuid:plan>/", plans.OnePlan.as_view()),
    path("plans/<uuid:plan>/approve/", plans.Approve.as_view()),
    path("plans/<uuid:plan>/reject/", plans.Reject.as_view()),
    path("plans/<uuid:plan>/provision/", plans.Provision.as_view()),
    path("runs/", plans.Runs.as_view()),
    path("runs/<uuid:run>/", plans.OneRun.as_view()),
    path("runs/<uuid:run>/retry/", plans.Retry.as_view()),
    path("runs/<uuid:run>/cancel/", plans.Cancel.as_view()),
    path("revisions/", revisions.Revisions.as_view()),
    path("revisions/<int:n>/", revisions.OneRevision.as_view()),
    path("revisions/<int:n>/diff/<int:m>/", revisions.Diff.as_view()),
    path("revisions/<int:n>/restore/", revisions.Restore.as_view()),
    path("cloud-accounts/", accounts.Accounts.as_view()),
    path("cloud-accounts/<uuid:uid>/", accounts.OneAccount.as_view()),
    path("cloud-accounts/<uuid:uid>/discover/", accounts.Discover.as_view()),
    path("cloud-accounts/<uuid:uid>/inventory/", accounts.Inventory.as_view()),
    path("topology/", topology.Topology.as_view()),
    path("health/", topology.Health.as_view()),
    path("usage/", money.Usage.as_view()),
    path("estimate/", money.Estimate.as_view()),
    path("invoices/", money.Invoices.as_view()),
    path("invoices/<str:number>/", money.OneInvoice.as_view()),
    path("invoices/<str:number>/lines/", money.InvoiceLines.as_view()),
    path("invoices/<str:number>/lines/<uuid:line>/samples/", money.LineSamples.as_view()),
    path("invoices/<str:number>/export/", money.Export.as_view()),
    path("members/", tenancy.Members.as_view()),
    path("members/<uuid:uid>/", tenancy.OneMember.as_view()),
    path("tokens/", tenancy.Tokens.as_view()),
    path("tokens/<uuid:uid>/", tenancy.OneToken.as_view()),
    path("audit/", tenancy.Audit.as_view()),
]

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("me/", tenancy.Me.as_view()),
    path("tenants/", tenancy.Tenants.as_view()),
    path("tenants/<slug:tenant>/", tenancy.OneTenant.as_view()),
    path("catalog/exchanges/", catalog.Locations.as_view()),
    path("catalog/products/", catalog.Products.as_view()),
    path("catalog/sizes/", catalog.Sizes.as_view()),
    path("t/<slug:slug>/", include(tenant)),
]
