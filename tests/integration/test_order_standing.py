"""What holds an order beside its limit: found by the run of today, or anew where there is news."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from node.core.database import UnitOfWork, metadata
from node.records.rules_ledger import AllocationMethod, DisputeCause
from node.risk.alerts.rules_alert import AlertOutcome
from node.risk.alerts.tables import risk_alert
from node.risk.bounds.reading import read_limit_facts
from node.risk.checks.parameters import ActiveRules
from node.risk.checks.rules_check import CheckPoint
from node.risk.daily.judging import CustomerJudge
from node.risk.dunning.policy import DunningPolicy, parse_dunning_policy
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.dunning.service import DunningService, LetterSelection
from node.risk.facts.reading import FactReader
from node.risk.monitoring.room import Monitoring, build_monitoring
from node.risk.policies.policy import Exclusion, RuleId
from node.risk.signals.service import NewSignal
from node.risk.standing.reading import StandingReader
from node.risk.standing.store import OF_CUSTOMER, OF_ITEM, OF_OTHER
from node.risk.wiring import build_risk
from tests.support.ledgers import TODAY
from tests.support.nodes import CountingBytes
from tests.support.risk import build_watch, rules_of
from tests.support.risks import FixedPolicy

LATE = date(2026, 1, 31)
DUNNING = parse_dunning_policy(build_dunning_kind().presets[0])
QUOTE = CheckPoint.QUOTE


class Scene:
    """A customer with an overdue invoice, a limit, and a run of today behind it."""

    def __init__(self, folder: Path) -> None:
        self.watch = build_watch(folder)
        self.house = self.watch.house
        self.policies = FixedPolicy()
        reader = FactReader(read_limits=read_limit_facts)
        self.watch.risk = build_risk(
            database=self.house.database,
            clock=self.house.clock,
            find_policy=lambda: self.watch.policy,
            find_rules=ActiveRules(self.policies).find,
            find_against=StandingReader(judge=CustomerJudge(reader=reader)).find,
            business_date=TODAY,
        )
        self.monitoring: Monitoring = build_monitoring(
            database=self.house.database,
            clock=self.house.clock,
            policies=self.policies,
            reader=reader,
            random_bytes=CountingBytes(7),
            business_date=TODAY,
        )
        self.watch.give_limit(10**9)
        (self.item_id,) = self.house.invoice("R1", (LATE, 5_000_00))
        self.house.clock.advance_s(1)
        self.run_id = self.monitoring.runs.run(by="li").run_id
        self.house.clock.advance_s(1)

    def ask(self) -> tuple[bool, int | None, set[str]]:
        """Return whether a quote may proceed, by which run, and what was found."""
        answer = self.watch.ask("Q", 1_00, point=QUOTE)
        assert answer["daily_rules"]["as_of"] == TODAY.isoformat()
        return answer["may_proceed"], answer["daily_rules"]["run"], set(rules_of(answer))

    def pay(self) -> None:
        how = AllocationMethod.OLDEST_FIRST
        self.house.credit("P1", 5_000_00, on=TODAY, allocate=how)

    def dispute(self) -> None:
        self.house.ledger.open_dispute(
            self.item_id, amount_minor=5_000_00, cause=DisputeCause.QUALITY, on=TODAY, by="li"
        )

    def cancel(self) -> None:
        self.house.ledger.cancel_item(self.item_id, reason="entered wrong", by="li")


class FixedDunning:
    """The shipped policy of reminders."""

    def read_active(self, _uow: UnitOfWork) -> DunningPolicy:
        return DUNNING

    def get_active(self) -> DunningPolicy:
        return DUNNING

    def find(self, sha256_b64u: str) -> DunningPolicy | None:
        return DUNNING if sha256_b64u == DUNNING.sha256_b64u else None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.house.database.dispose()


def test_without_news_it_is_what_the_run_of_today_has_found(scene: Scene) -> None:
    assert scene.ask() == (False, scene.run_id, {"R3", "R4"})


@pytest.mark.parametrize(
    "step", [Scene.pay, Scene.dispute, Scene.cancel], ids=lambda one: one.__name__
)
def test_who_has_paid_or_disputes_since_is_not_held_by_what_was_found_at_night(
    scene: Scene, step: Callable[[Scene], None]
) -> None:
    step(scene)

    assert scene.ask() == (True, None, set())


def test_what_has_become_worse_since_the_run_holds_too(scene: Scene) -> None:
    other = scene.house.add_customer("late")
    scene.watch.give_limit(10**9, customer_id=other)
    scene.house.clock.advance_s(1)
    scene.monitoring.runs.run(by="li")
    scene.house.clock.advance_s(1)
    before = scene.watch.ask("Q", 1_00, point=QUOTE, customer_id=other)
    scene.house.invoice("R9", (LATE, 5_000_00), customer_id=other)

    after = scene.watch.ask("Q", 1_00, point=QUOTE, customer_id=other)

    assert (before["may_proceed"], before["daily_rules"]["run"]) == (True, scene.run_id + 1)
    assert (after["may_proceed"], after["daily_rules"]["run"]) == (False, None)


def test_a_run_of_yesterday_or_of_another_policy_says_nothing(scene: Scene) -> None:
    tomorrow = TODAY + timedelta(days=1)
    scene.watch.risk.checks._business_date = tomorrow
    answer = scene.watch.ask("Q", 1_00, point=QUOTE)
    scene.watch.risk.checks._business_date = TODAY
    excluded = Exclusion(
        rule=RuleId.OLDEST, from_day="2026-01-01", until_day="2026-12-31", owner="li", reason="old"
    )
    change_policy(scene, exclusions=(excluded,))

    assert answer["daily_rules"] == {"as_of": tomorrow.isoformat(), "run": None}
    assert scene.ask() == (True, None, {"R4"})


def change_policy(scene: Scene, **members: object) -> None:
    held = scene.policies.policy
    body = held.body.model_copy(update=members)
    name = f"{len(str(members)):x}".rjust(43, "x")
    scene.policies.policy = dataclasses.replace(held, body=body, sha256_b64u=name)


def test_a_change_of_policy_holds_from_the_next_check_on_and_is_named(scene: Scene) -> None:
    scene.pay()
    scene.watch.give_limit(100_00)
    asked = 150_00
    before = scene.watch.ask("Q", asked, point=QUOTE)
    rules = scene.policies.policy.body.rules
    softer = rules.r1_exposure.model_copy(update={"leads_to": "watch"})
    change_policy(scene, rules=rules.model_copy(update={"r1_exposure": softer}))

    after = scene.watch.ask("Q", asked, point=QUOTE)

    assert (before["status"], after["status"]) == ("hold", "watch")
    assert before["policy"] == after["policy"] == scene.policies.policy.label
    assert before["policy_sha256_b64u"] != after["policy_sha256_b64u"]
    assert after["policy_sha256_b64u"] == scene.policies.policy.sha256_b64u


def test_an_exclusion_excuses_from_its_rule_for_its_customer_and_its_days(scene: Scene) -> None:
    scene.pay()
    scene.watch.give_limit(100_00)
    scene.watch.give_limit(100_00, customer_id=(other := scene.house.add_customer("other")))
    excluded = Exclusion(
        rule=RuleId.EXPOSURE,
        customer=scene.house.customer_id,
        from_day="2026-01-01",
        until_day=TODAY.isoformat(),
        owner="li",
        reason="bank guarantee on its way",
    )
    change_policy(scene, exclusions=(excluded,))

    his = scene.watch.ask("Q", 150_00, point=QUOTE)
    others = scene.watch.ask("Q", 150_00, point=QUOTE, customer_id=other)
    scene.watch.risk.checks._business_date = TODAY + timedelta(days=1)
    later = scene.watch.ask("Q", 150_00, point=QUOTE)

    assert [(one["rule"], one["is_excused"]) for one in his["reasons"]] == [("R1", True)]
    assert [one["may_proceed"] for one in (his, others, later)] == [True, False, False]


def test_peers_words_hold_no_order_and_a_closed_alert_lifts_nothing(scene: Scene) -> None:
    with scene.house.database.write() as uow:
        rows = update(risk_alert).where(risk_alert.c.rule == "R3")
        uow.connection.execute(rows.values(source="peers"))
    found = scene.monitoring.alerts.list_of(scene.house.customer_id, shows_peers=True)
    late = next(one for one in found if one.rule == "R4")
    scene.monitoring.alerts.close(
        late.alert_id, outcome=AlertOutcome.ACTED, reason="they will pay", by="li", shows_peers=True
    )

    assert scene.ask() == (True, scene.run_id, {"R4"})


def test_an_entered_signal_is_news(scene: Scene) -> None:
    new = NewSignal(
        customer_id=scene.house.customer_id, signal="no-answer", happened_on=TODAY, note="rang"
    )
    scene.monitoring.signals.enter(new, by="li")

    assert scene.ask()[1] is None


def test_a_reminder_is_news_once_it_is_sent(scene: Scene) -> None:
    dunning = DunningService(
        database=scene.house.database,
        clock=scene.house.clock,
        policies=FixedDunning(),
        business_date=TODAY,
    )
    dunning.run(by="li")
    proposed = scene.ask()
    (letter,) = dunning.list_letters(LetterSelection())
    dunning.release(letter.letter_id, by="wang")

    assert proposed == (False, scene.run_id, {"R3", "R4"})
    assert scene.ask() == (False, None, {"R3", "R4"})


def test_every_table_of_a_customer_is_news_or_is_known_to_change_no_daily_rule() -> None:
    of_none = {
        # What an order check judges itself, or what no daily rule reads.
        "customer_stop", "limit_entry", "sales_order_version", "order_check", "order_release",
        "credit_application", "customer_archive", "customer_contact", "customer_identifier",
        "customer_name", "governance_case", "outside_report", "provision_specific", "assessment",
        "assessment_renewal", "record_hold", "dunning_hold", "dunning_charge",
        "risk_industry",
    }  # fmt: skip
    known = {one.name for one in OF_CUSTOMER} | {one.name for one, _ in OF_ITEM}
    known |= {one.name for one, _, _ in OF_OTHER} | {"rating", "customer_merge"}
    moments = {"entered_at_ms", "created_at_ms", "requested_at_ms", "released_at_ms"}
    found = {
        table.name
        for table in metadata.sorted_tables
        if "customer_id" in table.c and moments & set(table.c.keys())
    }

    assert found - known - {"credit_decision"} == of_none
