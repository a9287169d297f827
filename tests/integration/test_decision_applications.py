"""A decision takes what an application asks for, and the application follows it to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import delete, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from node.assessment.application.checklist import read_preset_checklist
from node.assessment.application.errors import ApplicationNotFoundError
from node.assessment.application.rules_application import ApplicationState
from node.assessment.application.service import ApplicationService
from node.assessment.application.store import ApplicationStore
from node.assessment.policy_file import Language
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.migrations import build_config
from node.core.people.service import Role
from node.decision.asked import Asked
from node.decision.errors import DecisionInvalidError, DecisionKeyReusedError, DecisionStaleError
from node.decision.evidence import Wish
from node.decision.record import DecisionRecord
from node.decision.rules_state import DecisionState
from node.decision.tables import decision_event
from node.decision.view import build_decision_object
from node.records.store.life_tables import tombstone
from tests.support.decisions import build_chamber
from tests.support.field_secrets import FixedSecrets
from tests.support.nodes import CountingBytes
from tests.support.outside import make_application
from tests.unit.assessment.builders import AS_OF

LIMIT = 4_000_000


class Office:
    """A chamber with a customer who applies."""

    def __init__(self, folder: Path) -> None:
        self.chamber = build_chamber(folder)
        room = self.chamber.room
        set_cipher(
            room.database, FieldCipher(secrets=FixedSecrets(), random_bytes=CountingBytes(3))
        )
        self.applications = ApplicationService(
            database=room.database,
            clock=room.people._clock,
            checklist=read_preset_checklist(),
            business_date=AS_OF,
        )
        self.customer = self.chamber.add_customer("A1")

    def apply(self, customer: int | None = None, *, is_draft: bool = False) -> int:
        key = customer or self.customer
        content = make_application(requested_minor=LIMIT, terms_days=20, applied_on=AS_OF)
        application = self.applications.enter(key, content, by="li")
        if not is_draft:
            self.applications.move(key, application, ApplicationState.SUBMITTED, by="li")
        return application

    def propose(
        self,
        application: int,
        key: str | None = None,
        **wish: Any,  # noqa: ANN401  any part of a wish
    ) -> DecisionRecord:
        terms_days = wish.pop("terms_days", None)
        need = {"need_year_minor": 10**12}
        asked = Asked(wish=Wish(**(need | wish)), application_id=application, terms_days=terms_days)
        return self.chamber.decisions.propose(self.customer, asked=asked, by="Zhang", key=key)

    def find_application(self, application: int) -> tuple[ApplicationState, str | None]:
        found = self.applications.get(self.customer, application)
        return found.state, found.events[-1].reason


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    built = Office(tmp_path)
    yield built
    built.chamber.room.database.dispose()


def test_what_is_asked_is_proposed_granted_and_closes_the_application(office: Office) -> None:
    application = office.apply()
    record = office.propose(application)
    decisions = office.chamber.decisions
    waiting = build_decision_object(
        office.chamber.reports.get(record.decision_id), language=Language.EN, has_peers=True
    )
    decisions.submit(record.decision_id, by="Zhang")
    assert office.find_application(application)[0] is ApplicationState.SUBMITTED

    decisions.approve(record.decision_id, actor=office.chamber.be("Li", Role.CREDIT_MANAGER))

    shown = build_decision_object(
        office.chamber.reports.get(record.decision_id), language=Language.EN, has_peers=True
    )
    assert waiting["granted"] is None
    assert shown["asked"] == {
        "from_application": True,
        "application": application,
        "version": 1,
        "applied_on": AS_OF.isoformat(),
        "currency": "CNY",
        "limit_minor": LIMIT,
        "terms_days": 20,
    }
    for part in ("proposal", "granted"):
        assert (shown[part]["limit_minor"], shown[part]["terms_days"]) == (LIMIT, 20)
    assert office.find_application(application) == (
        ApplicationState.CLOSED,
        f"granted: decision {record.decision_id}",
    )
    answers = office.chamber.reports.list_answers([application])
    assert answers[application].state is DecisionState.ACTIVE


def test_a_rejection_closes_it_and_a_withdrawn_proposal_leaves_it_open(office: Office) -> None:
    application = office.apply()
    first = office.propose(application).decision_id
    decisions = office.chamber.decisions
    decisions.withdraw(first, reason="wrong buyer", actor=office.chamber.be("Z", Role.ANALYST))
    assert office.find_application(application)[0] is ApplicationState.SUBMITTED

    second = office.propose(application).decision_id
    decisions.submit(second, by="Zhang")
    decisions.reject(second, reason="no", actor=office.chamber.be("Li", Role.CREDIT_MANAGER))

    assert office.find_application(application) == (
        ApplicationState.CLOSED,
        f"rejected: decision {second}",
    )
    with pytest.raises(DecisionInvalidError, match="closed"):
        office.propose(application)


@pytest.mark.parametrize(
    "wish", [{"limit_minor": 1}, {"terms_days": 5}, {"currency": "EUR"}], ids=str
)
def test_nothing_is_asked_beside_an_application(office: Office, wish: dict[str, Any]) -> None:
    application = office.apply()

    with pytest.raises(DecisionInvalidError, match="the application says"):
        office.propose(application, **wish)

    assert office.chamber.reports.list_decisions() == []


def test_a_draft_or_another_customers_is_no_source(office: Office) -> None:
    other = office.chamber.add_customer("A2")
    with pytest.raises(DecisionInvalidError, match="draft"):
        office.propose(office.apply(is_draft=True))
    with pytest.raises(ApplicationNotFoundError):
        office.propose(office.apply(other))


@pytest.mark.parametrize("change", ["amended", "withdrawn", "deleted"])
def test_what_is_not_asked_any_more_is_not_granted(office: Office, change: str) -> None:
    application = office.apply()
    record = office.propose(application)
    decisions = office.chamber.decisions
    decisions.submit(record.decision_id, by="Zhang")
    if change == "amended":
        content = make_application(requested_minor=2 * LIMIT, terms_days=20, applied_on=AS_OF)
        office.applications.amend(office.customer, application, content, by="li")
    elif change == "withdrawn":
        office.applications.move(
            office.customer, application, ApplicationState.WITHDRAWN, by="li", reason="no more"
        )
    else:
        with office.chamber.room.database.write() as uow:
            ApplicationStore(uow.connection).delete([application])

    with pytest.raises(DecisionStaleError):
        decisions.approve(record.decision_id, actor=office.chamber.be("Li", Role.CREDIT_MANAGER))

    found = office.chamber.reports.get(record.decision_id).record
    assert found.state is DecisionState.SUBMITTED
    assert found.applied is not None
    assert found.applied.application_id == (None if change == "deleted" else application)
    assert found.applied.applied_on == AS_OF
    decisions.withdraw(
        record.decision_id, reason="gone", actor=office.chamber.be("Z", Role.ANALYST)
    )


def test_one_key_is_one_proposal_also_once_its_application_is_closed(office: Office) -> None:
    application = office.apply()
    record = office.propose(application, key="k-1")
    office.chamber.decisions.submit(record.decision_id, by="Zhang")
    office.chamber.decisions.approve(
        record.decision_id, actor=office.chamber.be("Li", Role.CREDIT_MANAGER)
    )

    again = office.propose(application, key="k-1")

    assert again.decision_id == record.decision_id
    with pytest.raises(DecisionKeyReusedError):
        office.propose(application + 1, key="k-1")


def test_the_migration_goes_both_ways_and_keeps_what_was_decided(office: Office) -> None:
    record = office.propose(office.apply())
    database = office.chamber.room.database
    row = {
        "name_hash_hex": "0" * 64,
        "reason": "erased",
        "gone_on": AS_OF,
        "policy": "r-1",
        "why": "never ours",
        "entered_by": "wang",
        "entered_at_ms": 1,
    }
    with database.write() as uow:
        uow.connection.execute(insert(tombstone).values(row))

    command.downgrade(build_config(database), "0056")
    names = inspect(database.engine).get_table_names()
    command.upgrade(build_config(database), "head")

    assert "decision_application" not in names
    found = office.chamber.reports.get(record.decision_id).record
    assert (found.applied, found.proposed.limit_minor) == (None, LIMIT)
    with database.read() as uow:
        kept = uow.connection.execute(select(tombstone)).one()
    assert (kept.reason, kept.why) == ("erased", None)
    with pytest.raises(DBAPIError), database.write() as uow:
        uow.connection.execute(delete(decision_event))
