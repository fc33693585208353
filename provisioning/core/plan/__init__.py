"""Plan: what has to happen so that what is there becomes what is wanted, and how a person reads it."""

from provisioning.core.plan.difference import diff
from provisioning.core.plan.digest import digest
from provisioning.core.plan.fields import KNOWN_LATER, fields
from provisioning.core.plan.radius import blast_radius
from provisioning.core.plan.telling import lines
from provisioning.core.plan.text import text
from provisioning.core.plan.warnings import unsafe

__all__ = ["KNOWN_LATER", "blast_radius", "diff", "digest", "fields", "lines", "text", "unsafe"]
