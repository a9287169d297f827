"""Many customers are read and scored as each one alone, however their records lie."""

from __future__ import annotations

import random  # noqa: TID251  a ledger from a seed, no secret
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.assessment.evidence import HISTORY_MONTHS, build_own_evidence, build_peer_evidence
from node.assessment.rules_scorecard import assess
from node.assessment.scoring import read_own_evidence_of
from node.records.customers import CustomerService
from node.records.service import find_behaviour_window
from node.records.store import CustomerRecord, RecordsStore
from node.records.windows import last_released_month, trailing_window
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import HEADER, Room, build_room

CUSTOMERS = 24
DAYS = st.integers(min_value=-40, max_value=400)


def write_ledger(seed: int) -> bytes:
    """Invoices over three years, some paid, in part or not at all, disputed, in two currencies."""
    draw = random.Random(seed)  # noqa: S311  a ledger, no secret
    lines = [HEADER]
    for number in range(CUSTOMERS - 2):
        for line in range(draw.choice([1, 2, 9, 14])):
            issued = AS_OF - timedelta(days=draw.randrange(1_000))
            due = issued + timedelta(days=30)
            currency = "EUR" if draw.random() < 0.2 else "CNY"
            paid = due + timedelta(days=draw.choice([-5, 0, 3, 25, 70, 140]))
            part = draw.choice(["", "", "40.00"])
            told = f"{paid},{part}" if paid <= AS_OF and draw.random() < 0.85 else ","
            disputed = "yes" if draw.random() < 0.1 else ""
            lines.append(
                f"sim,P{number:03d},P {number},CN,I{number}-{line},1,{issued},{due},{currency},"
                f"100.00,{told},{disputed}"
            )
    return "\n".join([*lines, ""]).encode()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    built = build_room(tmp_path_factory.mktemp("runs"))
    built.records.import_file(write_ledger(7), file_name="ledger.csv", source="erp")
    built.add_customer("cold")
    ids = [built.find_id(f"sim:P{number:03d}") for number in range(6)]
    for customer_id, kind in ((ids[0], "write_off"), (ids[1], "legal"), (ids[4], "collection")):
        built.records.record_adverse_event(
            customer_id,
            kind=kind,
            happened_on=date(2026, 5, 1),
            settled_on=date(2026, 8, 1) if kind == "legal" else None,
            evidence_sha256_hex="0" * 64,
        )
    customers = CustomerService(database=built.database, clock=built.clock, business_date=AS_OF)
    customers.merge(ids[4], into_id=ids[5], reason="the same", by="li")
    for subject in ("sim:P000", "sim:P002", "sim:cold"):
        built.inbox.records.append(build_record(build_summary(subject=subject, index=55)))
    yield built
    built.database.dispose()


def list_customers(room: Room) -> list[CustomerRecord]:
    with room.database.read() as uow:
        return RecordsStore(uow.connection).list_customers(limit=100)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=DAYS)
def test_own_evidence_of_many_is_that_of_each_window(room: Room, days: int) -> None:
    as_of = AS_OF - timedelta(days=days)
    first, last = trailing_window(last_month=last_released_month(as_of), months=HISTORY_MONTHS)
    customers = list_customers(room)
    with room.database.read() as uow:
        together = read_own_evidence_of(uow, customers, as_of=as_of)
        for customer in customers:
            window = find_behaviour_window(
                uow,
                subject_scheme=customer.scheme,
                subject_value=customer.value,
                first_month=first,
                last_month=last,
                as_of=as_of,
            )
            alone = None if window is None else build_own_evidence(window)

            assert together.get(customer.customer_id) == alone


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=DAYS)
def test_a_run_keeps_what_each_customer_scores_alone(room: Room, days: int) -> None:
    as_of = AS_OF - timedelta(days=days)
    policy = room.assessment.get_policy()
    room.runs.run(as_of=as_of, by="test")

    for customer in list_customers(room):
        pair = room.assessment.find_latest(customer.customer_id)
        assert pair is not None
        with room.database.read() as uow:
            own = read_own_evidence_of(uow, [customer], as_of=as_of).get(customer.customer_id)
        peers = [
            build_peer_evidence(one, one.summary, bands=policy.body.bands)
            for one in room.inbox.records
            if one.summary is not None and one.summary.subject == customer.subject_id
        ]
        alone = assess(own=own, peers=(), policy=policy, as_of=as_of)
        with_peers = assess(own=own, peers=peers, policy=policy, as_of=as_of) if peers else alone

        assert pair.own.assessment == alone
        assert pair.with_peers.assessment == with_peers
