"""Overrides: by whom, by how much, until when; what ends them; who sees which grade."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.exc import DatabaseError

from node.assessment.policy_file import Language
from node.assessment.tables import assessment
from node.core.database import Database
from node.core.migrations import build_config
from node.core.people.service import Role
from node.rating.overrides.errors import (
    OverrideDutyError,
    OverrideNotFoundError,
    OverrideSamePersonError,
    OverrideStateError,
)
from node.rating.overrides.policy import parse_override_policy, read_preset_override_bytes
from node.rating.overrides.rules_override import (
    EventKind,
    Override,
    OverrideEvent,
    OverrideInvalidError,
    OverrideState,
    choose_expiry,
    count_notches,
    find_state,
)
from node.rating.overrides.tables import (
    rating_override,
    rating_override_event,
    rating_override_hand,
    rating_override_lift,
)
from node.rating.overrides.view import build_override_object
from node.rating.rules_movement import Movement
from node.rating.rules_review import Trigger
from node.rating.scale import read_preset_scale
from node.rating.tables import rating as rating_table
from node.records.tables import customer as customer_table
from tests.support.persons import person
from tests.support.stores import store_url
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room
from tests.unit.rating.overriding import CHEN, LI, WANG, WHY, give, held

POLICY = parse_override_policy(read_preset_override_bytes()).body


def test_one_that_lowers_holds_at_once_and_one_that_raises_waits_for_another(
    room: Room, customer: int
) -> None:
    down = give(room, customer, "A")
    assert (down.state, held(room, customer)) == (OverrideState.IN_FORCE, "A")
    key = down.override.override_id
    asked = room.overrides.withdraw(key, reason="mistaken", actor=LI)
    assert (asked.state, held(room, customer)) == (OverrideState.IN_FORCE, "A")
    for same in (LI, replace(LI, role=Role.CFO), person("L-I.")):
        with pytest.raises(OverrideSamePersonError):
            room.overrides.withdraw(key, reason="mistaken", actor=same)
    assert held(room, customer) == "A"  # To withdraw it raises the grade: two persons do.
    gone = room.overrides.withdraw(key, reason="so it was", actor=WANG)
    assert (gone.state, held(room, customer)) == (OverrideState.WITHDRAWN, "AA")
    assert [one.entered_by for one in gone.override.lifts] == ["Li", "Wang"]

    up = give(room, customer, "AAA")
    assert (up.state, held(room, customer)) == (OverrideState.WAITING, "AA")
    with pytest.raises(OverrideSamePersonError):
        room.overrides.approve(up.override.override_id, actor=replace(LI, role=Role.CFO))
    with pytest.raises(OverrideSamePersonError):
        room.overrides.approve(up.override.override_id, actor=person("L-I."))
    room.overrides.approve(up.override.override_id, actor=WANG)

    assert held(room, customer) == "AAA"
    rating = room.rating.find_latest(customer)
    assert rating is not None
    assert rating.grade_with_peers == "AA"  # what was rated stays


def test_the_second_person_may_reject_and_nothing_is_decided_twice(
    room: Room, customer: int
) -> None:
    key = give(room, customer, "AAA").override.override_id

    with pytest.raises(OverrideStateError):
        give(room, customer, "A", actor=WANG)
    rejected = room.overrides.reject(key, reason="no", actor=WANG)

    assert rejected.state is OverrideState.REJECTED
    for act in (room.overrides.approve, room.overrides.reject, room.overrides.withdraw):
        with pytest.raises(OverrideStateError):
            act(key, **({} if act == room.overrides.approve else {"reason": "x"}), actor=CHEN)
    with pytest.raises(OverrideNotFoundError):
        room.overrides.approve(key + 1, actor=WANG)
    assert held(room, customer) == "AA"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CREDIT_MANAGER, Role.CFO}))
def test_only_the_roles_of_the_policy_override(room: Room, customer: int, role: Role) -> None:
    with pytest.raises(OverrideDutyError):
        give(room, customer, "A", actor=person("Zhao", role))
    assert room.overrides.list_overrides() == []


def test_who_sells_too_overrides_nothing(room: Room, customer: int) -> None:
    room.people.create_token(name="li", role=Role.SALES, life_s=3_600)

    with pytest.raises(OverrideDutyError, match="sales"):
        give(room, customer, "A")


@pytest.mark.parametrize(
    "terms",
    [
        {"grade": "D"},
        {"grade": "NR"},
        {"grade": "XX"},
        {"grade": "AA"},
        {"grade": "BB"},  # three notches
        {"grade": "A", "reason_code": "because"},
        {"grade": "A", "expires_on": AS_OF - timedelta(days=1)},
        {"grade": "A", "expires_on": AS_OF + timedelta(days=181)},
    ],
)
def test_what_the_policy_does_not_allow_is_refused_and_leaves_nothing(
    room: Room, customer: int, terms: dict[str, object]
) -> None:
    with pytest.raises(OverrideInvalidError):
        give(room, customer, **terms)  # type: ignore[arg-type]  # as told
    assert room.overrides.list_overrides() == []


def test_a_default_and_a_missing_grade_are_not_overridden(room: Room) -> None:
    cold = room.add_customer("cold")
    with pytest.raises(OverrideStateError):
        give(room, cold, "A")
    room.rating.rate_customer(cold, as_of=AS_OF)
    with pytest.raises(OverrideStateError):
        give(room, cold, "A")
    bad = room.add_invoices("bad", [0] * 12)
    _default(room, bad, AS_OF - timedelta(days=9))
    assert room.rating.rate_customer(bad, as_of=AS_OF).rating.grade_with_peers == "D"
    with pytest.raises(OverrideInvalidError):
        give(room, bad, "C")


@pytest.mark.parametrize("told_by_peer", [False, True])
def test_it_ends_with_a_default_and_none_is_given_after_it(
    room: Room, customer: int, *, told_by_peer: bool
) -> None:
    given = give(room, customer, "A").override

    if told_by_peer:
        facts = {"facts": [{"kind": "insolvency", "quarter": "2026-Q3", "settled": False}]}
        record = build_record(build_summary(subject="sim:one", adverse=facts))
        room.inbox.records.append(replace(record, received_on=AS_OF))
    else:
        _default(room, customer, AS_OF)

    judged = room.overrides.get(given.override_id)
    assert judged.state is OverrideState.DEFAULTED
    policy = parse_override_policy(read_preset_override_bytes())
    shown = {
        has_peers: build_override_object(
            judged, policy=policy, language=Language.EN, has_peers=has_peers
        )["state"]
        for has_peers in (False, True)
    }
    assert shown == {False: "ended", True: "defaulted"}  # Who told of it is not for everybody.
    assert held(room, customer) == "AA"
    with pytest.raises(OverrideStateError, match="default"):
        give(room, customer, "A")
    assert len(room.overrides.list_overrides()) == 1
    with pytest.raises(OverrideDutyError):  # Nor to whoever asks by trying.
        room.overrides.withdraw(given.override_id, reason="x", actor=person("Wu", Role.ANALYST))
    reviews = room.reviews.list_reviews(today=AS_OF, until=AS_OF, shows_peers=True)
    assert [Trigger.OVERRIDE in one.triggers for one in reviews] == [True]


def test_movements_between_days_and_reviews_tell_the_grade_in_force(
    room: Room, customer: int
) -> None:
    other = room.add_invoices("two", [0] * 12)
    room.runs.run(as_of=AS_OF - timedelta(days=40), by="test")
    room.runs.run(as_of=AS_OF, by="test")
    give(room, customer, "BBB")
    then, now = (AS_OF - timedelta(days=40)).isoformat(), AS_OF.isoformat()

    between = room.movements.compare(before=then, after=now)
    runs = room.movements.compare(before=None, after=None)
    own = room.movements.compare(before=then, after=now, with_peers=False)

    assert between.counts[Movement.DOWN] == own.counts[Movement.DOWN] == 1
    assert runs.counts[Movement.DOWN] == 0  # a run tells what it gave
    until = AS_OF + timedelta(days=400)
    reviews = room.reviews.list_reviews(today=AS_OF, until=until, shows_peers=True)
    told = {one.row.customer_id: one.override for one in reviews}
    assert told[other] is None
    assert told[customer] is not None
    assert told[customer].grade_after == "BBB"  # type: ignore[union-attr]  # looked at above


def test_rows_are_only_appended_and_keys_keep_one_person_one_hand(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, "head")
    with database.write() as uow:
        _insert_rating(uow.connection)
        values = {
            "id": 1, "customer_id": 1, "rating_id": 1, "ordinal": 1, "grade_before": "AA",
            "grade_after": "AAA", "notches": 1, "reason_code": WHY, "policy_sha256_b64u": "p" * 43,
            "made_on": AS_OF, "expires_on": AS_OF,
        }  # fmt: skip
        uow.connection.execute(insert(rating_override).values(values))
        hand = {"override_id": 1, "person": "li", "duty": "maker"}
        uow.connection.execute(insert(rating_override_hand).values(hand))
        event = {
            "override_id": 1, "seq": 1, "kind": "proposed", "person": "li", "duty": "maker",
            "happened_on": AS_OF, "entered_by": "Li", "role": "cfo", "entered_at_ms": 1,
            "reason": "x",
        }  # fmt: skip
        uow.connection.execute(insert(rating_override_event).values(event))
        lift = {
            "override_id": 1, "person": "li", "ordinal": 1, "happened_on": AS_OF,
            "entered_by": "Li", "role": "cfo", "entered_at_ms": 1, "reason": "x",
        }  # fmt: skip
        uow.connection.execute(insert(rating_override_lift).values(lift))
    approved = event | {"seq": 2, "kind": "approved", "duty": "approver"}
    wrong = (
        insert(rating_override).values(values | {"id": 2}),  # its number is taken
        insert(rating_override_hand).values(hand | {"duty": "approver"}),
        insert(rating_override_event).values(approved),  # no hand of an approver
        insert(rating_override_event).values(approved | {"duty": "maker"}),
        insert(rating_override_event).values(event | {"seq": 2}),
        update(rating_override).values(grade_after="A"),
        update(rating_override_event).values(reason="y"),
        delete(rating_override_hand),
        delete(rating_override_event),
        insert(rating_override_lift).values(lift | {"ordinal": 2}),  # one person twice
        insert(rating_override_lift).values(lift | {"person": "wang"}),
        insert(rating_override_lift).values(lift | {"person": "wang", "ordinal": 3}),
        update(rating_override_lift).values(reason="y"),
        delete(rating_override_lift),
    )
    for statement in wrong:
        with pytest.raises(DatabaseError), database.write() as uow:
            uow.connection.execute(statement)
    with pytest.raises(DatabaseError), database.write() as uow:
        uow.connection.execute(text("UPDATE rating SET criteria = '{}'"))

    command.downgrade(config, "0055")
    assert not inspect(database.engine).has_table("rating_override_lift")
    command.upgrade(config, "0056")
    with database.read() as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM rating_override")).scalar() == 1
        assert not uow.connection.execute(select(rating_override_lift)).all()
    command.downgrade(config, "0046")
    gone = set(inspect(database.engine).get_table_names())
    columns = {one["name"] for one in inspect(database.engine).get_columns("rating")}
    with pytest.raises(DatabaseError), database.write() as uow:
        uow.connection.execute(text("UPDATE rating SET grade_own = 'C'"))
    command.upgrade(config, "head")
    with database.read() as uow:
        kept = uow.connection.execute(text("SELECT grade_own, criteria FROM rating")).all()
    database.dispose()

    assert "rating_override" not in gone
    assert "criteria" not in columns
    assert [tuple(row) for row in kept] == [("AA", None)]


def test_states_follow_from_events_and_days() -> None:
    made = Override(
        override_id=1,
        customer_id=1,
        rating_id=5,
        ordinal=1,
        grade_before="A",
        grade_after="AA",
        notches=1,
        reason_code=WHY,
        policy_sha256_b64u="",
        made_on=AS_OF,
        expires_on=AS_OF + timedelta(days=10),
        events=(_event(EventKind.PROPOSED, 0),),
    )
    approved = replace(made, events=(*made.events, _event(EventKind.APPROVED, 2)))
    withdrawn = replace(approved, events=(*approved.events, _event(EventKind.WITHDRAWN, 5)))

    def state(override: Override, days: int, *, newest: int = 5, bad: bool = False) -> str:
        day = AS_OF + timedelta(days=days)
        return find_state(override, day=day, newest_rating_id=newest, is_defaulted=bad).value

    assert [state(made, days) for days in (0, 10, 11)] == ["waiting", "waiting", "expired"]
    assert [state(approved, days) for days in (1, 2, 10, 11)] == [
        "waiting", "in-force", "in-force", "expired",
    ]  # fmt: skip
    assert [state(withdrawn, days) for days in (4, 5, 11)] == ["in-force", "withdrawn", "withdrawn"]
    assert state(approved, 3, newest=6) == "rerated"
    assert state(approved, 3, bad=True) == "defaulted"


def test_it_ends_no_later_than_rating_and_policy() -> None:
    soon, late = AS_OF + timedelta(days=9), AS_OF + timedelta(days=900)

    assert choose_expiry(POLICY, asked=None, today=AS_OF, valid_until=soon) == soon
    assert choose_expiry(POLICY, asked=None, today=AS_OF, valid_until=late) == AS_OF + timedelta(
        days=180
    )
    with pytest.raises(OverrideInvalidError):
        choose_expiry(POLICY, asked=soon + timedelta(days=1), today=AS_OF, valid_until=soon)
    scale = read_preset_scale().body
    assert count_notches(scale, before="A", after="AAA") == 2
    assert count_notches(scale, before="A", after="BBB") == -1


def _event(kind: EventKind, days: int) -> OverrideEvent:
    return OverrideEvent(
        seq=1,
        kind=kind,
        happened_on=AS_OF + timedelta(days=days),
        entered_by="x",
        role="cfo",
        entered_at_ms=0,
        reason="",
    )


def _default(room: Room, customer: int, day: date) -> None:
    room.records.record_adverse_event(
        customer,
        kind="write_off",
        happened_on=day,
        settled_on=None,
        evidence_sha256_hex="0" * 64,
    )


def _insert_rating(connection: Connection) -> None:
    connection.execute(
        insert(customer_table).values(
            id=1, scheme="sim", value="x", name="X", country="CN", kind="company", entered_at_ms=0
        )
    )
    policy = {"policy_id": "p", "policy_version": 1, "policy_sha256_b64u": "p" * 43}
    connection.execute(
        insert(assessment).values(
            id=1, customer_id=1, subject_id="sim:x", as_of=AS_OF, created_at_ms=0, **policy,
            score_deci=850, confidence="low", confidence_code="c", reasons="",
        )
    )  # fmt: skip
    connection.execute(
        insert(rating_table).values(
            id=1, customer_id=1, subject_id="sim:x", as_of=AS_OF, created_at_ms=0, **policy,
            own_assessment_id=1, assessment_id=1, scale_id="s", scale_version=1,
            scale_sha256_b64u="s" * 43, grade_own="AA", grade_with_peers="AA", confidence="low",
            default_events="", review_on=AS_OF,
        )
    )  # fmt: skip
