"""Names of services with their protocols and ports, as IANA registers them ("Service Name and Transport Protocol Port
Number Registry") or as their software uses them."""

from __future__ import annotations

from collections.abc import Mapping

_PORTS = """
    ftp tcp 21 | ssh tcp 22 | telnet tcp 23 | smtp tcp 25 | dns tcp 53 udp 53 | dhcp udp 67-68 | tftp udp 69
    http tcp 80 | kerberos tcp 88 udp 88 | pop3 tcp 110 | ntp udp 123 | msrpc tcp 135 | netbios udp 137-138 tcp 139
    imap tcp 143 | snmp udp 161 | snmp-trap udp 162 | bgp tcp 179 | ldap tcp 389 udp 389 | https tcp 443
    smb tcp 445 | ike udp 500 udp 4500 | syslog udp 514 | smtps tcp 465 | submission tcp 587 | ldaps tcp 636
    imaps tcp 993 | pop3s tcp 995 | socks tcp 1080 | mssql tcp 1433 udp 1434 | oracle tcp 1521
    radius udp 1812-1813 | nfs tcp 2049 udp 2049 | mysql tcp 3306 | rdp tcp 3389 udp 3389
    sip tcp 5060-5061 udp 5060 | postgresql tcp 5432 | vnc tcp 5900 | winrm tcp 5985-5986 | redis tcp 6379
    kubernetes-api tcp 6443 | http-alt tcp 8080 | https-alt tcp 8443 | kafka tcp 9092 | elasticsearch tcp 9200
    mongodb tcp 27017 | etcd tcp 2379-2380 | zookeeper tcp 2181 | cassandra tcp 9042 | amqp tcp 5672 | mqtt tcp 1883
    quic udp 443 | wireguard udp 51820 | openvpn udp 1194 tcp 1194 | iscsi tcp 3260 | git tcp 9418
    ldap-gc tcp 3268-3269
"""


def _parse(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    services = {}
    for line in text.strip().splitlines():
        for entry in line.split("|"):
            name, *pairs = entry.split()
            services[name] = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    return dict(sorted(services.items()))


WELL_KNOWN_PORTS: Mapping[str, tuple[tuple[str, str], ...]] = _parse(_PORTS)
"""Name → protocol and ports (``443`` or ``67-68``), pair by pair."""
