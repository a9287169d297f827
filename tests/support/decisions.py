"""A decision room with customers of any grade, and people of any role."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path

from sqlalchemy import update

from node.assessment.statements.rules_statement import Provenance, Source, Statement
from node.assessment.statements.service import StatementService
from node.core.people.service import Principal, Role
from node.decision.asked import Asked
from node.decision.deputies import DeputyService
from node.decision.evidence import Wish
from node.decision.policy import DecisionPolicy, read_preset_decision_policy
from node.decision.record import DecisionRecord
from node.decision.reports import DecisionReports
from node.decision.rules_state import DecisionState
from node.decision.service import DecisionService
from node.rating.store import NewRating, RatingStore
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from tests.support.statements import build_statement
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room

DAY_S = 86_400


@dataclass(slots=True, kw_only=True)
class Chamber:
    """The rooms up to that of decisions; ``policy`` is the one that holds, and may be changed."""

    room: Room
    statements: StatementService
    decisions: DecisionService
    reports: DecisionReports
    deputies: DeputyService
    policies: list[DecisionPolicy]
    people: dict[str, Principal] = field(default_factory=dict)

    def be(self, name: str, role: Role) -> Principal:
        """Return a person with a token of a role, made when first asked for."""
        key = f"{name} {role}"
        if key not in self.people:
            token = self.room.people.create_token(role=role, name=name, life_s=300 * DAY_S)
            self.people[key] = self.room.people.get_principal(token.token)
        return self.people[key]

    def add_customer(self, value: str, *, grade: str = "A", own: str | None = None) -> int:
        """Return a customer with a year of invoices paid in time, a net worth, and a grade."""
        customer_id = self.room.add_invoices(value, [0] * 12)
        self.enter_statement(customer_id)
        self.rate(customer_id, grade, own=own)
        return customer_id

    def enter_statement(self, customer_id: int, statement: Statement | None = None) -> None:
        """Enter a statement whose working capital bears a limit of 8 m."""
        self.statements.enter(
            customer_id,
            [statement or build_statement(factor=40_000_000)],
            provenance=Provenance(
                source=Source.ENTERED, document_sha256_hex=None, received_on=date(2026, 3, 1)
            ),
            by="li",
        )

    def rate(self, customer_id: int, grade: str, *, own: str | None = None) -> None:
        """Rate a customer, and give it this grade, whatever the score."""
        rated = self.room.rating.rate_customer(customer_id, as_of=AS_OF).rating
        values = {one.name: getattr(rated, one.name) for one in fields(NewRating)}
        new = replace(NewRating(**values), grade_with_peers=grade, grade_own=own or grade)
        if grade == "NR":
            new = replace(new, valid_until=None, review_on=date(2027, 2, 22))
        with self.room.database.write() as uow:
            RatingStore(uow.connection).append(new)

    def make_person(self, customer_id: int) -> None:
        """Make a natural person of a customer."""
        with self.room.database.write() as uow:
            uow.connection.execute(
                update(customer).where(customer.c.id == customer_id).values(kind=PERSON_KIND)
            )

    def propose(
        self, customer_id: int, *, limit_minor: int | None = None, by: str = "Zhang"
    ) -> DecisionRecord:
        """Propose for a customer what it asks for."""
        wish = Wish(limit_minor=limit_minor, need_year_minor=10**12)
        return self.decisions.propose(customer_id, asked=Asked(wish=wish), by=by)

    def submit(self, customer_id: int, *, limit_minor: int | None = None) -> int:
        """Propose and submit; return the key of the decision."""
        record = self.propose(customer_id, limit_minor=limit_minor)
        self.decisions.submit(record.decision_id, by="Zhang")
        return record.decision_id

    def find_state(self, decision_id: int) -> DecisionState:
        """Return the state of a decision today."""
        return self.reports.get(decision_id).state


def read_policy(**changes: object) -> DecisionPolicy:
    """Return the shipped policy, by which our own invoices are too few to count, with changes."""
    preset = read_preset_decision_policy()
    arms = preset.body.arms.model_copy(update={"own_invoices_min": 1_000})
    return replace(preset, body=preset.body.model_copy(update={"arms": arms} | changes))


def build_chamber(folder: Path, *, policy: DecisionPolicy | None = None) -> Chamber:
    """Build the rooms; the caller disposes of the database."""
    room = build_room(folder)
    policies = [policy or read_policy()]
    database = room.database
    clock = room.people._clock
    return Chamber(
        room=room,
        statements=StatementService(database=database, clock=clock, business_date=AS_OF),
        decisions=DecisionService(
            database=database,
            clock=clock,
            find_policy=lambda: policies[0],
            list_peer_summaries=room.inbox.list_peer_summaries,
            overrides=room.override_reader,
            business_date=AS_OF,
        ),
        reports=DecisionReports(
            database=database,
            clock=clock,
            find_policy=lambda: policies[0],
            business_date=AS_OF,
        ),
        deputies=DeputyService(
            database=database,
            clock=clock,
            find_policy=lambda: policies[0],
            business_date=AS_OF,
        ),
        policies=policies,
    )


def pass_days(chamber: Chamber, day: date) -> None:
    """Let a business date come."""
    for service in (chamber.decisions, chamber.reports, chamber.deputies):
        service._business_date = day
