"""A run whose customers are scored in processes of their own, on a node's own folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from node.bootstrap import scorers
from node.bootstrap.home import init_home
from node.bootstrap.local import LocalNode, build_local_node
from node.bootstrap.scorers import ProcessScorers, open_scorers
from node.bootstrap.workers import ScorerFailedError
from node.core.config import Settings, build_settings
from node.core.migrations import build_config
from node.rating.rules_run import RunState
from node.rating.runs.scoring import Order, ScoredStretch, Scorers, Stretch, StretchScorer
from node.rating.store import RatingRecord
from node.rating.tables import rating
from tests.support.stores import migrated_url
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import HEADER

CUSTOMERS = 11
RATED = [column.name for column in rating.columns if column.name != "subject_id"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    built = build_settings(
        home=tmp_path,
        member_id="acme.example",
        business_date=AS_OF,
        database_url=migrated_url(tmp_path / "node.sqlite"),
    )
    init_home(built)
    return built


@pytest.fixture
def node(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    monkeypatch.setattr("node.rating.runs.service.STRETCH_CUSTOMERS", 2)
    built = build_local_node(settings, open_run_scorers=partial(open_scorers, settings))
    rows = [
        f"sim,C{number},客户 {number},CN,I{number},1,2026-05-01,2026-06-01,CNY,100.00,"
        f"{'2026-06-09' if number % 3 else ''},,"
        for number in range(CUSTOMERS)
    ]
    built.records.import_file(
        "\n".join([HEADER, *rows, ""]).encode(), file_name="a.csv", source="e"
    )
    yield built
    built.close()


@pytest.mark.timeout(300)
def test_processes_score_as_this_one_does(node: LocalNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorers, "SMALL_CUSTOMERS", 0)
    apart = node.runs.run(as_of=AS_OF, by="test")
    ratings = {one.customer_id: one for one in node.rating.latest_ratings()}

    assert (apart.state, apart.run.rated) == (RunState.FINISHED, CUSTOMERS)
    for customer_id, rated in ratings.items():
        alone = node.rating.rate_customer(customer_id, as_of=AS_OF).rating
        assert strip(rated) == strip(alone)


def strip(record: RatingRecord) -> RatingRecord:
    """Return a rating without its keys and its moment."""
    return replace(
        record,
        rating_id=0,
        assessment_id=0,
        own_assessment_id=0,
        created_at_ms=0,
        run_id=None,
    )


@pytest.mark.timeout(300)
def test_a_process_that_is_gone_leaves_a_run_that_can_be_gone_on_with(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(ProcessScorers):
        def score(self, orders: Iterable[Order]) -> Iterator[ScoredStretch]:
            found = super().score(orders)
            yield next(found)
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
            yield from found

    monkeypatch.setattr(scorers, "SMALL_CUSTOMERS", 0)
    monkeypatch.setattr(scorers, "ProcessScorers", Dying)
    with pytest.raises(ScorerFailedError):
        node.runs.run(as_of=AS_OF, by="test")
    monkeypatch.setattr(scorers, "SMALL_CUSTOMERS", CUSTOMERS)
    (report,) = node.runs.list_runs()

    assert report.state is RunState.INTERRUPTED
    assert node.runs.run(as_of=AS_OF, by="test").run.rated == CUSTOMERS


def test_few_customers_are_scored_here(node: LocalNode, settings: Settings) -> None:
    here = StretchScorer(
        database=node.database,
        clock=node.clock,
        assessment=node.assessment,
        rating=node.rating,
    )
    opened: AbstractContextManager[Scorers] = open_scorers(settings, here, 0)

    with opened as found:
        (scored,) = found.score([Order(stretch=Stretch(after=0, until=3), as_of=AS_OF)])
        assert found is here

    assert len(scored.rows) == 3


def test_the_store_refuses_to_change_or_delete_a_rating(node: LocalNode) -> None:
    node.runs.run(as_of=AS_OF, by="test")

    refused = [f"UPDATE rating SET {name} = {name}" for name in RATED]  # noqa: S608  our own names
    for statement in (*refused, "DELETE FROM rating"):
        with pytest.raises(DBAPIError), node.database.write() as uow:
            uow.connection.execute(text(statement))
    with node.database.write() as uow:  # It is encrypted where the customer is a person.
        uow.connection.execute(text("UPDATE rating SET subject_id = subject_id"))


def test_runs_go_back_and_ratings_stay_as_they_are_kept(node: LocalNode) -> None:
    node.runs.run(as_of=AS_OF, by="test")
    config = build_config(node.database)

    command.downgrade(config, "0043")
    assert "rating_run" not in inspect(node.database.engine).get_table_names()
    with pytest.raises(DBAPIError), node.database.write() as uow:
        uow.connection.execute(text("DELETE FROM rating"))
    command.upgrade(config, "head")

    assert len(node.rating.latest_ratings()) == CUSTOMERS
    assert {one.run_id for one in node.rating.latest_ratings()} == {None}
    with pytest.raises(DBAPIError), node.database.write() as uow:
        uow.connection.execute(text("DELETE FROM rating"))


@pytest.mark.timeout(120)
def test_processes_end_with_the_one_that_they_work_for(settings: Settings) -> None:
    code = (
        "import sys, time\n"
        "from node.bootstrap.scorers import prepare_scorer\n"
        "from node.bootstrap.workers import open_workers\n"
        "from node.core.config import build_settings\n"
        "from pathlib import Path\n"
        "settings = build_settings(home=Path(sys.argv[1]), member_id='acme.example',"
        " database_url=sys.argv[2])\n"
        "with open_workers(settings, 2, prepare_scorer) as workers:\n"
        "    print(*(one.process.pid for one in workers), flush=True)\n"
        "    time.sleep(100)\n"
    )
    arguments = [sys.executable, "-c", code, str(settings.home), settings.database_url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = process.stdout.readline().split()
        process.kill()
        rest = process.stdout.read()  # Ends when the last process that holds it has ended.

    assert (len(workers), rest) == (2, "")
