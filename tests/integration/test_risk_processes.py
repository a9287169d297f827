"""A daily run that is judged in processes of their own finds what one process finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from node.bootstrap import judges
from node.bootstrap.home import init_home
from node.bootstrap.judges import ProcessJudges, open_judges
from node.bootstrap.local import LocalNode, build_local_node
from node.bootstrap.workers import ScorerFailedError
from node.core.config import build_settings
from node.rating.rules_run import RunState
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.risk.daily.verdicts import JudgedStretch, StretchOrder

TODAY = date(2026, 6, 30)
CUSTOMERS = 6


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalNode]:
    home = tmp_path / "home"
    settings = build_settings(home=home, member_id="acme.example", business_date=TODAY)
    home.mkdir()
    init_home(settings)
    node = build_local_node(settings, open_run_judges=partial(open_judges, settings))
    for number in range(CUSTOMERS):
        known = node.records.add_customer(
            scheme="sim", value=f"C{number}", name="示例", country="CN"
        )
        node.ledger.enter_debit(
            NewDebit(
                customer_id=known.customer_id,
                kind=ItemKind.INVOICE,
                document_no=f"R{number}",
                happened_on=TODAY - timedelta(days=60),
                currency="CNY",
                terms=(Term(due_on=TODAY - timedelta(days=10 * number), amount_minor=9_000_00),),
            ),
            by="li",
        )
    monkeypatch.setattr(judges, "SMALL_CUSTOMERS", 0)
    yield node
    node.close()


@pytest.mark.timeout(300)
def test_processes_judge_as_this_one_does_and_one_that_is_gone_interrupts(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(ProcessJudges):
        def judge(self, orders: Iterable[StretchOrder]) -> Iterator[JudgedStretch]:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
            return super().judge(orders)

    with monkeypatch.context() as dying:
        dying.setattr(judges, "ProcessJudges", Dying)
        with pytest.raises(ScorerFailedError):
            node.monitoring.runs.run(by="li")
    (broken,) = node.monitoring.runs.list_runs()
    apart = node.monitoring.runs.run(by="li")
    monkeypatch.setattr(judges, "SMALL_CUSTOMERS", CUSTOMERS)
    alone = node.monitoring.runs.run(by="li")

    assert broken.state is RunState.INTERRUPTED
    assert (apart.run_id, apart.state, apart.judged) == (
        broken.run_id, RunState.FINISHED, CUSTOMERS,
    )  # fmt: skip
    assert apart.changes > CUSTOMERS
    assert (alone.judged, alone.changes) == (CUSTOMERS, 0)  # the same to the last figure
