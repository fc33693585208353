"""The three requests of exchange nodes: enrolling, the signed document, reports."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from provisioning import node_enrollment
from provisioning.catalog import catalog
from provisioning.core.node_document import VERSION, DocumentJson, SectionJson
from provisioning.core.values.resource import canonical_json, content_digest
from provisioning.errors import Forbidden, ValidationFailed
from provisioning.models import Node, NodeSection, NodeTenant
from provisioning.services import steps, telemetry
from tenants.jobs import in_scope
from tenants.models import Tenant

_made: dict[int, tuple[int, str]] = {}
"""The serial and digest of the document that this process made last for a node, by its primary key."""


def enrollment_key(location: str, index: int) -> str:
    """Return what a new node shows once; the operator puts it into the node's configuration."""
    return node_enrollment.derive_enrollment_key(settings.SECRET_KEY, location, index)


def enroll_node(location: str, index: int, key: str, epoch: str) -> tuple[str, str]:
    """A token for the node at this place, and the key that documents are signed with (base64, raw Ed25519)."""
    if not hmac.compare_digest(key.encode(), enrollment_key(location, index).encode()):
        raise Forbidden(f"Wrong enrollment key; `manage.py enrollment_key {location} {index}` prints it.")
    if location not in catalog().locations or index not in (1, 2):
        raise ValidationFailed(f"There is no node {index} at {location} in the catalogue.")
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    Node.objects.update_or_create(
        location=location,
        index=index,
        defaults={
            "token_digest": _token_digest(token),
            "epoch": epoch,
            "sequence": 0,
            "seen_at": now,
            "reporting_since": now,
        },
    )
    return token, base64.b64encode(_verification_key()).decode()


def authenticate_node(token: str) -> Node | None:
    return Node.objects.filter(token_digest=_token_digest(token)).first() if token else None


def signed_document(node: Node) -> tuple[str, str, str]:
    """Return everything the node should carry out, for all tenants on it: canonical JSON, its digest, its signature."""
    node.refresh_from_db()
    site = catalog().locations[node.location].node(node.index)
    sections: dict[str, SectionJson] = {}
    for pointer in node.tenants.select_related("tenant").order_by("tenant__slug"):
        sections |= in_scope(pointer.tenant, _tenant_sections, node, pointer.tenant)
    document: DocumentJson = {
        "version": VERSION,
        "serial": node.serial,
        "node": {
            "id": str(node.uid),
            "location": node.location,
            "index": node.index,
            "underlay": site.underlay,
            "public_ip": site.public_ip,
        },
        "sections": sections,
    }
    text = canonical_json(document)
    signature = base64.b64encode(_signing_key().sign(text.encode())).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()
    _made[node.pk] = node.serial, digest
    return text, digest, signature


def has_newest_document(node: Node, digest: str) -> bool:
    """Return whether it is known, without making it, that the node's document has this digest."""
    return _made.get(node.pk) == (node.serial, digest)


def record_report(token: str, report: Mapping[str, Any]) -> bool:
    """Keep what the node applied, what it could not, and what it counted; return whether the token is a node's.

    Repeats change nothing. ``sequence`` grows within an epoch. A report that was overtaken is not read: its lower
    counters would look as if they had started again from nought, and all that was ever counted would be charged again.
    """
    applied, failed = report.get("applied") or {}, report.get("failed") or {}
    applied_by_tenant, failed_by_tenant = _by_tenant(applied), _by_tenant(failed)
    digests = {
        slug: content_digest([applied_by_tenant.get(slug, {}), failed_by_tenant.get(slug, {})])
        for slug in applied_by_tenant.keys() | failed_by_tenant.keys()
    }
    now = timezone.now()
    stored = telemetry.store_report(_token_digest(token), report, digests, now)
    if stored is None:
        return authenticate_node(token) is not None
    node, changed = stored
    for tenant in Tenant.objects.filter(slug__in=changed):
        in_scope(tenant, _record_sections, node, tenant, applied, failed, digests)
    # Last, so that without Redis nothing else is missed.
    telemetry.keep_for_rates(node, report, now)
    return True


def _by_tenant(reported: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return slug → the entries of the tenant's sections."""
    entries: dict[str, dict[str, str]] = {}
    for key, value in reported.items():
        entries.setdefault(key.partition("/")[0], {})[key] = value
    return entries


def _tenant_sections(node: Node, tenant: Tenant) -> dict[str, SectionJson]:
    return {
        f"{tenant.slug}/{section.address}": {
            "tenant": tenant.slug,
            "self": f"{section.exchange}/{node.index}",
            "address": section.address,
            "kind": section.kind,
            "digest": section.digest,
            "body": section.body,
        }
        for section in NodeSection.objects.filter(node=node, body__isnull=False).order_by("address")
    }


def _record_sections(
    pk: int, tenant: Tenant, applied: Mapping[str, str], failed: Mapping[str, str], digests: Mapping[str, str]
) -> None:
    """Record what became of the tenant's sections; the same report of them is then not looked at again.

    It is as long as a section waits to be removed: the step that waits for it may begin to wait only now.
    """
    # Locked, so that a section is published before or after, and what is recorded of it is forgotten then.
    pointers = NodeTenant.objects.select_for_update(of=("self",)).select_related("node")
    pointer = pointers.get(node=pk, tenant=tenant)
    recorded = digests.get(tenant.slug, telemetry.NOTHING_REPORTED)
    # In one order: two nodes' reports wake the same steps at once.
    for section in NodeSection.objects.filter(node=pk).order_by("address"):
        key = f"{tenant.slug}/{section.address}"
        digest, failure = applied.get(key, ""), str(failed.get(key, ""))[:500]
        has_seen_section = pointer.node.applied_serial >= section.serial
        changed = section.applied != digest or section.failure != failure
        if changed:
            section.applied, section.failure = digest, failure
            section.save(update_fields=["applied", "failure"])
        if has_seen_section and (changed or section.body is None):
            steps.wake_waiting_steps(section.address)
        if section.body is None:
            recorded = ""
    pointer.recorded = recorded
    pointer.save(update_fields=["recorded"])


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    # Derived, so that every web process signs alike and nothing has to be kept.
    seed = hmac.new(settings.SECRET_KEY.encode(), b"causeway node documents", hashlib.sha256).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def _verification_key() -> bytes:
    return _signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
