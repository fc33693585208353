"""Which credentials a driver gets for an account."""

from __future__ import annotations

from functools import partial

import pytest

from provisioning.drivers.base import DriverError
from provisioning.models import CloudAccount
from provisioning.services.cloud_accounts import credentials_lookup
from tenants import vault
from tenants.jobs import in_scope
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db


def test_accounts_of_two_clouds_with_one_id_keep_their_own_credentials(people: People) -> None:
    with scope(people.acme):
        for provider in ("paper", "aws"):
            sealed = vault.seal({"key": f"of {provider}"})
            CloudAccount(name=provider, provider=provider, account_id="042", sealed=sealed).save()
    find_credentials = credentials_lookup(partial(in_scope, people.acme))
    assert find_credentials("aws", "042").secret == {"key": "of aws"}
    assert find_credentials("paper", "042").secret == {"key": "of paper"}
    with pytest.raises(DriverError, match="no AWS account 043 any more") as refused:
        find_credentials("aws", "043")
    assert refused.value.permanent
