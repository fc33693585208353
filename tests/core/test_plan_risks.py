"""What a person confirms before a plan is provisioned."""

from __future__ import annotations

from typing import Any

from provisioning.core.plan import plan_risks


def removal(address: str, kind: str = "exchange.connector", action: str = "remove") -> dict[str, str]:
    return {"action": action, "address": address, "kind": kind}


def codes(*steps: dict[str, str], blocked: int = 0, warnings: tuple[str, ...] = ()) -> list[str]:
    reachability: dict[str, list[Any]] = {"allowed": [{}], "blocked": [{}] * blocked}
    noted = [{"code": code, "message": code} for code in warnings]
    return [risk.code for risk in plan_risks(steps, reachability, noted)]


def test_a_plan_that_only_adds_has_no_risk() -> None:
    assert codes(removal("connector/a", action="create"), removal("connector/b", action="change")) == []


def test_from_five_removals_on_a_plan_is_risky() -> None:
    steps = [removal(f"connector/{index}") for index in range(5)]
    assert codes(*steps[:4]) == []
    assert codes(*steps) == ["large_delete"]
    [risk] = plan_risks(steps, {}, [])
    assert risk.message == "5 resources are removed: connector/0, connector/1, connector/2 and 2 more."


def test_an_exchange_that_goes_or_is_replaced_is_a_risk() -> None:
    assert codes(removal("exchange/eu", "exchange.presence")) == ["exchange_removed"]
    assert codes(removal("exchange/eu", "exchange.presence", "replace")) == ["exchange_replaced"]


def test_cut_flows_exposure_and_replaced_gateways_are_risks() -> None:
    assert codes(blocked=2, warnings=("internet_exposure", "large_delete", "gateway_replaced")) == [
        "flows_cut",
        "internet_exposure",
        "gateway_replaced",
    ]
