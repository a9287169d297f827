"""An assessment and a rating room on a database of their own, with records imported from CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import insert

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.policy import Policy
from node.assessment.renewal.service import RenewalService, list_waiting_within
from node.assessment.service import AssessmentService
from node.assessment.statements.store import StatementStore
from node.core.clock import ManualClock
from node.core.database import Database, UnitOfWork
from node.core.people.service import PeopleService
from node.rating.overrides.reading import OverrideReader
from node.rating.overrides.service import OverrideService
from node.rating.runs.movements import MovementService
from node.rating.runs.reviews import ReviewPorts, ReviewService
from node.rating.runs.service import RunService
from node.rating.scale import Scale
from node.rating.service import RatingService
from node.records.histories import list_overdue_since
from node.records.service import RecordsService
from node.records.tables import customer
from tests.support.nodes import CountingBytes
from tests.support.policies import fix_override_policy, fix_policy, fix_scale
from tests.support.stores import migrated_url
from tests.unit.assessment.builders import AS_OF, SUBJECT, build_items

HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed"
)


@dataclass(slots=True, kw_only=True)
class Inbox:
    """The port by which peers' summaries are read, filled by the test."""

    records: list[PeerSummaryRecord] = field(default_factory=list)

    def list_peer_summaries(
        self, uow: UnitOfWork, subjects: Sequence[str]
    ) -> dict[str, list[PeerSummaryRecord]]:
        assert not uow.connection.closed

        found: dict[str, list[PeerSummaryRecord]] = {}
        for record in self.records:
            told_of = subjects if record.summary is None else [record.summary.subject]
            for subject in set(told_of).intersection(subjects):
                found.setdefault(subject, []).append(record)
        return found


@dataclass(slots=True, kw_only=True)
class Room:
    """What ``ctx.obj`` offers to these rooms' commands."""

    database: Database
    records: RecordsService
    assessment: AssessmentService
    rating: RatingService
    runs: RunService
    movements: MovementService
    overrides: OverrideService
    override_reader: OverrideReader
    reviews: ReviewService
    inbox: Inbox
    people: PeopleService
    clock: ManualClock
    renewals: RenewalService

    def business_date(self) -> date:
        return AS_OF

    def find_id(self, subject: str = SUBJECT) -> int:
        found = self.assessment.find_customer_id(subject)
        assert found is not None

        return found

    def add_customer(self, value: str, *, kind: str = "company") -> int:
        with self.database.write() as uow:
            inserted = uow.connection.execute(
                insert(customer)
                .values(
                    scheme="sim",
                    value=value,
                    name=f"Customer {value}",
                    country="CN",
                    kind=kind,
                    entered_at_ms=0,
                )
                .returning(customer.c.id)
            )
            return int(inserted.scalar_one())

    def add_invoices(self, value: str, delays: Sequence[int | None]) -> int:
        rows = [HEADER]
        for number, item in enumerate(build_items(delays)):
            paid_on = item.paid[0].paid_on.isoformat() if item.paid else ""
            rows.append(
                f"sim,{value},Customer {value},CN,{value}-{number},1,{item.issued_on},"
                f"{item.due_on},CNY,{item.amount_minor // 100}.00,{paid_on},,"
            )
        report = self.records.import_file(
            "\n".join([*rows, ""]).encode(), file_name="test.csv", source=f"erp-{value}"
        )
        assert not report.rejects

        return self.find_id(f"sim:{value}")


def build_room(
    folder: Path,
    *,
    policy: Policy | None = None,
    former_policies: Sequence[Policy] = (),
    scale: Scale | None = None,
) -> Room:
    """Build the rooms on a store of their own; the caller disposes of the database."""
    database = Database(url=migrated_url(folder / "room.sqlite"))
    return open_room(database, policy=policy, former_policies=former_policies, scale=scale)


def open_room(
    database: Database,
    *,
    policy: Policy | None = None,
    former_policies: Sequence[Policy] = (),
    scale: Scale | None = None,
) -> Room:
    """Build the rooms on a store that is there."""
    clock = ManualClock(at_ms=1_795_500_000_000)
    inbox = Inbox()
    assessment = AssessmentService(
        database=database,
        clock=clock,
        policies=fix_policy(policy, former=former_policies),
        list_peer_summaries=inbox.list_peer_summaries,
    )
    rating = RatingService(
        database=database, clock=clock, assessment=assessment, scales=fix_scale(scale)
    )
    reader = OverrideReader(
        list_peer_summaries=inbox.list_peer_summaries, find_scale=rating.find_scale
    )
    return Room(
        override_reader=reader,
        overrides=OverrideService(
            database=database,
            clock=clock,
            policies=fix_override_policy(),
            reader=reader,
            today=lambda: AS_OF,
        ),
        database=database,
        records=RecordsService(database=database, clock=clock, business_date=AS_OF),
        assessment=assessment,
        rating=rating,
        runs=RunService(
            database=database,
            clock=clock,
            assessment=assessment,
            rating=rating,
            random_bytes=CountingBytes(2),
        ),
        movements=MovementService(
            database=database, find_scale=rating.find_scale, overrides=reader
        ),
        reviews=ReviewService(
            database=database,
            overrides=reader,
            ports=ReviewPorts(
                list_queued=list_waiting_within,
                list_overdue=list_overdue_since,
                list_statements=lambda uow, by: StatementStore(uow.connection).list_newest_ends(
                    by=by
                ),
            ),
        ),
        clock=clock,
        inbox=inbox,
        renewals=RenewalService(database=database),
        people=PeopleService(database=database, clock=clock, random_bytes=CountingBytes(1)),
    )
