"""Foreign descriptions of a network as a document of ours, each format in a module of its own."""

from __future__ import annotations

from provisioning.core.translators import alkira, cloud_wan, firewall, kubernetes, netbox
from provisioning.core.translators.translation import SourceFormat

FORMATS: dict[str, SourceFormat] = {
    source_format.key: source_format
    for source_format in (alkira.FORMAT, cloud_wan.FORMAT, kubernetes.FORMAT, firewall.FORMAT, netbox.FORMAT)
}
