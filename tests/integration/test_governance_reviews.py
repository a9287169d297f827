"""Reviews over a real store: the calendar, the figures that are kept, actions, the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel
from node.governance.cases.rules_case import CaseKind
from node.governance.reviews.pack import Pack
from node.governance.reviews.rules_review import ReviewSubject
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import DisputeCause, DisputeOutcome, ItemKind
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import API_TOKEN, build_empty_node

AS_OF = date(2026, 3, 31)
TODAY = date(2026, 6, 30)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    node.local.records.add_customer(scheme="sim", value="A1", name="Hongda", country="CN")
    yield node
    node.local.close()


def invoice(node: Node, number: str, minor: int, *, on: date, due: date) -> int:
    (item,) = node.local.ledger.enter_debit(
        NewDebit(
            customer_id=1,
            kind=ItemKind.INVOICE,
            document_no=number,
            happened_on=on,
            currency="CNY",
            terms=(Term(due_on=due, amount_minor=minor),),
        ),
        by="zhang",
    )
    return item


def find(pack: Pack, code: str) -> tuple[int | None, int | None]:
    (figure,) = [one for one in pack.figures if one.code == code]
    return figure.value, figure.n


def test_the_figures_are_those_of_the_ledger_up_to_the_day(node: Node) -> None:
    ledger = node.local.ledger
    # Open on the day: 40,000 not due, 110,000 due; sold in its 31 days: 100,000.
    invoice(node, "OLD", 50_000, on=date(2025, 12, 1), due=date(2025, 12, 20))
    late = invoice(node, "MAR1", 60_000, on=date(2026, 3, 2), due=date(2026, 3, 20))
    invoice(node, "MAR2", 40_000, on=date(2026, 3, 3), due=date(2026, 4, 20))
    lost = invoice(node, "LOST", 2_500, on=date(2025, 11, 1), due=date(2025, 12, 1))
    ledger.write_off([lost], reference="W1", on=date(2026, 3, 5), by="zhang")
    key = ledger.open_dispute(
        late, amount_minor=100, cause=DisputeCause.PRICE, on=date(2026, 3, 5), by="sun"
    )
    ledger.close_dispute(
        key, outcome=DisputeOutcome.REJECTED, reason="no", on=date(2026, 3, 12), by="wang"
    )
    node.local.governance.cases.receive(
        NewCase(
            kind=CaseKind.SERVICE,
            complainant="Hongda",
            text="slow",
            channel=CaseChannel.PHONE,
            received_on=date(2026, 3, 10),
        ),
        by="zhao",
    )

    pack = node.local.governance.reviews.read_pack(as_of=AS_OF, months=1)

    assert (pack.first, pack.as_of) == (date(2026, 3, 1), AS_OF)
    assert find(pack, "dso") == (46_500, 2)
    assert find(pack, "best-possible-dso") == (12_400, 2)
    assert find(pack, "average-days-delinquent") == (34_100, 2)
    assert find(pack, "over-90-share") == (3_333, 3)
    assert find(pack, "bad-debt-share") == (250, 1)
    assert find(pack, "dispute-cycle") == (7_000, 1)
    assert find(pack, "complaints") == (1, 1)
    assert find(pack, "late-cases") == (10_000, 1)
    assert find(pack, "holds") == (None, None)


def test_a_review_keeps_the_figures_that_it_saw_and_plans_the_next_one(node: Node) -> None:
    calendar = node.local.governance.reviews
    planned = calendar.plan(
        subject=ReviewSubject.LIMITS,
        due_on=date(2026, 6, 15),
        months=12,
        every_months=6,
        by="wang",
    )
    held = calendar.hold(planned.review_id, finding="keep", by="wang")
    invoice(node, "LATER", 50_000, on=date(2026, 6, 1), due=date(2026, 6, 20))
    action = calendar.add_action(
        text="train sales",
        owner="Sun",
        due_on=date(2026, 6, 1),
        review_id=planned.review_id,
        by="wang",
    )
    done = calendar.finish_action(action.action_id, effect="fewer disputes", by="sun")
    with pytest.raises(NodeError) as again:
        calendar.hold(planned.review_id, finding="keep", by="wang")
    with pytest.raises(NodeError) as twice:
        calendar.finish_action(action.action_id, effect="more", by="sun")
    with pytest.raises(NodeError) as early:
        calendar.hold(2, finding="keep", as_of=date(2026, 7, 1), by="wang")

    story = calendar.get(planned.review_id)
    assert (again.value.code, twice.value.code) == ("review-state", "review-state")
    assert early.value.code == "review-invalid"
    assert story.pack == held.pack
    assert [one.due_on for one in calendar.list_reviews()] == [
        date(2026, 12, 15),
        date(2026, 6, 15),
    ]
    assert story.actions == (done,)


def test_the_page_of_a_review_is_whole_in_both_languages_and_shows_others_words_as_text(
    node: Node,
) -> None:
    calendar = node.local.governance.reviews
    calendar.plan(subject=ReviewSubject.POLICY, due_on=TODAY, months=3, by="wang")
    calendar.hold(1, finding="<script>alert(1)</script>", by="wang")

    with TestClient(build_app(node)) as http:
        headers = {"authorization": f"Bearer {API_TOKEN}"}
        path = f"{API_PREFIX}/reviews/1/report"
        answer = http.get(path, headers=headers)
        chinese = http.get(f"{path}?language=zh", headers=headers).text

    english = answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "<script>" not in english
    assert "&lt;script&gt;" in english
    assert "order holds" in english
    assert "not kept" in english
    assert 'lang="zh-CN"' in chinese
    assert "订单冻结数" in chinese
    assert "定期评审报告" in chinese


def test_what_cannot_be_planned_is_refused(node: Node) -> None:
    calendar = node.local.governance.reviews
    codes = []
    for months, every in ((0, None), (37, None), (12, 0), (12, 61)):
        with pytest.raises(NodeError) as refused:
            calendar.plan(
                subject=ReviewSubject.POLICY,
                due_on=TODAY,
                months=months,
                every_months=every,
                by="wang",
            )
        codes.append(refused.value.code)
    with pytest.raises(NodeError) as unknown:
        calendar.add_action(text="x", owner="Sun", due_on=TODAY, review_id=9, by="wang")

    assert codes == ["review-invalid"] * 4
    assert unknown.value.code == "review-not-found"
    assert calendar.list_reviews() == []
