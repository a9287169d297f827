"""Orders, limits and provisions against whoever tries for more, or for whom he may not see."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from node.decision.policy import read_preset_decision_policy
from node.decision.rules_proposal import Outcome
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from tests.integration.test_order_faces import Office, office
from tests.support.console_node import BUSINESS_DATE
from tests.support.risk import enter_limit

__all__ = ["office"]
DAY = BUSINESS_DATE.isoformat()


def test_a_release_lets_no_more_out_than_it_was_given_for(office: Office) -> None:
    order = office.check("Sun", "A1", 5_000_000).json()["order"]
    body = {"reason_code": "one-off", "reason": "x", "by": "Li"}
    released = office.send("Li", "POST", f"/orders/{order}/release", body)
    assert released.status_code == 200, released.text

    more = office.check("Sun", "A1", 10**11, point="delivery").json()
    all_of_it = office.check("Sun", "A1", 5_000_000, point="delivery").json()

    assert (more["status"], more["may_proceed"], more["release"]) == ("hold", False, None)
    assert (all_of_it["may_proceed"], all_of_it["release"]) == (
        True,
        released.json()["releases"][0]["id"],
    )


def test_limits_and_provisions_of_persons_are_for_those_who_may_see_them(office: Office) -> None:
    with office.node.local.database.write() as uow:
        uow.connection.execute(update(customer).where(customer.c.id == 2).values(kind=PERSON_KIND))
    limit = {
        "kind": "temporary", "currency": "CNY", "amount_minor": 1, "first_on": DAY,
        "last_on": DAY, "reason": "x", "by": "Li",
    }  # fmt: skip
    assert office.send("Li", "POST", "/customers/2/limits", limit).status_code == 201
    apart = {"customer": 2, "rate_ppm": 1, "reason": "x", "by": "Li"}
    made = office.send("Li", "POST", "/provisions-apart", apart)
    assert made.status_code == 201, made.text

    for path in ("/limit-requests", "/provisions-apart"):
        assert [one["customer"] for one in office.send("Li", "GET", path).json()] == [2]
        assert office.send("Zhang", "GET", path).json() == []
    path = f"/provisions-apart/{made.json()['id']}/end"
    ended = office.send("Zhang", "POST", path, {"reason": "x", "by": "Zhang"})
    assert (ended.status_code, ended.json()["code"]) == (403, "out-of-reach")


@pytest.mark.parametrize("name", ["number", "source", "copied_from"])
def test_what_no_store_keeps_is_no_number(office: Office, name: str) -> None:
    body = {
        "point": "order", "customer": 1, "number": "N1", "currency": "CNY", "amount_minor": 1,
        "by": "Sun",
    }  # fmt: skip
    refused = office.send("Sun", "POST", "/orders/check", body | {name: "a\0"}, key="n")

    assert (refused.status_code, refused.json()["code"]) == (422, "schema")


def test_over_the_api_an_end_says_for_how_many_it_waits_and_a_delivery_counts_once(
    office: Office,
) -> None:
    stop = office.send("Zhang", "POST", "/customers/8/stops", {"reason": "x", "by": "Zhang"})
    path = f"/stops/{stop.json()['id']}/end"
    first = office.send("Qian", "POST", path, {"reason": "seen", "by": "Qian"}).json()
    last = office.send("Li", "POST", path, {"reason": "seen", "by": "Li"}).json()

    assert (first["waits_for"], first["ended_on"]) == (1, None)
    assert [one["name"] for one in first["ending"]] == ["Qian"]
    assert (last["waits_for"], last["ended_by"]) == (0, "Qian; Li")

    with office.node.local.database.write() as uow:
        enter_limit(
            uow.connection, 9, policy=read_preset_decision_policy(), limit_minor=10**12,
            currency="CNY", on=BUSINESS_DATE, valid_until=None, outcome=Outcome.CREDIT, at_ms=2,
        )  # fmt: skip
    assert office.check("Sun", "D1", 100, customer=9).json()["state"] == "open"
    asked = [
        office.check("Sun", "D1", amount, point="delivery", delivery=name, customer=9).json()
        for amount, name in ((60, "L1"), (60, "L1"), (50, "L2"), (40, "L2"))
    ]
    assert [one["may_proceed"] for one in asked] == [True, True, False, True]
    beyond = [one for one in asked[2]["reasons"] if one["rule"] == "beyond-order"]
    assert [one["text"]["zh"] for one in beyond] == ["超出订单"]


def make_person(office: Office, customer_id: int) -> None:
    with office.node.local.database.write() as uow:
        uow.connection.execute(
            update(customer).where(customer.c.id == customer_id).values(kind=PERSON_KIND)
        )


def test_what_a_group_owes_tells_of_no_person_whom_one_may_not_see(
    office: Office,
) -> None:
    local = office.node.local
    local.customers.set_parent(4, parent_id=3, by="Li")
    local.customers.set_parent(5, parent_id=3, by="Li")
    debit = NewDebit(
        customer_id=5, kind=ItemKind.INVOICE, document_no="G1", happened_on=BUSINESS_DATE,
        currency="CNY", terms=(Term(due_on=BUSINESS_DATE, amount_minor=777_00),),
    )  # fmt: skip
    local.ledger.enter_debit(debit, by="erp")
    cap = NewLimit(
        kind=LimitKind.GROUP_CAP, customer_id=3, currency="CNY", amount_minor=1,
        first_on=BUSINESS_DATE, last_on=None, reason="x",
    )  # fmt: skip
    entry = local.risk.limits.request(cap, by="Wu")
    qian = local.people.get_principal(office.tokens["Qian"])
    local.risk.limits.approve(entry.entry_id, actor=qian)
    make_person(office, 5)
    make_person(office, 3)
    path = "/customers/4/exposure?group=true&currency=CNY"

    seen = office.send("Li", "GET", path).json()
    told = office.send("Zhang", "GET", path).json()
    check = office.check("Zhang", "G2", 5, customer=4).json()
    caps = office.send("Zhang", "GET", "/customers/4/limits").json()["caps"]

    assert (sorted(seen["customers"]), seen["left_out"]) == ([3, 4, 5], 0)
    assert (told["customers"], told["left_out"]) == ([4], 2)
    alone = office.send("Zhang", "GET", "/customers/4/exposure?currency=CNY").json()
    assert told["total_minor"] == alone["total_minor"] < seen["total_minor"] - 777_00 + 1
    (group,) = check["figures"]["groups"]
    assert (group["head"], group["exposure_minor"], group["cap_minor"]) == (None, None, 1)
    (over,) = [one for one in check["reasons"] if one["rule"] == "R1-group"]
    assert {name for name, value in over["values"].items() if value is None} == {
        "head", "exposure_minor", "after_minor", "over_minor", "usage_permille",
    }  # fmt: skip
    assert over["text"]["en"] == "over the cap of its group"
    whole = office.check("Li", "G3", 5, customer=4).json()["figures"]["groups"]
    assert [one["exposure_minor"] for one in whole] == [seen["total_minor"]]
    assert [one["customer"] for one in caps] == [None]
    held = office.find_held("Zhang", "G2")
    assert held is not None
    assert [one["head"] for one in held["check"]["figures"]["groups"]] == [None]


def test_versions_in_which_an_order_was_a_persons_are_for_those_who_may_see_them(
    office: Office,
) -> None:
    order = office.check("Sun", "V1", 10, customer=6).json()["order"]
    office.check("Sun", "V1", 20, customer=7)
    make_person(office, 6)

    seen = office.send("Li", "GET", f"/orders/{order}").json()
    told = office.send("Sun", "GET", f"/orders/{order}").json()

    assert [one["customer"] for one in seen["versions"]] == [6, 7]
    assert ([one["customer"] for one in told["versions"]], told["left_out"]) == ([7], 1)
    assert told["customer"] == 7
