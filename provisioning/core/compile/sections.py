"""The two bodies of a segment: what all its nodes share, and what one node alone needs. The agent has no choices."""

from __future__ import annotations

from provisioning.core.compile import shares
from provisioning.core.compile.rules import address_sets, range_texts, rule_entries
from provisioning.core.intent import Exchange
from provisioning.core.node_document import VERSION, AppEntry, MemberEntry, SegmentBody, ServiceEntry, VrfBody
from provisioning.core.resolve.fabric import ExchangeNode, serving_exchange
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import address_text


def segment_body(network: Network, resolved: ResolvedSegment) -> SegmentBody:
    """Return what is the same on every node of a segment: one resource, published to all of them."""
    segment, exchanges = resolved.segment, resolved.exchanges
    body: SegmentBody = {
        "version": VERSION,
        "nodes": {node.id: node.exchange.location for node in network.nodes},
        "segment": segment.key,
        "number": segment.number,
        "default_action": segment.default_action,
        "vni": segment.number,
        "mesh": [{"node": node.id, "index": node.mesh_index, "underlay": node.underlay} for node in network.nodes],
        "members": [_member_entry(network, resolved, member) for member in resolved.members],
        "imported_members": shares.imported_member_entries(resolved),
        "deciding_peers": shares.deciding_peer_entries(resolved),
        "shares": shares.share_entries(network, resolved),
        "peer_rules": shares.peer_rules(network, resolved),
        "anchors": {f"{low}.{high}": node for (low, high), node in resolved.anchors.items()},
        "exits": {
            exchanges[uid].key: {"member": member.id, "home": member.home} for uid, member in resolved.exits.items()
        },
        "bogons": range_texts(resolved.off_internet) if resolved.exits else [],
        "apps": [_app_entry(app) for app in resolved.apps],
        "address_sets": address_sets(
            network, resolved.policies, (*resolved.members, *resolved.imported_members), resolved.apps
        ),
        "rules": rule_entries(network, resolved.policies),
    }
    unanswered = [tuple(map(range_texts, pair)) for pair in resolved.routes.unanswered_flows()]
    if unanswered:
        body["unanswered"] = [{"sources": sources, "destinations": others} for sources, others in unanswered]
    return body


def _member_entry(network: Network, resolved: ResolvedSegment, member: Member) -> MemberEntry:
    ranges = range_texts(member.ranges)
    entry: MemberEntry = {
        "id": member.id,
        "connector": member.connector.key,
        "number": member.connector.number,
        "exchange": member.exchange.key,
        "home": member.home,
        "kind": member.connector.kind,
        "groups": sorted(network.intent.groups[uid].key for uid in member.attachment.member_of),
        "prefixes": list(member.attachment.prefixes),
        "ranges": ranges,
        "sources": ranges if member.sources == member.ranges else range_texts(member.sources),
        "anchor_class": resolved.class_of(member).id,
    }
    if (chosen := None if member.is_exit else shares.chosen_exit(resolved, member)) is not None:
        entry["exit"] = chosen
    return entry


def _app_entry(app: PublishedApp) -> AppEntry:
    return {
        "id": f"app:{app.app.key}",
        "exit": app.exit.id,
        "home": app.exit.home,
        "public": address_text(app.public),
        "protocol": app.app.protocol,
        "port": app.app.port,
        "targets": [address_text(address) for address in app.addresses],
        "target_port": app.port,
        "source_nat": None if app.source_nat is None else address_text(app.source_nat),
        "hairpin_source": address_text(app.hairpin_source),
    }


def vrf_body(resolved: ResolvedSegment, node: ExchangeNode, services: dict[str, ServiceEntry]) -> VrfBody:
    """Return what one node alone needs to know to carry a segment out."""
    return {
        "version": VERSION,
        "nodes": {node.id: node.exchange.location},
        "segment": resolved.segment.key,
        "node": node.id,
        "index": node.mesh_index,
        "services": services,
    }


def services_for_exchange(network: Network, resolved: ResolvedSegment, exchange: Exchange) -> dict[str, ServiceEntry]:
    """Return key → service for the services that flows decided in this segment may be sent through, each with the
    instances that serve the exchange's nodes."""
    services: dict[str, ServiceEntry] = {}
    for uid in shares.services_in_use(resolved):
        service = resolved.services[uid]
        # A segment taken over from an earlier network keeps that network's objects: equal ones, not the same.
        serving = serving_exchange(resolved.catalog, resolved.exchanges, service, exchange)
        serving_uid = serving.uid if serving else ""
        services[service.key] = {
            "number": service.number,
            "on_failure": service.on_failure,
            "instances": [
                {"id": instance.id, "index": instance.mesh_index, "host": instance.host, "underlay": instance.underlay}
                for instance in network.instances
                if (instance.service.uid, instance.exchange.uid) == (uid, serving_uid)
            ],
        }
    return services
