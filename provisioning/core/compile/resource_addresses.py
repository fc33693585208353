"""Addresses of what exchanges run, and names of their nodes; made of keys, which no rename changes."""

from __future__ import annotations

from provisioning.core.intent import Exchange


def presence_address(exchange: str) -> str:
    return f"exchange/{exchange}"


def segment_address(segment: str) -> str:
    return f"segment/{segment}"


def vrf_address(node: str, segment: str) -> str:
    return f"exchange/{node}/segment/{segment}"


def connector_address(connector: str) -> str:
    return f"connector/{connector}"


def instance_address(service: str, exchange: str, ordinal: int) -> str:
    return f"service/{service}/{exchange}/instance/{ordinal}"


def exchange_nodes(exchange: Exchange) -> dict[str, str]:
    """Return name → location of an exchange's two nodes."""
    return {f"{exchange.key}/{index}": exchange.location for index in (1, 2)}
