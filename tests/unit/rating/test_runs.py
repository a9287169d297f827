"""A run over the portfolio: one at a time, gone on with, and nobody twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from node.assessment.renewal.service import queue_default_within
from node.assessment.renewal.tables import assessment_renewal
from node.assessment.tables import assessment
from node.core.database import UnitOfWork
from node.rating.commands import rate_app
from node.rating.rules_run import LEASE_MS, RunState
from node.rating.runs.scoring import Order, ScoredStretch, StretchScorer
from node.rating.runs.service import (
    FindErased,
    OpenScorers,
    RunLostError,
    RunNotFoundError,
    RunService,
    RunStoppedError,
    RunTermsChangedError,
    RunUnderWayError,
    erase_nothing,
    open_inline,
)
from node.rating.store import RatingRecord
from node.rating.tables import rating, rating_run
from tests.support.nodes import CountingBytes
from tests.support.policies import fix_policy, fix_scale
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

CUSTOMERS = 7
BY = "li"
NEXT_DAY = date(2026, 11, 25)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr("node.rating.runs.service.STRETCH_CUSTOMERS", 2)
    built = build_room(tmp_path)
    for number in range(CUSTOMERS - 1):
        built.add_invoices(f"c{number}", [0, 20 * number, None if number % 2 else 5])
    built.add_customer("cold")
    built.inbox.records.append(build_record(build_summary(subject="sim:c1", index=45, dbt_days=45)))
    yield built
    built.database.dispose()


def stop_after(room: Room, stretches: int) -> None:
    calls = iter(range(stretches))
    with pytest.raises(RunStoppedError):
        room.runs.run(as_of=AS_OF, by=BY, should_stop=lambda: next(calls) == stretches - 1)


def count_rated(room: Room, run_id: int) -> Counter[int]:
    with room.database.read() as uow:
        found = select(rating.c.customer_id).where(rating.c.run_id == run_id)
        return Counter(uow.connection.execute(found).scalars())


def build_service(
    room: Room, *, open_scorers: OpenScorers = open_inline, find_erased: FindErased = erase_nothing
) -> RunService:
    return RunService(
        database=room.database,
        clock=room.clock,
        assessment=room.assessment,
        rating=room.rating,
        random_bytes=CountingBytes(9),
        open_scorers=open_scorers,
        find_erased=find_erased,
    )


def test_the_ratings_of_a_run_name_it_and_the_run_names_its_terms(room: Room) -> None:
    report = room.runs.run(as_of=AS_OF, by=BY)

    run = report.run
    assert (report.state, run.rated, run.skipped) == (RunState.FINISHED, CUSTOMERS, 0)
    assert (run.terms.policy.label, run.terms.scale.label) == ("expert-2", "gbt22116-2")
    assert (run.started_by, run.resumed) == (BY, 0)
    assert {one.run_id for one in room.rating.latest_ratings()} == {run.run_id}
    assert room.rating.rate_customer(1, as_of=AS_OF).rating.run_id is None


def test_an_interrupted_run_is_gone_on_with_and_rates_nobody_twice(room: Room) -> None:
    stop_after(room, 2)
    (interrupted,) = room.runs.list_runs()

    report = room.runs.run(as_of=AS_OF, by="another")

    assert (interrupted.state, interrupted.run.rated) == (RunState.INTERRUPTED, 4)
    assert report.run.run_id == interrupted.run.run_id
    assert (report.state, report.run.rated, report.run.resumed) == (RunState.FINISHED, CUSTOMERS, 1)
    assert set(count_rated(room, report.run.run_id).values()) == {1}
    assert len(count_rated(room, report.run.run_id)) == CUSTOMERS


def test_a_key_pressed_leaves_a_run_that_can_be_gone_on_with(room: Room) -> None:
    def press(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        room.runs.run(as_of=AS_OF, by=BY, on_progress=press)

    assert room.runs.list_runs()[0].state is RunState.INTERRUPTED
    assert room.runs.run(as_of=AS_OF, by=BY).run.rated == CUSTOMERS


def test_a_second_run_at_once_is_refused_until_the_lease_is_over(room: Room) -> None:
    refused: list[str] = []

    def run_beside(done: int, _total: int) -> None:
        if done == 2:
            with pytest.raises(RunUnderWayError) as caught:
                room.runs.run(as_of=NEXT_DAY, by="another")
            refused.append(caught.value.detail)

    report = room.runs.run(as_of=AS_OF, by=BY, on_progress=run_beside)

    assert refused == [f"run {report.run.run_id} is at 2 customers"]
    assert len(room.runs.list_runs()) == 1


def test_whoever_was_too_slow_loses_the_run_and_writes_no_more(room: Room) -> None:
    def be_slow(done: int, _total: int) -> None:
        if done == 2:
            room.clock.advance_s(LEASE_MS // 1000 + 1)
            room.runs.run(as_of=AS_OF, by="another")

    with pytest.raises(RunLostError):
        room.runs.run(as_of=AS_OF, by=BY, on_progress=be_slow)

    (report,) = room.runs.list_runs()
    assert (report.state, report.run.rated) == (RunState.FINISHED, CUSTOMERS)
    assert set(count_rated(room, report.run.run_id).values()) == {1}


def test_a_run_of_other_terms_abandons_the_interrupted_one(room: Room) -> None:
    stop_after(room, 1)

    room.runs.run(as_of=NEXT_DAY, by=BY)

    later, former = room.runs.list_runs()
    assert (former.state, later.state) == (RunState.ABANDONED, RunState.FINISHED)
    assert later.run.run_id != former.run.run_id
    assert len(count_rated(room, former.run.run_id)) == 2  # what was given stays


def test_a_run_ends_where_another_policy_rates_by_now(room: Room) -> None:
    terms = room.assessment.get_policy().reference
    other = replace(room.assessment.get_policy(), reference=replace(terms, sha256_b64u="x" * 43))

    def change(done: int, _total: int) -> None:
        if done == 2:
            room.assessment._policies = fix_policy(other)

    with pytest.raises(RunTermsChangedError):
        room.runs.run(as_of=AS_OF, by=BY, on_progress=change)

    assert room.runs.list_runs()[0].state is RunState.ABANDONED


def test_a_run_ends_where_another_scale_grades_by_now(room: Room) -> None:
    with room.database.read() as uow:
        scale = room.rating.read_scale(uow)
    other = replace(scale, reference=replace(scale.reference, sha256_b64u="x" * 43))

    def change(done: int, _total: int) -> None:
        if done == 2:
            room.rating._scales = fix_scale(other)

    with pytest.raises(RunTermsChangedError):
        room.runs.run(as_of=AS_OF, by=BY, on_progress=change)

    assert room.runs.list_runs()[0].state is RunState.ABANDONED


def test_what_was_scored_by_a_policy_that_rates_no_more_is_not_kept(room: Room) -> None:
    policy = room.assessment.get_policy()
    other = replace(policy, reference=replace(policy.reference, sha256_b64u="x" * 43))

    class Slow:
        def __init__(self, scorer: StretchScorer) -> None:
            self._scorer = scorer

        def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
            for scored in self._scorer.score(orders):
                room.assessment._policies = fix_policy(other)  # after the snapshot
                yield scored

    service = build_service(room, open_scorers=lambda scorer, _count: nullcontext(Slow(scorer)))
    with pytest.raises(RunTermsChangedError):
        service.run(as_of=AS_OF, by=BY)

    assert room.rating.latest_ratings() == []


def test_whoever_a_run_rates_waits_no_longer(room: Room) -> None:
    keys = [room.find_id(f"sim:c{number}") for number in range(3)]
    for key in keys:
        room.rating.rate_customer(key, as_of=AS_OF)
    room.rating.rate_customer(keys[2], as_of=NEXT_DAY)
    queue(room, *keys)
    room.clock.advance_s(1)

    room.runs.run(as_of=AS_OF, by=BY)

    waiting = [one.customer_id for one in room.renewals.list_open(shows_peers=True)]
    assert waiting == [keys[2]]  # it was assessed as of a later day: nothing is renewed
    with room.database.read() as uow:
        ended = uow.connection.execute(
            select(assessment_renewal.c.ended_by_id).where(
                assessment_renewal.c.customer_id == keys[1]
            )
        ).scalar_one()
    newest = room.rating.find_latest(keys[1])
    assert newest is not None
    assert ended == newest.assessment_id  # the one with peers


@pytest.mark.parametrize("before", [0, 1], ids=["first time", "again"])
def test_what_happens_while_a_customer_is_scored_is_still_waited_for(
    room: Room, before: int
) -> None:
    key = room.find_id("sim:c1")
    room.rating.rate_customer(key, as_of=AS_OF)
    queue(room, *[key] * before)
    room.clock.advance_s(1)

    class Late:
        def __init__(self, scorer: StretchScorer) -> None:
            self._scorer = scorer

        def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
            for scored in self._scorer.score(orders):
                if key in {row.own.customer_id for row in scored.rows}:
                    queue(room, key)
                yield scored

    service = build_service(room, open_scorers=lambda scorer, _count: nullcontext(Late(scorer)))
    service.run(as_of=AS_OF, by=BY)

    assert [one.customer_id for one in room.renewals.list_open(shows_peers=True)] == [key]


def queue(room: Room, *customer_ids: int) -> None:
    """Have customers wait to be assessed again."""
    with room.database.write() as uow:
        for key in customer_ids:
            queue_default_within(uow, key, room.clock.now_ms())


def test_what_was_erased_while_it_was_scored_is_not_kept(room: Room) -> None:
    erased: list[str] = []

    def find_erased(_uow: UnitOfWork, refs: Sequence[str]) -> frozenset[str]:
        erased.extend(refs)
        return frozenset(refs)

    report = build_service(room, find_erased=find_erased).run(as_of=AS_OF, by=BY)

    customer_id = room.find_id("sim:c1")
    pair = room.assessment.find_latest(customer_id)
    assert report.run.rated == CUSTOMERS
    assert erased == [room.inbox.records[0].msg_hash_b64u]
    assert pair is not None
    assert {factor.value for factor in pair.with_peers.assessment.factors} == {None}
    assert {factor.value for factor in pair.own.assessment.factors} != {None}


def test_a_run_rates_as_one_customer_after_the_other(room: Room) -> None:
    room.runs.run(as_of=AS_OF, by=BY)
    together = [room.rating.find_latest(key) for key in range(1, CUSTOMERS + 1)]
    pairs = [room.assessment.find_latest(key) for key in range(1, CUSTOMERS + 1)]

    for key, rated, pair in zip(range(1, CUSTOMERS + 1), together, pairs, strict=True):
        alone = room.rating.rate_customer(key, as_of=AS_OF)

        assert rated is not None
        assert pair is not None
        assert strip(alone.rating) == strip(rated)
        assert alone.pair.own.assessment == pair.own.assessment
        assert alone.pair.with_peers.assessment == pair.with_peers.assessment
        assert alone.pair.changes == pair.changes


def strip(record: RatingRecord) -> RatingRecord:
    """Return a rating without its keys."""
    return replace(record, rating_id=0, assessment_id=0, own_assessment_id=0, run_id=None)


def test_customers_that_came_while_it_ran_are_rated_too(room: Room) -> None:
    def enter(done: int, _total: int) -> None:
        if done == 4:
            room.add_customer("late")

    report = room.runs.run(as_of=AS_OF, by=BY, on_progress=enter)

    assert report.run.rated == CUSTOMERS + 1


def test_a_day_is_run_once_by_the_schedule(room: Room) -> None:
    assert room.runs.run_daily(as_of=AS_OF)
    assert not room.runs.run_daily(as_of=AS_OF)
    assert room.runs.run_daily(as_of=NEXT_DAY)
    assert [one.run.started_by for one in room.runs.list_runs()] == ["schedule"] * 2


def test_a_failing_scorer_leaves_a_run_that_can_be_gone_on_with(room: Room) -> None:
    class Broken:
        def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
            raise RuntimeError(orders)

    service = build_service(room, open_scorers=lambda _scorer, _count: nullcontext(Broken()))
    with pytest.raises(RuntimeError):
        service.run(as_of=AS_OF, by=BY)

    assert room.runs.list_runs()[0].state is RunState.INTERRUPTED
    assert room.runs.run(as_of=AS_OF, by=BY).run.rated == CUSTOMERS


def test_a_run_that_is_not_there_is_not_found(room: Room) -> None:
    with pytest.raises(RunNotFoundError):
        room.runs.get_report(2**62)


def test_commands_run_list_and_tell_the_state(room: Room) -> None:
    stop_after(room, 1)
    runner = CliRunner()
    listed = runner.invoke(
        rate_app, ["runs"], obj=room, env={"COLUMNS": "200"}, catch_exceptions=False
    )
    ran = runner.invoke(rate_app, ["run", "--json"], obj=room, catch_exceptions=False)
    shown = runner.invoke(rate_app, ["runs", "--json"], obj=room, catch_exceptions=False)

    assert "interrupted" in listed.output
    assert json.loads(ran.stdout)["rated"] == CUSTOMERS
    (one,) = json.loads(shown.stdout)
    assert (one["state"], one["resumed"], one["started_by"]) == ("finished", 1, BY)


KILLED = """
import os, signal, sys
from pathlib import Path
from node.core.database import Database
import node.rating.runs.service as runs
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import open_room
runs.STRETCH_CUSTOMERS = 2
room = open_room(Database(url=sys.argv[1]))
def die(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
room.runs.run(as_of=AS_OF, by="killed", on_progress=die)
"""


def test_a_killed_run_is_gone_on_with_once_its_lease_is_over(room: Room) -> None:
    root = str(Path(__file__).resolve().parents[3])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, room.database.url], cwd=root, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(RunUnderWayError):
        room.runs.run(as_of=AS_OF, by=BY)

    room.clock.advance_s(LEASE_MS // 1000 + 1)
    assert room.runs.list_runs()[0].state is RunState.INTERRUPTED
    report = room.runs.run(as_of=AS_OF, by=BY)

    assert (report.run.started_by, report.run.rated) == ("killed", CUSTOMERS)
    assert len(count_rated(room, report.run.run_id)) == CUSTOMERS
    with room.database.read() as uow:
        runs = uow.connection.execute(select(rating_run.c.id)).all()
        kept = uow.connection.execute(select(assessment.c.id)).all()
    assert len(runs) == 1
    assert len(kept) == CUSTOMERS  # the killed process knew no peers, and c1 was done by then
