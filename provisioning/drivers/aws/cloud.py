"""What AWS declares about itself: words, fields, limits, warnings and remedies. Loads no SDK."""

from __future__ import annotations

from provisioning.drivers.aws.compile import compile_aws
from provisioning.drivers.aws.conflicts import find_conflicts
from provisioning.drivers.aws.quotas import QUOTAS, quota_uses
from provisioning.drivers.cloud import Cloud, CloudField

AWS = Cloud(
    name="aws",
    label="AWS",
    account_id=CloudField(
        name="account_id",
        label="Account id",
        max_length=64,
        required=True,
        pattern="[0-9]{12}",
        rule="12 digits",
        example="123456789012",
    ),
    credentials=(
        CloudField(name="access_key_id", label="Access key id", max_length=128, required=True),
        CloudField(name="secret_access_key", label="Secret access key", max_length=256, required=True, secret=True),
        CloudField(
            name="role_arn",
            label="Role to assume, if any",
            max_length=512,
            pattern="arn:aws[a-z-]*:iam::[0-9]{12}:role/.+",
            rule="the ARN of an IAM role, like arn:aws:iam::123456789012:role/causeway",
            example="arn:aws:iam::…",
        ),
        CloudField(name="external_id", label="External id of the role, if any", max_length=1224),
    ),
    regions={
        "eu-central-1": (50.11, 8.68),
        "us-east-1": (38.95, -77.45),
        "ap-northeast-1": (35.68, 139.69),
        "ap-south-1": (19.08, 72.88),
        "ap-southeast-1": (1.35, 103.82),
        "ap-southeast-2": (-33.87, 151.21),
        "ca-central-1": (45.5, -73.57),
        "eu-north-1": (59.33, 18.06),
        "eu-west-1": (53.35, -6.26),
        "eu-west-2": (51.51, -0.13),
        "eu-west-3": (48.86, 2.35),
        "sa-east-1": (-23.55, -46.63),
        "us-east-2": (39.96, -83.0),
        "us-west-1": (37.35, -121.96),
        "us-west-2": (45.84, -119.7),
    },
    network_word="VPC",
    networks_word="VPCs",
    inventory_key="vpcs",
    connector_settings={"aws-vpc": {"account": "account", "region": "region", "vpc_id": "id"}},
    quotas=QUOTAS,
    quota_uses=quota_uses,
    conflicts=find_conflicts,
    gateway_warnings={
        "aws.transit-gateway": frozenset({"replace", "remove"}),
        "aws.customer-gateway": frozenset({"replace"}),
        "aws.vpn-connection": frozenset({"replace"}),
    },
    # Codes: "Error codes for the Amazon EC2 API", https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-errors.html
    remedies={
        "InvalidClientTokenId": "The access key is unknown to AWS. Enter a new one under Cloud accounts, then retry.",
        "SignatureDoesNotMatch": "The secret key is wrong. Enter the right one under Cloud accounts, then retry.",
        "ExpiredToken": "The credentials have expired. Renew them under Cloud accounts, then retry.",
        "InvalidVpcID.NotFound": "The VPC is gone. Discover the account again, then remove or change its connector.",
    },
    denied_codes=(
        "AccessDenied",
        "UnauthorizedOperation",
        "AuthFailure",
        "AccessDeniedException",
        "AuthorizationFailed",
    ),
    busy_codes=("LimitExceeded", "Throttling", "RequestLimitExceeded", "ServiceUnavailable", "InternalError"),
    compile=compile_aws,
    discover="provisioning.drivers.aws.discovery:discover",
    driver="provisioning.drivers.aws.driver:AwsDriver",
)
