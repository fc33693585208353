"""The three requests of exchange nodes: enrolling, the signed document, reports."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import connection
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from provisioning import node_enrollment
from provisioning.catalog import catalog
from provisioning.core.node_document import VERSION, DocumentJson, SectionJson
from provisioning.core.values.counter_key import split_tenant
from provisioning.core.values.resource import canonical_json
from provisioning.errors import Forbidden, ValidationFailed
from provisioning.models import NODE_TIMEOUT, Node, NodeSection
from provisioning.redis import redis_client
from provisioning.services import steps, telemetry
from provisioning.services.node_sections import node_channel
from tenants.jobs import in_scope
from tenants.models import Tenant


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
    return text, hashlib.sha256(text.encode()).hexdigest(), signature


def wait_for_change(node: Node, seconds: float) -> None:
    """Return when the node's document may have changed, or after so many seconds."""
    deadline = time.monotonic() + min(seconds, 30)
    with redis_client().pubsub() as subscription:
        subscription.subscribe(node_channel(node.pk))
        known = node.serial
        # Subscribed first, then looked: a change in between is seen by one or the other.
        node.refresh_from_db(fields=["serial"])
        if not connection.in_atomic_block:
            # Nodes wait most of the time; the pool's connections are for those who ask.
            connection.close()
        while node.serial == known and (left := deadline - time.monotonic()) > 0:
            message = subscription.get_message(ignore_subscribe_messages=True, timeout=left)
            if message:
                return


def record_report(node: Node, report: Mapping[str, Any]) -> None:
    """Keep what the node applied, what it could not, and what it counted; repeats change nothing.

    ``sequence`` grows within an epoch. A report that was overtaken is not read: its lower counters would look as if
    they had started again from nought, and all that was ever counted would be charged again.
    """
    now, epoch, sequence = timezone.now(), str(report.get("epoch", ""))[:64], int(report.get("sequence", 0))
    uninterrupted = When(seen_at__gt=now - NODE_TIMEOUT, then=Coalesce(F("reporting_since"), now))
    overtaken = Q(epoch=epoch, sequence__gte=sequence, sequence__gt=0)
    newest = (
        Node.objects.filter(pk=node.pk)
        .exclude(overtaken)
        .update(
            seen_at=now,
            reporting_since=Case(uninterrupted, default=now),
            epoch=epoch,
            sequence=sequence,
            health=report.get("health") or {},
            applied_serial=int(report.get("serial", 0)),
        )
    )
    if not newest:
        return
    node.refresh_from_db()
    applied, failed = report.get("applied") or {}, report.get("failed") or {}
    counters: dict[str, dict[str, int]] = {}
    for key, value in (report.get("counters") or {}).items():
        slug, name = split_tenant(key)
        counters.setdefault(slug, {})[name] = int(value)
    tenants = {pointer.tenant.slug: pointer.tenant for pointer in node.tenants.select_related("tenant")}
    for slug, tenant in tenants.items():
        in_scope(tenant, _record_for_tenant, node, tenant, applied, failed, counters.get(slug, {}))


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


def _record_for_tenant(
    node: Node, tenant: Tenant, applied: Mapping[str, str], failed: Mapping[str, str], counters: Mapping[str, int]
) -> None:
    _record_applied(node, tenant, applied, failed)
    telemetry.store_counters(node, counters, timezone.now())


def _record_applied(node: Node, tenant: Tenant, applied: Mapping[str, str], failed: Mapping[str, str]) -> None:
    # In one order: two nodes' reports wake the same steps at once.
    for section in NodeSection.objects.filter(node=node).order_by("address"):
        key = f"{tenant.slug}/{section.address}"
        digest, failure = applied.get(key, ""), str(failed.get(key, ""))[:500]
        has_seen_section = node.applied_serial >= section.serial
        changed = section.applied != digest or section.failure != failure
        if changed:
            section.applied, section.failure = digest, failure
            section.save(update_fields=["applied", "failure"])
        if has_seen_section and (changed or section.body is None):
            steps.wake_waiting_steps(section.address)


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    # Derived, so that every web process signs alike and nothing has to be kept.
    seed = hmac.new(settings.SECRET_KEY.encode(), b"causeway node documents", hashlib.sha256).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def _verification_key() -> bytes:
    return _signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
