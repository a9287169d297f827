"""Whom a row of the access log points at."""

from __future__ import annotations

import pytest

from node.governance.looks.rules_looks import Pointed, find_pointed


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/customers/12/assessment", ("customer_id", 12)),
        ("/console/customers/12", ("customer_id", 12)),
        ("customer 12 statements", ("customer_id", 12)),
        ("decision 3", ("decision_id", 3)),
        ("/decisions/3/approvals", ("decision_id", 3)),
        ("/console/items/7/enter/dispute", ("item_id", 7)),
        ("/adverse-facts/event-5/letter", ("event_id", 5)),
        ("/adverse-facts/default-5/objections", ("default_id", 5)),
        ("/cases/4", ("case_id", 4)),
        ("/customers/12/decisions/3", ("customer_id", 12)),
        ("/customers", None),
        ("/customers?after=12", None),
        ("/console/ageing", None),
        ("/customers/12345678901234567890", None),
        ("policy 3 preview", None),
        ("", None),
    ],
)
def test_a_target_points_at_what_it_names_by_number(
    target: str, expected: tuple[str, int] | None
) -> None:
    pointed = None if expected is None else Pointed(name=expected[0], number=expected[1])

    assert find_pointed(target) == pointed
