"""The exchange nodes of a tenant. ``Node`` is a platform table, so this is how a tenant's pages and jobs read it."""

from __future__ import annotations

from django.db.models import QuerySet

from provisioning.models import Node
from tenants.scope import current_tenant


def nodes_of_tenant() -> QuerySet[Node]:
    """Return the nodes on which the tenant in force has, or ever had, sections."""
    return Node.objects.filter(tenants__tenant=current_tenant())
