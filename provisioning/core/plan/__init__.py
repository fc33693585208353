"""Plan: what has to happen so that what is there becomes what is wanted, and how a person reads it."""

from provisioning.core.plan.blast_radius import compute_blast_radius
from provisioning.core.plan.describe import describe_change
from provisioning.core.plan.diff import diff_resources
from provisioning.core.plan.digest import plan_digest
from provisioning.core.plan.field_changes import KNOWN_AFTER_APPLY, changed_fields
from provisioning.core.plan.membership_changes import MembershipChange, compare_memberships
from provisioning.core.plan.render import MAX_MEMBERSHIPS, render_plan
from provisioning.core.plan.risks import plan_risks
from provisioning.core.plan.warnings import plan_warnings

__all__ = [
    "KNOWN_AFTER_APPLY",
    "MAX_MEMBERSHIPS",
    "MembershipChange",
    "changed_fields",
    "compare_memberships",
    "compute_blast_radius",
    "describe_change",
    "diff_resources",
    "plan_digest",
    "plan_risks",
    "plan_warnings",
    "render_plan",
]
