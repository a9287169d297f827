"""Orders, limits and provisions against whoever tries for more, or for whom he may not see."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from tests.integration.test_order_faces import Office, office
from tests.support.console_node import BUSINESS_DATE

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
