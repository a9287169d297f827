"""A write fails or the process dies: all of a batch is left or nothing, and the log verifies."""

from __future__ import annotations

import asyncio
import errno
import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import insert, select, update

from node.core.decision import Batch, Decided, Decision, Placement
from node.core.errors import InvariantError
from node.core.log import LogDamagedError
from node.core.log_session import LogSession
from node.core.log_tables import log_witnessed
from node.core.log_transactions import LogUnavailableError
from node.core.writer import EARLY_DECISIONS, Writer
from node.sharing.answering import Reply
from node.sharing.tables import release
from protocol.entry import StartEntry, StopEntry, parse_entry
from tests.support.exchanges import Scene, observe
from tests.support.faults import AFTER, BEFORE, FailingCommit, FailingStatements
from tests.support.logs import LogHouse, append, before_commits
from tests.support.stores import ON_SQLITE, migrated_url

ROOT = Path(__file__).resolve().parents[2]
# With what a writing transaction begins.
BEGIN = "BEGIN IMMEDIATE" if ON_SQLITE else "advisory_xact_lock"
WHERE = ["thread", "loop", "loop at once"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LogHouse]:
    opened = LogHouse(path=tmp_path / "log.sqlite")
    yield opened
    opened.close()


def write_row_and_entry(size: int) -> Decision[Placement]:
    """Return a decision that writes at once, appends an entry and queues a row for the end."""

    def decide(batch: Batch) -> Decided[Placement]:
        row = {"log": 1, "size": size, "checkpoint": "x", "witnessed_at_s": 1}
        batch.connection.execute(insert(log_witnessed).values(**row))

        def finish(placement: Placement | None) -> Placement:
            assert placement is not None

            batch.insert_later(insert(log_witnessed), {**row, "size": size + 1})
            return placement

        return Decided(entry=b"entry %d" % size, finish=finish)

    return decide


def list_rows(house: LogHouse) -> list[int]:
    with house.database.read() as uow:
        return sorted(uow.connection.execute(select(log_witnessed.c.size)).scalars())


def open_writer(house: LogHouse, *, where: str) -> Writer:
    """Open a writer that commits in a thread of its own, beside a loop or in the loop's turn."""
    return house.open_quick() if where == "loop at once" else house.open_slow()


def submit_all(writer: Writer, decisions: list[Decision[Any]], *, where: str) -> list[Any]:
    """Submit from an event loop or from this thread; return results and errors."""
    if where != "thread":

        async def run() -> list[Any]:
            waiting = (writer.submit_async(decide) for decide in decisions)
            return await asyncio.gather(*waiting, return_exceptions=True)

        return asyncio.run(run())
    futures = [writer.submit(decide) for decide in decisions]
    return [future.exception(timeout=10) or future.result() for future in futures]


@pytest.mark.parametrize("where", WHERE)
def test_a_commit_that_is_not_applied_leaves_nothing_and_releases_nothing(
    house: LogHouse, where: str
) -> None:
    writer = open_writer(house, where=where)
    FailingCommit(house.database, mode=BEFORE)

    results = submit_all(writer, [write_row_and_entry(10)], where=where)

    assert [type(result) for result in results] == [LogUnavailableError]
    assert (list_rows(house), house.check()) == ([], 1)
    assert writer.broken is None
    [placement] = submit_all(writer, [write_row_and_entry(10)], where=where)
    assert (placement.index, list_rows(house), house.check()) == (1, [10, 11], 2)


@pytest.mark.parametrize("where", WHERE)
def test_a_commit_that_is_applied_and_reported_failed_releases_nothing_and_is_built_on(
    house: LogHouse, where: str
) -> None:
    writer = open_writer(house, where=where)
    FailingCommit(house.database, mode=AFTER)

    results = submit_all(writer, [write_row_and_entry(10)], where=where)

    assert [type(result) for result in results] == [LogUnavailableError]
    assert (list_rows(house), house.check()) == ([10, 11], 2)
    assert writer.state.edge.size == 2
    [placement] = submit_all(writer, [append(b"next")], where=where)
    assert (placement.index, house.check()) == (2, 3)


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO log_batch",
        "UPDATE log_head",
        "INSERT INTO log_tile",
        "INSERT INTO log_witnessed",
    ],
)
def test_a_step_that_fails_takes_the_whole_batch_with_it(
    house: LogHouse, text: str, mode: str
) -> None:
    database = house.open_database()
    statements = FailingStatements(database)
    writer = house.open(database)
    # The 256th entry fills a tile, so that every step is taken.
    for future in [writer.submit(append(b"entry")) for _ in range(254)]:
        future.result(timeout=10)
    statements.fail_next(text, mode=mode)

    results = submit_all(writer, [write_row_and_entry(1_000)], where="thread")

    assert isinstance(results[0], LogUnavailableError)
    assert (list_rows(house), house.check()) == ([], 255)
    assert writer.run(write_row_and_entry(1_000)).index == 255
    assert (list_rows(house), house.check()) == ([1_000, 1_001], 256)
    assert writer.run(append(b"next")).index == 256
    assert house.check() == 257


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("text", [BEGIN, "INSERT INTO log_batch"])
def test_a_step_that_fails_under_plain_entries_leaves_none(
    house: LogHouse, text: str, where: str, mode: str
) -> None:
    database = house.open_database()
    statements = FailingStatements(database)
    writer = house.open(database)
    writer.run(append(b"first"))
    statements.fail_next(text, mode=mode)

    results = submit_all(writer, [append(b"one"), append(b"two")], where=where)

    assert LogUnavailableError in {type(result) for result in results}
    assert house.check() == writer.state.edge.size
    [placement] = submit_all(writer, [append(b"next")], where=where)
    assert house.check() == placement.index + 1 == writer.state.edge.size


@pytest.mark.parametrize(("mode", "size"), [(BEFORE, 2), (AFTER, 3)])
def test_a_last_entry_that_fails_is_reported_and_the_writer_stops_all_the_same(
    house: LogHouse, mode: str, size: int
) -> None:
    writer = house.open()
    writer.run(append(b"entry"))
    FailingCommit(house.database, mode=mode)

    with pytest.raises(LogUnavailableError):
        writer.close(last=b"last")

    writer.close(last=b"last")
    assert house.check() == size
    assert house.open().state.edge.size == size


@pytest.mark.parametrize(("mode", "starts"), [(BEFORE, 1), (AFTER, 2)])
def test_a_start_that_was_reported_failed_is_logged_again(
    house: LogHouse, mode: str, starts: int
) -> None:
    session = LogSession(writer=house.open(), clock=house.clock, software="chengxin 1")
    FailingCommit(house.database, mode=mode)
    with pytest.raises(LogUnavailableError):
        asyncio.run(session.begin())

    asyncio.run(session.begin())
    session.end()

    kinds = [type(parse_entry(entry)) for entry in house.list_entries()[1:]]
    assert kinds == [StartEntry] * starts + [StopEntry]
    house.check()


def test_a_log_that_is_found_damaged_between_decision_and_commit_takes_nothing_more(
    house: LogHouse,
) -> None:
    writer = house.open()
    before_commits(house.database, lambda: writer.condemn(LogDamagedError("damaged")))

    results = submit_all(writer, [append(b"entry")], where="loop")
    again = submit_all(writer, [append(b"entry")], where="loop")

    assert (results[0].index, type(again[0])) == (1, LogDamagedError)
    assert house.check() == 2


class BrokenStream(io.StringIO):
    """The process's own log, on the same full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "no space left")


@pytest.mark.parametrize("where", WHERE)
def test_a_failure_that_cannot_even_be_reported_keeps_nobody_waiting(
    house: LogHouse, where: str
) -> None:
    writer = open_writer(house, where=where)
    FailingCommit(house.database, mode=BEFORE)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=BrokenStream()))
    try:
        results = submit_all(writer, [append(b"entry")], where=where)
        again = submit_all(writer, [append(b"entry")], where=where)
    finally:
        structlog.reset_defaults()

    assert isinstance(results[0], LogUnavailableError)
    assert again[0].index == 1
    assert house.check() == 2


def test_a_whole_batch_fails_together(house: LogHouse) -> None:
    writer = house.open()
    FailingCommit(house.database, mode=BEFORE)

    results = submit_all(writer, [append(b"entry")] * EARLY_DECISIONS, where="loop")

    assert {type(result) for result in results} == {LogUnavailableError}
    assert house.check() == 1


def test_nothing_is_remembered_of_a_batch_that_was_not_committed(house: LogHouse) -> None:
    writer = house.open()

    def remember(batch: Batch) -> Decided[bool]:
        known = "seen" in batch.memory
        batch.memory["seen"] = True
        return Decided(entry=b"entry", finish=lambda _placement: known)

    FailingCommit(house.database, mode=BEFORE)

    results = [submit_all(writer, [remember], where="loop")[0] for _ in range(3)]

    assert isinstance(results[0], LogUnavailableError)
    # On PostgreSQL no number tells whether somebody else has written: nothing is ever remembered.
    assert results[1:] == [False, ON_SQLITE]


def test_a_disk_that_stays_full_refuses_until_it_is_free_again(house: LogHouse) -> None:
    writer = house.open()
    # The reading that follows a failure ends in a commit as well.
    FailingCommit(house.database, mode=BEFORE, count=3)

    refused = [submit_all(writer, [append(b"entry")], where="thread")[0] for _ in range(2)]

    assert {type(result) for result in refused} == {LogUnavailableError}
    assert house.check() == 1
    assert writer.run(append(b"entry")).index == 1
    assert house.check() == 2


def test_a_bug_in_finishing_stops_the_writer_and_not_its_callers(house: LogHouse) -> None:
    writer = house.open()

    def stumble(_placement: Placement | None) -> None:
        raise KeyError("a bug")

    results = submit_all(
        writer,
        [append(b"entry"), lambda _batch: Decided(entry=b"bad", finish=stumble)],
        where="loop",
    )

    assert {type(result) for result in results} == {LogUnavailableError}
    assert house.check() == 1
    assert writer.broken is not None
    assert "KeyError" in writer.broken.detail
    assert isinstance(
        submit_all(writer, [append(b"entry")], where="thread")[0], LogUnavailableError
    )


def test_a_second_writer_is_refused_and_stops(house: LogHouse) -> None:
    first = house.open()
    other = house.open_database()
    second = house.open(other)
    first.run(append(b"first"))

    results = submit_all(second, [append(b"second")], where="thread")

    assert isinstance(results[0], LogUnavailableError)
    assert isinstance(second.broken, LogDamagedError)
    assert "second writer" in second.broken.detail
    again = submit_all(second, [append(b"third")], where="loop")
    assert isinstance(again[0], LogDamagedError)
    assert first.run(append(b"fourth")).index == 2
    assert house.check() == 3
    other.dispose()


def test_a_second_writer_that_starts_at_once_writes_no_second_beginning(house: LogHouse) -> None:
    house.open()

    house.open(house.database)

    assert house.check() == 1


CHILD = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import insert
from node.core.log_tables import log_witnessed
from node.core.decision import Decided
from tests.support.faults import AFTER, BEFORE, FailingCommit, FailingStatements
from tests.support.logs import LogHouse, append, before_commits
house = LogHouse(path=Path(sys.argv[1]), url=sys.argv[3])
writer = house.open()
writer.run(append(b"kept"))
def die(*_args):
    os.kill(os.getpid(), signal.SIGKILL)
def decide(batch):
    batch.connection.execute(
        insert(log_witnessed).values(log=1, size=5, checkpoint="x", witnessed_at_s=1)
    )
    if sys.argv[2] == "while deciding":
        die()
    return append(b"lost or kept")(batch)
commit = house.database.engine.dialect.do_commit
def commit_and_die(connection):
    commit(connection)
    die()
if sys.argv[2] == "before the commit":
    before_commits(house.database, die)
if sys.argv[2] == "after the commit":
    house.database.engine.dialect.do_commit = commit_and_die
writer.run(decide)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "rows"),
    [("while deciding", []), ("before the commit", []), ("after the commit", [5])],
)
def test_a_process_that_is_killed_leaves_all_of_a_batch_or_nothing(
    tmp_path: Path, moment: str, rows: list[int]
) -> None:
    path = tmp_path / "log.sqlite"

    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), moment, migrated_url(path)],
        cwd=ROOT,
        check=False,
        timeout=50,
    )

    assert child.returncode == -signal.SIGKILL
    house = LogHouse(path=path)
    assert list_rows(house) == rows
    assert house.check() == 2 + len(rows)
    assert house.open().run(append(b"next")).index == 2 + len(rows)
    assert house.check() == 3 + len(rows)
    house.close()


# --- the same in a whole node


def fail_next_commit(scene: Scene, mode: str) -> None:
    FailingCommit(scene.provider.local.database, mode=mode)


def answer(scene: Scene, raw: bytes) -> Reply:
    return scene.provider.answer(raw)


def test_without_its_log_entry_nothing_is_answered_or_counted(scene: Scene) -> None:
    consent = scene.hold(scene.grant())
    raw = scene.forge(scene.query(consent))
    before = observe(scene.provider)
    fail_next_commit(scene, BEFORE)

    with pytest.raises(LogUnavailableError):
        answer(scene, raw)

    assert observe(scene.provider) == before
    assert answer(scene, raw).code == "full"
    assert scene.find(consent).uses == 1


def test_an_answer_that_was_committed_and_not_sent_is_sent_when_asked_again(scene: Scene) -> None:
    consent = scene.hold(scene.grant())
    raw = scene.forge(scene.query(consent))
    fail_next_commit(scene, AFTER)

    with pytest.raises(LogUnavailableError):
        answer(scene, raw)

    after = observe(scene.provider)
    assert scene.find(consent).uses == 1
    reply = answer(scene, raw)
    assert (reply.code, scene.open(reply, raw).st) == ("full", "200")
    assert observe(scene.provider) == after


def test_a_stored_release_that_cannot_be_read_counts_no_use_and_blames_nobody(
    scene: Scene,
) -> None:
    consent = scene.hold(scene.grant())
    assert scene.send(scene.query(consent)).code == "full"
    spoil_release(scene)
    raw = scene.forge(scene.query(consent, metrics=["delay"]))
    before = observe(scene.provider)

    with pytest.raises(InvariantError):
        answer(scene, raw)

    assert observe(scene.provider) == before


def spoil_release(scene: Scene) -> None:
    with scene.provider.local.database.write() as uow:
        uow.connection.execute(update(release).values(body='{"v":9}'))
