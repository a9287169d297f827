"""Decisions: rows are appended; that of a decision moves with its last event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from node.core.database import INTEGER_MAX, is_key_of
from node.decision.errors import DecisionOpenError, DecisionSamePersonError, DecisionStateError
from node.decision.keeping import KeptProposal, read_proposal, write_proposal
from node.decision.policy import DecisionPolicy
from node.decision.record import (
    AppliedFor,
    ApprovalRecord,
    ContentVersion,
    DecisionEvent,
    DecisionRecord,
)
from node.decision.rules_proposal import Content
from node.decision.rules_state import OPEN_STATES, DecisionState, EventKind
from node.decision.store.rows import (
    parse_applied,
    parse_approval,
    parse_event,
    parse_record,
    parse_version,
)
from node.decision.tables import (
    credit_decision,
    decision_application,
    decision_approval,
    decision_event,
    decision_hand,
    decision_policy,
    decision_source,
    decision_version,
)
from node.records.store.rows import insert_row

MAKER = "maker"
APPROVER = "approver"
ANSWERING_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """A proposal before it is kept."""

    customer_id: int
    as_of: date
    created_at_ms: int
    proposed_by: str
    rating_id: int | None
    policy_sha256_b64u: str
    is_person: bool
    kept: KeptProposal
    applied: AppliedFor | None
    idempotency_key: str | None
    request_sha256_b64u: str | None


class DecisionStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_policy(self, policy: DecisionPolicy) -> None:
        """Keep a policy by which something is about to be proposed."""
        sha256_b64u = policy.sha256_b64u
        if self.find_policy(sha256_b64u) is None:
            self._connection.execute(
                insert(decision_policy).values(
                    sha256_b64u=sha256_b64u,
                    id=policy.body.id,
                    version=policy.body.version,
                    json=policy.raw.decode(),
                )
            )

    def find_policy(self, sha256_b64u: str) -> bytes | None:
        """Return the bytes of a policy by which something was proposed."""
        query = select(decision_policy.c.json).where(decision_policy.c.sha256_b64u == sha256_b64u)
        text: str | None = self._connection.execute(query).scalar_one_or_none()
        return None if text is None else text.encode()

    def append(self, new: NewDecision, content: Content) -> int:
        """Keep a proposal with its first version and return its key.

        Raises:
            DecisionOpenError: Another one on the customer waits.
        """
        try:
            decision_id = insert_row(
                self._connection,
                credit_decision,
                customer_id=new.customer_id,
                as_of=new.as_of,
                created_at_ms=new.created_at_ms,
                proposed_by=new.proposed_by,
                rating_id=new.rating_id,
                policy_sha256_b64u=new.policy_sha256_b64u,
                is_person=new.is_person,
                proposal_json=write_proposal(new.kept),
                state=DecisionState.PROPOSED,
                last_seq=0,
                valid_until=content.valid_until,
                idempotency_key=new.idempotency_key,
                request_sha256_b64u=new.request_sha256_b64u,
            )
        except IntegrityError as err:
            raise DecisionOpenError("another decision on the customer waits") from err
        self.append_version(
            decision_id,
            ContentVersion(
                version=1,
                content=content,
                entered_by=new.proposed_by,
                entered_at_ms=new.created_at_ms,
            ),
        )
        if new.applied is not None:
            self._connection.execute(
                insert(decision_application).values(decision_id=decision_id, **asdict(new.applied))
            )
        messages = sorted({one.ref for one in new.kept.inputs.references})
        if messages:
            self._connection.execute(
                insert(decision_source),
                [{"decision_id": decision_id, "msg_hash_b64u": one} for one in messages],
            )
        return decision_id

    def append_version(self, decision_id: int, one: ContentVersion) -> None:
        """Keep a version of what is decided."""
        content = one.content
        self._connection.execute(
            insert(decision_version).values(
                decision_id=decision_id,
                version=one.version,
                outcome=content.outcome,
                grade=content.grade,
                currency=content.currency,
                limit_minor=content.limit_minor,
                terms_days=content.terms_days,
                security=content.security,
                monitoring=content.monitoring,
                valid_until=content.valid_until,
                review_on=content.review_on,
                reason_code=one.reason_code,
                reason=one.reason,
                entered_by=one.entered_by,
                role=one.role,
                entered_at_ms=one.entered_at_ms,
            )
        )
        self._connection.execute(
            update(credit_decision)
            .where(credit_decision.c.id == decision_id)
            .values(valid_until=content.valid_until)
        )

    def append_event(
        self,
        decision_id: int,
        event: DecisionEvent,
        *,
        state: DecisionState,
        approved_by: str | None = None,
    ) -> None:
        """Keep a step, which is the next one of the decision, and the state that it leads to.

        Raises:
            DecisionStateError: Somebody else has taken a step meanwhile.
        """
        values = {"state": state, "last_seq": event.seq}
        if approved_by is not None:
            values["approved_by"] = approved_by
        moved = self._connection.execute(
            update(credit_decision)
            .where(credit_decision.c.id == decision_id, credit_decision.c.last_seq == event.seq - 1)
            .values(**values)
        ).rowcount
        if moved != 1:
            raise DecisionStateError("somebody else was first: look at the decision again")
        self._connection.execute(
            insert(decision_event).values(
                decision_id=decision_id,
                seq=event.seq,
                kind=event.kind,
                happened_on=event.happened_on,
                entered_by=event.entered_by,
                entered_at_ms=event.entered_at_ms,
                reason=event.reason,
            )
        )

    def add_hand(self, decision_id: int, person: str, *, duty: str) -> None:
        """Keep that somebody has a hand in a decision; the same again changes nothing.

        Raises:
            DecisionSamePersonError: He has the other one: nobody makes and approves.
        """
        hand = decision_hand.c
        found = self._connection.execute(
            select(hand.duty).where(hand.decision_id == decision_id, hand.person == person)
        ).scalar_one_or_none()
        if found is None:
            self._insert_once(decision_hand, decision_id=decision_id, person=person, duty=duty)
        elif found != duty:
            raise DecisionSamePersonError(f"this person is {found} of the decision already")

    def list_makers(self, decision_id: int) -> frozenset[str]:
        """Return the persons who proposed a decision or changed what was proposed."""
        hand = decision_hand.c
        rows = self._connection.execute(
            select(hand.person).where(hand.decision_id == decision_id, hand.duty == MAKER)
        )
        return frozenset(rows.scalars())

    def append_approval(self, decision_id: int, one: ApprovalRecord) -> None:
        """Keep an approval.

        Raises:
            DecisionSamePersonError: The person, or the authority, has approved already.
        """
        self._insert_once(
            decision_approval,
            decision_id=decision_id,
            round=one.round,
            person=one.person,
            holder_person=one.holder_person,
            duty=APPROVER,
            name=one.name,
            holder=one.holder,
            role=one.role,
            deputy_id=one.deputy_id,
            version=one.version,
            comment=one.comment,
            human_review=one.human_review,
            approved_at_ms=one.approved_at_ms,
        )

    def find(self, decision_id: int) -> DecisionRecord | None:
        """Return a decision."""
        if not is_key_of(credit_decision.c.id, decision_id):
            return None
        found = self._read([credit_decision.c.id == decision_id], limit=1)
        return found[0] if found else None

    def find_keyed(self, key: str) -> tuple[int, str | None] | None:
        """Return the decision that an idempotency key stands for, and the hash of the request."""
        row = self._connection.execute(
            select(credit_decision.c.id, credit_decision.c.request_sha256_b64u).where(
                credit_decision.c.idempotency_key == key
            )
        ).one_or_none()
        return None if row is None else (row.id, row.request_sha256_b64u)

    def find_customer_id(self, decision_id: int) -> int | None:
        """Return the customer whom a decision is on."""
        if not is_key_of(credit_decision.c.id, decision_id):
            return None
        query = select(credit_decision.c.customer_id).where(credit_decision.c.id == decision_id)
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def list_newest(
        self,
        *,
        states: Collection[DecisionState] | None = None,
        customer_ids: Collection[int] | None = None,
        limit: int,
        before: int | None = None,
    ) -> list[DecisionRecord]:
        """Return a page of decisions, the newest first."""
        conditions: list[Any] = []
        if states is not None:
            conditions.append(credit_decision.c.state.in_(sorted(states)))
        if customer_ids is not None:
            conditions.append(credit_decision.c.customer_id.in_(sorted(customer_ids)))
        if before is not None:
            conditions.append(credit_decision.c.id < min(before, INTEGER_MAX))
        return self._read(conditions, limit=limit)

    def find_active(self, customer_ids: Collection[int]) -> list[DecisionRecord]:
        """Return what is active for some customers, the newest first."""
        return self.list_newest(
            states={DecisionState.ACTIVE}, customer_ids=customer_ids, limit=len(customer_ids)
        )

    def find_open(self, customer_ids: Collection[int]) -> DecisionRecord | None:
        """Return what waits for people, of some customers that are one."""
        found = self.list_newest(states=OPEN_STATES, customer_ids=customer_ids, limit=1)
        return found[0] if found else None

    def list_past(self, *, day: date, limit: int) -> list[DecisionRecord]:
        """Return what is still marked active though its last day is before a day."""
        return self._read(
            [
                credit_decision.c.state == DecisionState.ACTIVE,
                credit_decision.c.valid_until < day,
            ],
            limit=limit,
        )

    def list_activated(self, *, limit: int) -> list[DecisionRecord]:
        """Return decisions that hold or held, the newest first."""
        activated = select(decision_event.c.decision_id).where(
            decision_event.c.kind == EventKind.ACTIVE
        )
        return self._read([credit_decision.c.id.in_(activated)], limit=limit)

    def list_answering(self, application_ids: Collection[int]) -> list[DecisionRecord]:
        """Return the decisions that answer some applications, the newest first."""
        answering = select(decision_application.c.decision_id).where(
            decision_application.c.application_id.in_(sorted(application_ids))
        )
        return self._read([credit_decision.c.id.in_(answering)], limit=ANSWERING_MAX)

    def list_resting_on(self, msg_hash_b64u: str) -> list[tuple[int, KeptProposal]]:
        """Return the proposals that read a peer's message."""
        rows = self._connection.execute(
            select(credit_decision.c.id, credit_decision.c.proposal_json)
            .join(decision_source, decision_source.c.decision_id == credit_decision.c.id)
            .where(decision_source.c.msg_hash_b64u == msg_hash_b64u)
        )
        return [(row.id, read_proposal(row.proposal_json)) for row in rows]

    def replace_proposal(self, decision_id: int, kept: KeptProposal) -> None:
        """Keep a proposal from which values were erased."""
        self._connection.execute(
            update(credit_decision)
            .where(credit_decision.c.id == decision_id)
            .values(proposal_json=write_proposal(kept))
        )

    def _insert_once(self, table: Table, **values: object) -> None:
        try:
            self._connection.execute(insert(table).values(**values))
        except IntegrityError as err:
            raise DecisionSamePersonError("one person, or one authority, would act twice") from err

    def _read(self, conditions: Iterable[Any], *, limit: int) -> list[DecisionRecord]:
        rows = self._connection.execute(
            select(credit_decision)
            .where(*conditions)
            .order_by(credit_decision.c.id.desc())
            .limit(limit)
        ).all()
        keys = [row.id for row in rows]
        versions = self._list_of(decision_version, keys, order="version")
        events = self._list_of(decision_event, keys, order="seq")
        approvals = self._list_of(decision_approval, keys, order="approved_at_ms")
        applied = self._list_of(decision_application, keys, order="decision_id")
        return [
            parse_record(
                row,
                applied=parse_applied(applied.get(row.id, ())),
                versions=tuple(map(parse_version, versions.get(row.id, ()))),
                events=tuple(map(parse_event, events.get(row.id, ()))),
                approvals=tuple(map(parse_approval, approvals.get(row.id, ()))),
            )
            for row in rows
        ]

    def _list_of(
        self, table: Table, keys: Sequence[int], *, order: str
    ) -> dict[int, list[Row[Any]]]:
        found: dict[int, list[Row[Any]]] = {}
        query = select(table).where(table.c.decision_id.in_(keys)).order_by(table.c[order])
        for row in self._connection.execute(query):
            found.setdefault(row.decision_id, []).append(row)
        return found
