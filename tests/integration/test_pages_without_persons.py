"""Lists from which natural persons are left out: no page is short while more follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.alerts.rules_alert import Cause
from node.risk.alerts.store import AlertStore, Stamp
from node.risk.daily.tables import risk_change
from node.risk.plans.store import NewAction
from node.risk.policies.policy import PlanKind
from node.risk.rules.judged import Source
from node.risk.rules_finding import RiskStatus
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import BUSINESS_DATE, build_console_node

PERSONS, COMPANIES = range(1, 6), range(6, 9)
PERSONS_LATER = range(9, 12)
EVERY = (*PERSONS, *COMPANIES, *PERSONS_LATER)
LIMIT = 2
DAY = BUSINESS_DATE.isoformat()
GRADES = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C"]


@dataclass(frozen=True, kw_only=True)
class Office:
    http: TestClient
    tokens: dict[str, str]

    def get(self, who: str, path: str) -> list[dict[str, object]]:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        answer = self.http.get(f"{API_PREFIX}{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    node = build_console_node(tmp_path_factory.mktemp("pages") / "home")
    local = node.local
    people = {"Li": Role.CREDIT_MANAGER, "Zhang": Role.ANALYST}
    tokens = {
        name: local.people.create_token(role=role, name=name, life_s=3_600).token
        for name, role in people.items()
    }
    li = local.people.get_principal(tokens["Li"])
    run_id = local.monitoring.runs.run(by="test").run_id
    with TestClient(build_app(node)) as http:
        for key in EVERY:
            watched = [one.record for one in local.monitoring.watch.list_histories(key)]
            if not any(one.left_on is None for one in watched):
                local.monitoring.watch.enter(key, reason="x", by="Li")
            action = NewAction(
                customer_id=key, kind=PlanKind.CALL, note="x", owner="wu", due_on=BUSINESS_DATE
            )
            local.monitoring.actions.enter(action, by="Li")
            headers = {"authorization": f"Bearer {tokens['Li']}", "idempotency-key": f"k{key}"}
            order = {
                "point": "order", "customer": key, "number": f"S{key}", "currency": "CNY",
                "amount_minor": 10**12, "by": "Li",
            }  # fmt: skip
            limit = {
                "kind": "temporary", "currency": "CNY", "amount_minor": 1, "first_on": DAY,
                "last_on": DAY, "reason": "x", "by": "Li",
            }  # fmt: skip
            for path, body in (("/orders/check", order), (f"/customers/{key}/limits", limit)):
                sent = http.post(f"{API_PREFIX}{path}", headers=headers, json=body)
                assert sent.status_code in {200, 201}, sent.text
            rating = local.rating.find_latest(key)
            assert rating is not None
            place = GRADES.index(rating.grade_with_peers)
            grade = GRADES[place + 1] if place + 1 < len(GRADES) else GRADES[place - 1]
            local.overrides.give(key, grade=grade, reason_code="outlook", reason="x", actor=li)
        with local.database.write() as uow:
            stamp = Stamp(
                policy="risk-1", policy_sha256_b64u="p" * 43, as_of=BUSINESS_DATE, at_ms=1
            )
            for key in EVERY:
                cause = Cause(
                    cause="test", rule="R3", source=Source.LEDGER, status=RiskStatus.HOLD, level=0,
                    values={}, evidence=(),
                )  # fmt: skip
                AlertStore(uow.connection).open_new(key, cause, stamp)
                change = {
                    "run_id": run_id, "customer_id": key, "kind": "status", "cause": "",
                    "before": "ok", "after": "hold", "is_of_peers": False,
                }  # fmt: skip
                uow.connection.execute(insert(risk_change).values(change))
            persons = customer.c.id.in_([*PERSONS, *PERSONS_LATER])
            uow.connection.execute(update(customer).where(persons).values(kind=PERSON_KIND))
        yield Office(http=http, tokens=tokens)


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        ("/order-holds", "after"),
        ("/limit-requests", "after"),
        ("/risk-changes", "after"),
        ("/risk-alerts", "after"),
        ("/watch-list", "after"),
        ("/risk-actions", "after"),
        ("/rating-overrides", "before"),
    ],
)
def test_a_page_is_full_while_more_follows_and_walks_over_who_is_left_out(
    office: Office, path: str, cursor: str
) -> None:
    everything = office.get("Li", f"{path}?limit=200")
    assert set(EVERY) <= {one["customer"] for one in everything}
    may_be_seen = [one for one in everything if one["customer"] not in {*PERSONS, *PERSONS_LATER}]
    assert len(may_be_seen) < len(everything)

    walked: list[dict[str, object]] = []
    at = ""
    while True:
        page = office.get("Zhang", f"{path}?limit={LIMIT}{at}")
        walked += page
        if len(page) < LIMIT:
            break
        at = f"&{cursor}={page[-1]['id']}"

    assert [one["id"] for one in walked] == [one["id"] for one in may_be_seen]
