"""The VPCs that acme-health has in the lab's AWS before it uses Causeway."""

from __future__ import annotations

import os

from provisioning.lab import moto

ACCOUNT, ACCOUNT_ID = "acme-aws", "123456789012"
REGIONS = ["eu-central-1", "us-east-1"]
CREDENTIALS = {"access_key_id": "lab", "secret_access_key": "lab"}

HTTPS = [{"protocol": "tcp", "port": 443, "cidr": "10.0.0.0/8"}]
VPCS = [
    {
        "region": region,
        "name": name,
        "cidr": f"{net}.0.0/16",
        "subnets": [f"{net}.0.0/20", f"{net}.16.0/20"],
        "ingress": HTTPS,
    }
    for region, name, net in (
        ("eu-central-1", "prod", "10.1"),
        ("eu-central-1", "dev", "10.2"),
        ("eu-central-1", "sandbox", "10.9"),
        ("us-east-1", "prod-us", "10.3"),
        ("us-east-1", "imaging", "10.24"),
    )
]


def seed_vpcs() -> None:
    moto.seed_vpcs(os.environ["AWS_ENDPOINT_URL"], VPCS)
