"""Credit applications over a real store: states, documents, what is missing or outdated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from node.assessment.application.checklist import parse_checklist, read_preset_checklist
from node.assessment.application.errors import (
    ApplicationDraftOpenError,
    ApplicationIncompleteError,
    ApplicationInvalidError,
    ApplicationKeyReusedError,
    ApplicationNotFoundError,
    ApplicationStateError,
    DocumentNotFoundError,
)
from node.assessment.application.readers import build_application_facts
from node.assessment.application.rules_application import (
    NEXT_STATES,
    ApplicationState,
    Document,
    DocumentState,
    Reference,
    ReferenceKind,
    check_documents,
)
from node.assessment.application.service import ApplicationService
from node.assessment.policy_file import PolicyInvalidError
from node.assessment.statements.service import StatementService
from node.records.archiving import CustomerArchivedError
from node.records.ledger.errors import ItemInvalidError
from tests.support.ledgers import TODAY, House
from tests.support.outside import make_application
from tests.support.statements import PROVENANCE, build_statement

CHECKLIST = read_preset_checklist()
REQUIRED = ("application-form", "business-licence", "bank-reference", "tax-certificate")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def applications(house: House) -> ApplicationService:
    return ApplicationService(
        database=house.database, clock=house.clock, checklist=CHECKLIST, business_date=TODAY
    )


def add_documents(
    applications: ApplicationService, house: House, key: int, *kinds: str
) -> list[int]:
    day = date(2026, 3, 5)
    return [
        applications.enter_document(
            house.customer_id,
            key,
            Document(kind=kind, dated_on=day, received_on=day),
            by="li",
        )
        for kind in kinds
    ]


def add_statements(house: House) -> None:
    service = StatementService(database=house.database, clock=house.clock, business_date=TODAY)
    years = [build_statement(year) for year in (2023, 2024, 2025)]
    service.enter(house.customer_id, years, provenance=PROVENANCE, by="li")


def lead(
    applications: ApplicationService, house: House, key: int, *states: ApplicationState
) -> None:
    for state in states:
        applications.move(house.customer_id, key, state, by="li", reason="as asked")


def test_an_application_comes_back_with_all_that_it_asks_for(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")

    found = applications.get(house.customer_id, key)
    assert found.content == make_application()
    assert found.state is ApplicationState.DRAFT
    assert [(one.version, one.entered_by) for one in found.versions] == [(1, "li")]


def test_what_is_missing_and_outdated_is_listed_with_its_dates(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    add_documents(applications, house, key, "business-licence")
    old = date(2025, 9, 28)  # 184 days before today: a bank reference holds 183
    applications.enter_document(
        house.customer_id,
        key,
        Document(kind="bank-reference", dated_on=old, received_on=old),
        by="li",
    )

    lines = {one.wanted.id: one for one in applications.report(house.customer_id).lines}

    licence, bank = lines["business-licence"], lines["bank-reference"]
    assert (licence.state, licence.newest_on) == (DocumentState.THERE, date(2026, 3, 5))
    assert (bank.state, bank.holds_until) == (DocumentState.OUTDATED, date(2026, 3, 30))
    assert lines["tax-certificate"].state is DocumentState.MISSING
    assert lines["trade-reference"].state is DocumentState.MISSING
    assert not lines["trade-reference"].is_lacking  # it is not required


@pytest.mark.parametrize(
    ("as_of", "state"),
    [(date(2026, 3, 30), DocumentState.THERE), (date(2026, 3, 31), DocumentState.OUTDATED)],
)
def test_a_document_is_outdated_the_day_after_it_held_last(
    as_of: date, state: DocumentState
) -> None:
    day = date(2025, 9, 28)
    given = [Document(kind="bank-reference", dated_on=day, received_on=day)]

    lines = {one.wanted.id: one for one in check_documents(CHECKLIST, given, as_of=as_of)}

    assert lines["bank-reference"].state is state


def test_two_papers_of_one_day_are_one_of_the_three_that_are_wanted() -> None:
    days = [date(2026, 1, 31), date(2026, 1, 31), date(2026, 2, 28)]
    given = [Document(kind="bank-statement", dated_on=day, received_on=day) for day in days]

    lines = {one.wanted.id: one for one in check_documents(CHECKLIST, given, as_of=TODAY)}

    assert lines["bank-statement"].found == 2
    assert lines["bank-statement"].state is DocumentState.MISSING


def test_it_is_complete_only_with_everything_that_is_required(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    lead(applications, house, key, ApplicationState.SUBMITTED)
    add_documents(applications, house, key, *REQUIRED)

    with pytest.raises(ApplicationIncompleteError, match="financial-statement missing: 0 of 3"):
        lead(applications, house, key, ApplicationState.COMPLETE)
    add_statements(house)  # those that are entered count by themselves
    lead(applications, house, key, ApplicationState.COMPLETE, ApplicationState.CLOSED)

    states = [one.state.value for one in applications.get(house.customer_id, key).events]
    assert states == ["draft", "submitted", "complete", "closed"]


def test_no_state_is_reached_but_by_its_way(house: House, applications: ApplicationService) -> None:
    add_statements(house)
    ways = {
        ApplicationState.DRAFT: (),
        ApplicationState.SUBMITTED: (ApplicationState.SUBMITTED,),
        ApplicationState.COMPLETE: (ApplicationState.SUBMITTED, ApplicationState.COMPLETE),
        ApplicationState.WITHDRAWN: (ApplicationState.WITHDRAWN,),
        ApplicationState.CLOSED: (ApplicationState.SUBMITTED, ApplicationState.CLOSED),
    }
    for state, way in ways.items():
        for wanted in ApplicationState:
            key = applications.enter(house.customer_id, make_application(), by="li")
            add_documents(applications, house, key, *REQUIRED)
            lead(applications, house, key, *way)

            if wanted in NEXT_STATES[state]:
                lead(applications, house, key, wanted)
                assert applications.get(house.customer_id, key).state is wanted
            else:
                with pytest.raises(ApplicationStateError):
                    lead(applications, house, key, wanted)
            if applications.get(house.customer_id, key).state is ApplicationState.DRAFT:
                lead(applications, house, key, ApplicationState.WITHDRAWN)  # one draft at a time


def test_a_withdrawal_needs_a_reason_and_ends_what_may_be_added(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")

    with pytest.raises(ItemInvalidError):
        applications.move(house.customer_id, key, ApplicationState.WITHDRAWN, by="li")
    lead(applications, house, key, ApplicationState.WITHDRAWN)

    with pytest.raises(ApplicationStateError):
        add_documents(applications, house, key, "business-licence")
    with pytest.raises(ApplicationStateError):
        applications.amend(house.customer_id, key, make_application(), by="li")


def test_what_is_asked_for_changes_by_a_version(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")

    version = applications.amend(
        house.customer_id, key, make_application(terms_days=30, references=()), by="wang"
    )

    found = applications.get(house.customer_id, key)
    assert version == 2
    assert (found.content.terms_days, found.versions[0].application.terms_days) == (30, 60)
    assert found.content.references == ()


def test_a_withdrawn_document_is_missing_again(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    (document,) = add_documents(applications, house, key, "tax-certificate")

    applications.withdraw_document(house.customer_id, document, reason="not theirs", by="wang")

    lines = {one.wanted.id: one for one in applications.report(house.customer_id).lines}
    assert lines["tax-certificate"].state is DocumentState.MISSING
    with pytest.raises(DocumentNotFoundError):
        applications.withdraw_document(house.customer_id, document, reason="again", by="li")


def test_the_newest_that_was_submitted_is_the_evidence(
    house: House, applications: ApplicationService
) -> None:
    first = applications.enter(house.customer_id, make_application(), by="li")
    lead(applications, house, first, ApplicationState.SUBMITTED)
    add_documents(applications, house, first, *REQUIRED)
    draft = applications.enter(house.customer_id, make_application(), by="li")

    checked = applications.report(house.customer_id)
    facts = build_application_facts(checked, as_of=TODAY)
    lead(applications, house, first, ApplicationState.WITHDRAWN)
    lead(applications, house, draft, ApplicationState.WITHDRAWN)
    none = build_application_facts(applications.report(house.customer_id), as_of=TODAY)

    assert facts is not None
    assert (facts.application_id, facts.dated_on) == (first, TODAY)
    assert (facts.missing, facts.outdated) == (1, 0)  # the statements
    assert none is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"requested_minor": 0}, "requested"),
        ({"currency": "yuan"}, "currency"),
        ({"terms_days": 366}, "terms_days"),
        ({"terms_days": -1}, "terms_days"),
        ({"purpose": ""}, "purpose"),
        ({"applicant": "x\x1b[2J"}, "applicant"),
        ({"applied_on": date(2026, 4, 1)}, "applied_on"),
        ({"references": (Reference(kind=ReferenceKind.BANK, name=" "),)}, "reference name"),
        ({"references": (Reference(kind=ReferenceKind.BANK, name="B"),) * 11}, "references"),
    ],
)
def test_an_application_that_none_can_be_is_refused(
    house: House, applications: ApplicationService, change: dict[str, object], word: str
) -> None:
    with pytest.raises(ApplicationInvalidError, match=word):
        applications.enter(house.customer_id, make_application(**change), by="li")

    assert applications.report(house.customer_id).applications == ()


@pytest.mark.parametrize(
    ("change", "hash_hex", "word"),
    [
        ({"kind": "photograph"}, None, "kind"),
        ({"received_on": date(2026, 4, 1)}, None, "received_on"),
        ({"dated_on": date(2026, 3, 6)}, None, "dated_on"),
        ({}, "ab", "document_sha256_hex"),
    ],
)
def test_a_document_that_none_can_be_is_refused(
    house: House,
    applications: ApplicationService,
    change: dict[str, object],
    hash_hex: str | None,
    word: str,
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    day = date(2026, 3, 5)
    plain = Document(kind="business-licence", dated_on=day, received_on=day)

    with pytest.raises(ApplicationInvalidError, match=word):
        applications.enter_document(
            house.customer_id,
            key,
            replace(plain, **change),  # type: ignore[arg-type]
            by="li",
            document_sha256_hex=hash_hex,
        )


def test_another_customers_application_is_not_found(
    house: House, applications: ApplicationService
) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    other = house.add_customer("C2")

    with pytest.raises(ApplicationNotFoundError):
        applications.get(other, key)
    with pytest.raises(ApplicationNotFoundError):
        applications.move(other, key, ApplicationState.SUBMITTED, by="li")


def test_nothing_joins_a_closed_relation(house: House, applications: ApplicationService) -> None:
    key = applications.enter(house.customer_id, make_application(), by="li")
    house.lifecycle.archive(house.customer_id, reason="moved away", by="wang")

    with pytest.raises(CustomerArchivedError):
        applications.enter(house.customer_id, make_application(), by="li")
    with pytest.raises(CustomerArchivedError):
        lead(applications, house, key, ApplicationState.SUBMITTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id": "articles"', b'"id": "bank-statement"'),
        (b'"count": 3', b'"count": 0'),
        (b'"is_required": true', b'"is_required": "yes"'),
    ],
)
def test_a_checklist_that_is_none_is_refused(project_root: Path, old: bytes, new: bytes) -> None:
    folder = project_root / "node/assessment/application/policies"
    raw = (folder / "checklist-1.json").read_bytes()

    with pytest.raises(PolicyInvalidError):
        parse_checklist(raw.replace(old, new, 1))


def test_an_application_entered_again_under_its_key_is_the_one_of_before(
    house: House, applications: ApplicationService
) -> None:
    first = applications.enter(house.customer_id, make_application(), by="li", key="k1")
    lead(applications, house, first, ApplicationState.SUBMITTED)

    again = applications.enter(house.customer_id, make_application(), by="li", key="k1")

    assert again == first
    assert len(applications.report(house.customer_id).applications) == 1
    with pytest.raises(ApplicationKeyReusedError):
        applications.enter(house.customer_id, make_application(), by="wang", key="k1")
    other = make_application(requested_minor=1)
    with pytest.raises(ApplicationKeyReusedError):
        applications.enter(house.customer_id, other, by="li", key="k1")


def test_a_customer_has_one_draft_at_a_time(house: House, applications: ApplicationService) -> None:
    first = applications.enter(house.customer_id, make_application(), by="li")

    with pytest.raises(ApplicationDraftOpenError, match=str(first)):
        applications.enter(house.customer_id, make_application(), by="li")
    lead(applications, house, first, ApplicationState.WITHDRAWN)

    assert applications.enter(house.customer_id, make_application(), by="li") > first
