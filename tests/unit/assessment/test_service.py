import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.policy import parse_policy, read_preset_policy
from node.assessment.policy_file import Language
from node.assessment.service import (
    CollectiveAccountError,
    PolicyUnknownError,
    erase_peer_values_within,
)
from node.assessment.tables import assessment, assessment_card
from node.core.errors import InvariantError
from node.records.service import CustomerNotFoundError
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

LATE = build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60")
VALUE = "0200756072"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    yield built
    built.database.dispose()


def count_rows(room: Room, *tables: Table) -> list[int]:
    with room.database.read() as uow:
        return [
            uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        ]


def count_told(room: Room) -> int:
    told = select(func.count()).where(assessment_card.c.told.is_not(None))
    with room.database.read() as uow:
        return int(uow.connection.execute(told).scalar_one())


def test_own_records_alone_make_one_assessment(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)

    pair = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    assert pair.own == pair.with_peers
    assert pair.own.assessment.confidence.own_invoices == 12
    assert {change.change_deci for change in pair.changes} == {0}
    assert count_rows(room, assessment) == [1]


def test_peers_are_set_beside_own_records_and_explained(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 2)
    room.inbox.records.append(build_record(LATE))

    pair = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    own, with_peers = pair.own.assessment, pair.with_peers.assessment
    assert own.score_deci is not None
    assert with_peers.score_deci is not None
    assert with_peers.score_deci < own.score_deci
    total = sum(change.change_deci for change in pair.changes)
    assert total == with_peers.score_deci - own.score_deci
    behaviour = [line for line in with_peers.evidence if line.is_behaviour]
    assert {line.provider for line in behaviour} == {None, "beta.example"}


def test_what_is_kept_is_what_was_worked_out(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0, 10, None])
    room.inbox.records.append(build_record(LATE))

    pair = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    assert room.assessment.find_latest(customer_id) == pair
    assert room.assessment.find_pair(pair.with_peers.assessment_id) == pair
    own_alone = room.assessment.find_pair(pair.own.assessment_id)
    assert own_alone is not None
    assert own_alone.with_peers == pair.own


def test_customer_without_any_record_is_kept_as_not_scored(room: Room) -> None:
    customer_id = room.add_customer("new")

    pair = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    assert pair.own.assessment.score_deci is None
    assert pair.changes == ()
    assert room.assessment.find_latest(customer_id) == pair


def test_older_assessments_stay_when_a_newer_one_is_made(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 12)

    first = room.assessment.assess_customer(customer_id, as_of=date(2026, 10, 24))
    second = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    assert room.assessment.find_pair(first.own.assessment_id) == first
    assert room.assessment.find_latest(customer_id) == second


def erase(room: Room, msg_hash_b64u: str) -> int:
    with room.database.write() as uow:
        return erase_peer_values_within(uow, msg_hash_b64u)


def test_erasure_takes_the_values_and_leaves_hash_codes_and_points(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 2)
    record = build_record(LATE)
    room.inbox.records.append(record)
    before = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    erased = erase(room, record.msg_hash_b64u)

    after = room.assessment.find_latest(customer_id)
    assert erased == 1
    assert after is not None
    factors = after.with_peers.assessment.factors
    assert {factor.value for factor in factors} == {None}
    assert {factor.peers_value for factor in factors} == {None}
    assert [(factor.code, factor.points_deci, factor.sources) for factor in factors] == [
        (factor.code, factor.points_deci, factor.sources)
        for factor in before.with_peers.assessment.factors
    ]
    lines = after.with_peers.assessment.evidence
    assert record.msg_hash_b64u in {line.ref for line in lines}
    assert {line.invoices for line in lines} == {None}
    assert after.own == before.own
    assert [change.change_deci for change in after.changes] == [
        change.change_deci for change in before.changes
    ]


def test_erasure_of_a_message_nobody_read_changes_nothing(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 2)
    room.assessment.assess_customer(customer_id, as_of=AS_OF)
    before = count_told(room)

    assert erase(room, "A" * 43) == 0
    assert count_told(room) == before


def test_failure_midway_keeps_nothing(room: Room) -> None:
    customer_id = room.add_invoices(VALUE, [0] * 2)
    with pytest.raises(RuntimeError), room.database.write() as uow:  # noqa: PT012
        room.assessment.assess_within(uow, customer_id, as_of=AS_OF)
        raise RuntimeError

    assert count_rows(room, assessment, assessment_card) == [0, 0]


def test_unknown_customer_is_not_assessed(room: Room) -> None:
    with pytest.raises(CustomerNotFoundError):
        room.assessment.assess_customer(404, as_of=AS_OF)


def test_collective_account_is_not_assessed(room: Room) -> None:
    customer_id = room.add_customer("CCU013", kind="collective")

    with pytest.raises(CollectiveAccountError):
        room.assessment.assess_customer(customer_id, as_of=AS_OF)


def test_summary_of_another_subject_is_our_own_bug(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    customer_id = room.add_customer("other")
    stray = build_record(LATE)
    service = room.assessment
    service._list_peer_summaries = lambda _uow, subjects: {key: [stray] for key in subjects}

    with pytest.raises(InvariantError):
        service.assess_customer(customer_id, as_of=AS_OF)
    room.database.dispose()


def test_more_summaries_than_can_be_are_our_own_bug(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_id = room.add_invoices(VALUE, [0])
    room.inbox.records += [build_record(LATE), build_record(build_summary())]
    monkeypatch.setattr("node.assessment.scoring.PEER_SUMMARIES_MAX", 1)

    with pytest.raises(InvariantError):
        room.assessment.assess_customer(customer_id, as_of=AS_OF)


@pytest.mark.parametrize("text", ["sim:none", "none", "999", "²", ""])
def test_customer_nobody_knows_is_not_found(room: Room, text: str) -> None:
    assert room.assessment.find_customer_id(text) is None


def test_customer_is_found_by_number_and_by_subject(room: Room) -> None:
    customer_id = room.add_customer(VALUE)

    assert room.assessment.find_customer_id(str(customer_id)) == customer_id
    assert room.assessment.find_customer_id(f"sim:{VALUE}") == customer_id
    assert room.assessment.find_latest(customer_id) is None
    assert room.assessment.find_pair(1) is None


def test_two_versions_of_a_policy_stand_side_by_side(tmp_path: Path, project_root: Path) -> None:
    raw = (project_root / "node/assessment/policies/expert-1.json").read_bytes()
    body = json.loads(raw)
    body["version"] = 2
    body["prior_invoices"] = 6
    body["texts"]["used"] = {"zh": "用了", "en": "Taken in"}
    newer = parse_policy(json.dumps(body, ensure_ascii=False).encode())
    older = read_preset_policy()
    room = build_room(tmp_path, policy=newer, former_policies=[older])
    customer_id = room.add_invoices(VALUE, [0] * 4)

    pair = room.assessment.assess_customer(customer_id, as_of=AS_OF)

    assert pair.own.assessment.policy == newer.reference
    words = [
        room.assessment.describe("used", language=Language.EN, policy=reference)
        for reference in (None, newer.reference, older.reference)
    ]
    assert words == ["Taken in", "Taken in", "Used"]
    with pytest.raises(PolicyUnknownError):
        room.assessment.get_policy(replace(older.reference, sha256_b64u="A" * 43))
    room.database.dispose()


def test_record_of_a_peer_names_its_message() -> None:
    record: PeerSummaryRecord = build_record(LATE)

    assert len(record.msg_hash_b64u) == 43
