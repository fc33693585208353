"""Networks that people published, as a customer brings them: PUT as a document, planned, asked by a list of flows."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.api.sample_network import create_draft
from tests.core.networks.real_networks import FOLDER, NETWORKS, network_document
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", NETWORKS)
def test_a_real_network_is_put_planned_and_asked(netadmin: ApiClient, name: str) -> None:
    where = create_draft(netadmin)
    # The core's sample catalogue has a location that ours has not.
    document = json.loads(json.dumps(network_document(name)).replace("aws-eu-west-1", "aws-sa-east-1"))
    put = netadmin.put(f"{where}intent/", document)
    assert put.status_code == 200, put.content
    plan = netadmin.post(f"{where}plan/")
    assert plan.status_code == 201, plan.content
    table = (FOLDER / f"{name}.csv").read_bytes()
    answer = netadmin.send("POST", f"{where}traces/?format=csv", table, content_type="text/csv")
    asked, answered = (list(csv.DictReader(io.StringIO(text.decode()))) for text in (table, answer.content))
    wrong = [row for row, flow in zip(answered, asked, strict=True) if row["disposition"] != flow["disposition"]]
    assert wrong == []
