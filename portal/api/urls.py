"""``/api/v1/``: one line an endpoint."""

from __future__ import annotations

from django.urls import include, path

from portal.api import accounts, catalog, documents, drafts, intent_objects, billing, plans, reachability, revisions, tenancy, topology
from portal.api.docs import ApiDocsView, OpenApiSchemaView

tenant = [
    path("drafts/", drafts.DraftListView.as_view()),
    path("drafts/<uuid:draft>/", drafts.DraftDetailView.as_view()),
    path("drafts/<uuid:draft>/undo/", drafts.DraftUndoView.as_view()),
    path("drafts/<uuid:draft>/redo/", drafts.DraftRedoView.as_view()),
    path("drafts/<uuid:draft>/rebase/", drafts.DraftRebaseView.as_view()),
    path("drafts/<uuid:draft>/plan/", plans.PlanCreateView.as_view()),
    path("drafts/<uuid:draft>/diff/", drafts.DraftDiffView.as_view()),
    *documents.document_urls("drafts/<uuid:draft>/", draft=True),
    *documents.document_urls("live/"),
    *documents.document_urls("revisions/<int:n>/"),
    *intent_objects.object_urls("drafts/<uuid:draft>/", draft=True),
    *intent_objects.object_urls("live/"),
    *intent_objects.object_urls("revisions/<int:n>/"),
    *reachability.reachability_urls("drafts/<uuid:draft>/"),
    *reachability.reachability_urls("live/", live=True),
    *reachability.reachability_urls("revisions/<int:n>/"),
    path("delta/", reachability.ReachabilityDeltaView.as_view()),
    path("plans/", plans.PlanListView.as_view()),
    path("plans/<uuid:plan>/", plans.PlanDetailView.as_view()),
    path("plans/<uuid:plan>/approve/", plans.PlanApproveView.as_view()),
    path("plans/<uuid:plan>/reject/", plans.PlanRejectView.as_view()),
    path("plans/<uuid:plan>/provision/", plans.PlanProvisionView.as_view()),
    path("runs/", plans.RunListView.as_view()),
    path("runs/<uuid:run>/", plans.RunDetailView.as_view()),
    path("runs/<uuid:run>/retry/", plans.RunRetryView.as_view()),
    path("runs/<uuid:run>/cancel/", plans.RunCancelView.as_view()),
    path("revisions/", revisions.RevisionListView.as_view()),
    path("revisions/<int:n>/", revisions.RevisionDetailView.as_view()),
    path("revisions/<int:n>/diff/<int:m>/", revisions.RevisionDiffView.as_view()),
    path("revisions/<int:n>/restore/", revisions.RevisionRestoreView.as_view()),
    path("cloud-accounts/", accounts.CloudAccountListView.as_view()),
    path("cloud-accounts/<uuid:uid>/", accounts.CloudAccountDetailView.as_view()),
    path("cloud-accounts/<uuid:uid>/discover/", accounts.CloudAccountDiscoverView.as_view()),
    path("cloud-accounts/<uuid:uid>/inventory/", accounts.CloudAccountInventoryView.as_view()),
    path("topology/", topology.TopologyView.as_view()),
    path("health/", topology.HealthView.as_view()),
    path("usage/", billing.UsageView.as_view()),
    path("estimate/", billing.EstimateView.as_view()),
    path("invoices/", billing.InvoiceListView.as_view()),
    path("invoices/<str:number>/", billing.InvoiceDetailView.as_view()),
    path("invoices/<str:number>/lines/", billing.InvoiceLineListView.as_view()),
    path("invoices/<str:number>/lines/<uuid:line>/samples/", billing.LineSampleListView.as_view()),
    path("invoices/<str:number>/export/", billing.InvoiceExportView.as_view()),
    path("members/", tenancy.MemberListView.as_view()),
    path("members/<uuid:uid>/", tenancy.MemberDetailView.as_view()),
    path("tokens/", tenancy.TokenListView.as_view()),
    path("tokens/<uuid:uid>/", tenancy.TokenDetailView.as_view()),
    path("audit/", tenancy.AuditEntryListView.as_view()),
]

urlpatterns = [
    path("schema/", OpenApiSchemaView.as_view(), name="schema"),
    path("docs/", ApiDocsView.as_view(), name="api-docs"),
    path("me/", tenancy.MeView.as_view()),
    path("tenants/", tenancy.TenantListView.as_view()),
    path("tenants/<slug:tenant>/", tenancy.TenantDetailView.as_view()),
    path("catalog/exchanges/", catalog.LocationListView.as_view()),
    path("catalog/products/", catalog.ProductListView.as_view()),
    path("catalog/sizes/", catalog.SizeListView.as_view()),
    path("t/<slug:slug>/", include(tenant)),
]
