"""A default takes evidence and two persons; before that it counts for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.core.people.names import is_same_person
from node.records.api_undertakings import build_undertakings_router
from node.records.customers import CustomerService
from node.records.errors import CustomerNotFoundError
from node.records.rules_ageing import OpenItem
from node.records.rules_default import (
    DecisionOutcome,
    DefaultState,
    EndOutcome,
    EvidenceClass,
    count_days_past_due,
)
from node.records.rules_ledger import DisputeCause
from node.records.undertakings import (
    DefaultInvalidError,
    DefaultNotFoundError,
    DefaultService,
    PromiseService,
    SamePersonError,
)
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.places import call, check

DOCUMENT = "ab" * 32
LONG_AGO = date(2025, 12, 1)
CONFIRMED, REJECTED = DecisionOutcome.CONFIRMED, DecisionOutcome.REJECTED


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def defaults(house: House) -> DefaultService:
    return DefaultService(database=house.database, clock=house.clock, business_date=TODAY)


def propose(
    house: House,
    defaults: DefaultService,
    *,
    evidence: EvidenceClass = EvidenceClass.COURT,
    on: date = TODAY,
) -> int:
    return defaults.propose(
        house.customer_id, evidence_class=evidence, on=on, document_sha256_hex=DOCUMENT, by="li"
    )


def list_adverse(house: House, *, as_of: date = TODAY) -> list[tuple[str, bool]]:
    """Return what counts for ourselves, from the window of behaviour."""
    window = house.records.find_behaviour_window(
        scheme="sim", value="C1", first_month=2025 * 12, last_month=2026 * 12 + 2, as_of=as_of
    )
    assert window is not None
    return [(one.kind, one.settled) for one in window.adverse]


def test_only_what_another_person_has_confirmed_is_an_adverse_fact(
    house: House, defaults: DefaultService
) -> None:
    house.invoice("A1", (LONG_AGO, 500), on=LONG_AGO)
    key = propose(house, defaults, on=date(2026, 3, 1))
    assert list_adverse(house) == []
    with pytest.raises(SamePersonError):
        defaults.decide(key, outcome=CONFIRMED, reason="seen", by=" Li ")
    assert list_adverse(house) == []

    defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")

    assert list_adverse(house, as_of=date(2026, 2, 28)) == []
    assert list_adverse(house) == [("legal", False)]
    defaults.end(key, outcome=EndOutcome.SETTLED, on=date(2026, 3, 20), by="wang")
    assert list_adverse(house, as_of=date(2026, 3, 19)) == [("legal", False)]
    assert list_adverse(house) == [("legal", True)]
    assert [one.state for one in defaults.list_defaults(house.customer_id)] == [DefaultState.ENDED]


def test_a_rejected_default_is_never_told(house: House, defaults: DefaultService) -> None:
    house.invoice("A1", (LONG_AGO, 500), on=LONG_AGO)
    key = propose(house, defaults)

    defaults.decide(key, outcome=REJECTED, reason="paid before", by="li")  # who proposed may

    assert list_adverse(house) == []
    for again in (CONFIRMED, REJECTED):
        with pytest.raises(DefaultNotFoundError):
            defaults.decide(key, outcome=again, reason="x", by="wang")
    with pytest.raises(DefaultNotFoundError):
        defaults.end(key, outcome=EndOutcome.CURED, on=TODAY, by="wang")


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (EvidenceClass.WRITTEN_NOTICE, "collection"),
        (EvidenceClass.COURT, "legal"),
        (EvidenceClass.INSOLVENCY, "insolvency"),
    ],
)
def test_each_class_stands_as_a_kind_that_the_wire_has(
    house: House, defaults: DefaultService, evidence: EvidenceClass, kind: str
) -> None:
    house.invoice("A1", (LONG_AGO, 500), on=LONG_AGO)
    key = propose(house, defaults, evidence=evidence)
    defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")
    assert list_adverse(house) == [(kind, False)]


def test_ninety_days_past_due_are_what_the_ledger_says(
    house: House, defaults: DefaultService
) -> None:
    due = TODAY - timedelta(days=90)  # an ordinary Wednesday
    (item,) = house.invoice("A1", (due, 500), on=due)
    for on in (TODAY - timedelta(days=1), due):
        with pytest.raises(DefaultInvalidError, match="past due"):
            propose(house, defaults, evidence=EvidenceClass.DAYS_PAST_DUE, on=on)
    key = propose(house, defaults, evidence=EvidenceClass.DAYS_PAST_DUE)
    house.ledger.open_dispute(item, amount_minor=500, cause=DisputeCause.PRICE, on=TODAY, by="li")
    with pytest.raises(DefaultInvalidError, match="past due"):
        defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")
    house.invoice("A2", (due, 100), on=due)
    defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")
    assert list_adverse(house) == [("collection", False)]


def test_what_was_paid_before_the_confirmation_takes_the_ground_away(
    house: House, defaults: DefaultService
) -> None:
    house.invoice("A1", (LONG_AGO, 500), on=LONG_AGO)
    key = propose(house, defaults, evidence=EvidenceClass.DAYS_PAST_DUE)
    house.credit("P1", 500, on=date(2026, 3, 30), allocate=OLDEST)

    with pytest.raises(DefaultInvalidError):
        defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")


def test_what_makes_no_sense_is_refused(house: House, defaults: DefaultService) -> None:
    for wrong in ("", "AB" * 32, "ab" * 31):
        with pytest.raises(DefaultInvalidError):
            defaults.propose(
                house.customer_id,
                evidence_class=EvidenceClass.COURT,
                on=TODAY,
                document_sha256_hex=wrong,
                by="li",
            )
    with pytest.raises(DefaultInvalidError, match="not happened"):
        propose(house, defaults, on=TODAY + timedelta(days=1))
    with pytest.raises(CustomerNotFoundError):
        defaults.list_defaults(99)
    for unknown in (0, 7, 1 << 70):
        with pytest.raises(DefaultNotFoundError):
            defaults.decide(unknown, outcome=REJECTED, reason="x", by="wang")
    key = propose(house, defaults)
    defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")
    for on in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(DefaultInvalidError):
            defaults.end(key, outcome=EndOutcome.CURED, on=on, by="wang")


def test_defaults_of_a_merged_customer_are_the_others_until_they_are_parted(
    house: House, defaults: DefaultService
) -> None:
    customers = CustomerService(database=house.database, clock=house.clock, business_date=TODAY)
    key = propose(house, defaults)
    other = house.add_customer("C2")
    customers.merge(house.customer_id, into_id=other, reason="one", by="li")
    assert [one.default_id for one in defaults.list_defaults(other)] == [key]
    defaults.decide(key, outcome=CONFIRMED, reason="seen", by="wang")
    customers.unmerge(house.customer_id, reason="two", by="li")
    assert defaults.list_defaults(other) == []
    assert [one.default_id for one in defaults.list_defaults(house.customer_id)] == [key]


def test_days_past_due_and_persons_by_rule() -> None:
    def item(due: date, *, disputed: int = 0) -> OpenItem:
        return OpenItem(
            happened_on=due, due_on=due, due_business_on=due, open_minor=9, disputed_minor=disputed
        )

    early = TODAY - timedelta(days=200)
    assert count_days_past_due([], as_of=TODAY) == 0
    assert count_days_past_due([item(TODAY + timedelta(days=9))], as_of=TODAY) == 0
    assert count_days_past_due([item(early, disputed=9)], as_of=TODAY) == 0
    assert count_days_past_due([item(early, disputed=8), item(TODAY)], as_of=TODAY) == 200
    assert is_same_person("Li  Wei", "li wei ")
    assert is_same_person("王伟", "王伟\ufe00")
    assert is_same_person("li", "l\u034fi\u3164")
    assert is_same_person("李 明", "李明")
    assert not is_same_person("li", "wang")


def test_the_commands_and_the_api_do_the_same(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    notice = tmp_path / "notice.pdf"
    notice.write_bytes(b"notice")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    check(call("--home", home, "customer", "add", "sim:A", "A"))

    def run(*arguments: str) -> str:
        return check(call("--home", home, "ledger", "default", *arguments))

    run("propose", "1", "--evidence", "court", "--document", str(notice), "--by", "li")
    run("propose", "1", "--evidence", "court", "--document", str(notice), "--by", "li")
    refused = call(
        "--home", home, "ledger", "default", "confirm", "1", "--reason", "x", "--by", "li"
    )
    assert refused.exit_code == 1
    run("confirm", "1", "--reason", "seen", "--by", "wang")
    run("reject", "2", "--reason", "twice", "--by", "wang")
    run("end", "1", "--outcome", "cured", "--by", "li")
    assert "cured" in run("list", "1")
    first, second = json.loads(run("list", "1", "--json"))
    assert (first["state"], second["state"]) == ("ended", "rejected")
    assert first["decision"]["entered_by"] == "wang"


def test_an_erp_proposes_and_confirms(house: House, defaults: DefaultService) -> None:
    promises = PromiseService(database=house.database, clock=house.clock, business_date=TODAY)
    app = FastAPI(exception_handlers={NodeError: handle_error})
    app.include_router(build_undertakings_router(defaults, promises, today=lambda: TODAY))
    http = TestClient(app)
    path = f"/customers/{house.customer_id}/defaults"
    body = {"by": "li", "evidence": "court", "on": "2026-03-01", "document_sha256_hex": DOCUMENT}

    key = http.post(path, json=body).json()["id"]
    decision = {"by": "li", "outcome": "confirmed", "reason": "seen"}
    assert http.post(f"/defaults/{key}/decision", json=decision).json()["code"] == "same-person"
    decision["by"] = "wang"
    assert http.post(f"/defaults/{key}/decision", json=decision).status_code == 204
    end = {"by": "li", "outcome": "cured", "on": "2026-03-31"}
    assert http.post(f"/defaults/{key}/end", json=end).status_code == 204
    assert http.get(path).json()[0]["state"] == "ended"
    assert http.post(path, json=body | {"document_sha256_hex": "x"}).status_code == 422
