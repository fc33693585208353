"""``/api/v1/``: one line an endpoint."""

from __future__ import annotations

from django.urls import include, path

from portal.api import catalog, tenancy
from portal.api.docs import DocsView, SchemaView

tenant = [
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
