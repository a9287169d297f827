"""SQL of what follows from consents: life and erasure of what was received, what was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import count
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from node.core.fields import has_text
from node.sharing.store.exchanging import CODE_GIVEN_UP, CODE_OPEN
from node.sharing.tables import (
    consent,
    consent_status,
    erasure_in,
    exchange_in,
    exchange_item,
    exchange_out,
    payload,
    received_summary,
)
from protocol.consent import FINAL_STATES, ConsentState, StatusSigner
from protocol.message import ANSWERED

DISCLOSED_CODES = ("full", "mix", "class")
SUMMARY_OPERATIONS = ("push", "correct")
TOLD_A_PAGE = 20
CODE_BATCH = "batch"
_TAKEN_IN = (ANSWERED, CODE_OPEN, CODE_GIVEN_UP)  # or perhaps taken in
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSummary:
    """A received summary whose body is still here, with what its life depends on."""

    msg: bytes
    consent: bytes
    token: str | None
    received_at_ms: int
    revoked_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A summary that left this node: an answer, a push or a correction."""

    msg: bytes
    op: str
    peer: str
    consent: bytes
    at_ms: int
    body: bytes | None
    is_refused: bool = False
    """Its receiver did not take it in."""


class GrantStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    # --- the life of what was received

    def list_unplanned(self, *, limit: int) -> list[KeptSummary]:
        """Return summaries whose life nobody has looked at since they came or were withdrawn."""
        revoked = (
            select(
                consent_status.c.consent,
                func.min(consent_status.c.taken_at_ms).label("revoked_at_ms"),
            )
            .where(consent_status.c.state == ConsentState.REVOKED.value)
            .group_by(consent_status.c.consent)
            .subquery()
        )
        query = (
            select(
                received_summary.c.msg,
                received_summary.c.consent,
                consent.c.token,
                func.coalesce(
                    received_summary.c.received_at_ms, exchange_out.c.answered_at_ms, 0
                ).label("received_at_ms"),
                revoked.c.revoked_at_ms,
            )
            .outerjoin(consent, consent.c.hash == received_summary.c.consent)
            .outerjoin(exchange_out, exchange_out.c.ans == received_summary.c.msg)
            .outerjoin(revoked, revoked.c.consent == received_summary.c.consent)
            .where(
                received_summary.c.erased_at_ms.is_(None), received_summary.c.erase_at_s.is_(None)
            )
            .limit(limit)
        )
        return [
            KeptSummary(
                msg=bytes(row.msg),
                consent=bytes(row.consent),
                token=row.token,
                received_at_ms=row.received_at_ms,
                revoked_at_ms=row.revoked_at_ms,
            )
            for row in self._connection.execute(query)
        ]

    def plan_erasure(self, msg: bytes, consent_hash: bytes, *, at_s: int, basis: str) -> None:
        """Write when a body goes, and why."""
        self._connection.execute(
            update(received_summary)
            .where(_is_kept(msg), received_summary.c.consent == consent_hash)
            .values(erase_at_s=at_s, erase_basis=basis)
        )

    def forget_plan(self, consent_hash: bytes) -> None:
        """Have the life of everything received under a consent looked at again."""
        self._connection.execute(
            update(received_summary)
            .where(
                received_summary.c.consent == consent_hash,
                received_summary.c.erased_at_ms.is_(None),
                received_summary.c.superseded_by.is_(None),
            )
            .values(erase_at_s=None, erase_basis=None)
        )

    def list_to_erase(self, *, now_s: int, limit: int) -> list[tuple[bytes, str]]:
        """Return messages whose body goes now, and the basis."""
        query = (
            select(received_summary.c.msg, received_summary.c.erase_basis)
            .where(
                received_summary.c.erased_at_ms.is_(None), received_summary.c.erase_at_s <= now_s
            )
            .order_by(received_summary.c.erase_at_s)
            .limit(limit)
        )
        return [(bytes(row.msg), row.erase_basis) for row in self._connection.execute(query)]

    def list_kept_under(self, consent_hash: bytes) -> list[bytes]:
        """Return messages received under a consent whose bodies are still here."""
        query = (
            select(received_summary.c.msg)
            .where(
                received_summary.c.consent == consent_hash,
                received_summary.c.erased_at_ms.is_(None),
            )
            .distinct()
        )
        return [bytes(msg) for msg in self._connection.execute(query).scalars()]

    def find_provider(self, msg: bytes, *, consent_hash: bytes | None = None) -> str | None:
        """Return who sent a summary that was received, under a consent where one is named."""
        query = select(received_summary.c.provider).where(received_summary.c.msg == msg)
        if consent_hash is not None:
            query = query.where(received_summary.c.consent == consent_hash)
        return self._connection.execute(query.limit(1)).scalar_one_or_none()

    def list_subjects(self, msg: bytes) -> list[str]:
        """Return whom the summaries of a message are about."""
        query = select(received_summary.c.subject).where(received_summary.c.msg == msg).distinct()
        return sorted(self._connection.execute(query).scalars())

    def is_kept(self, msg: bytes) -> bool:
        """Tell whether the body of a summary that was received is still to be erased."""
        query = select(received_summary.c.msg).where(_is_kept(msg))
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def find_xid(self, msg: bytes, *, provider: str) -> bytes | None:
        """Return the message id of the exchange that brought a summary."""
        asked = select(exchange_out.c.jti).where(exchange_out.c.ans == msg).limit(1)
        told = select(exchange_in.c.jti).where(
            exchange_in.c.peer == provider, exchange_in.c.msg == msg
        )
        for query in (asked, told.limit(1)):
            found = self._connection.execute(query).scalar_one_or_none()
            if found is not None:
                return bytes(found)
        return None

    def mark_erased(self, msg: bytes, *, basis: str, at_ms: int) -> None:
        """Delete body and salt of a message that was received, and say since when and why."""
        self._connection.execute(delete(payload).where(payload.c.msg == msg))
        self._connection.execute(
            update(received_summary)
            .where(received_summary.c.msg == msg)
            .values(erased_at_ms=at_ms, erase_basis=basis)
        )

    def supersede(
        self, msg: bytes, consent_hash: bytes, *, by: bytes, reason: str, now_s: int
    ) -> None:
        """Put a correction in the place of a summary; the old body goes at once."""
        self._connection.execute(
            update(received_summary)
            .where(received_summary.c.msg == msg, received_summary.c.consent == consent_hash)
            .values(superseded_by=by, superseded_reason=reason)
        )
        self.plan_erasure(msg, consent_hash, at_s=now_s, basis="corrected")

    # --- what was told under consents

    def list_open_grants(self, *, provider: str, after: bytes, limit: int) -> list[bytes]:
        """Return consents that a provider answers under and that have not ended, in their order."""
        query = (
            select(consent.c.hash)
            .where(
                consent.c.provider == provider,
                consent.c.state.in_((ConsentState.ACTIVE.value, ConsentState.PAUSED.value)),
                consent.c.hash > after,
            )
            .order_by(consent.c.hash)
            .limit(limit)
        )
        return [bytes(name) for name in self._connection.execute(query).scalars()]

    def may_have_ended(self, consent_hash: bytes, *, now_s: int) -> bool:
        """Tell whether a consent is over or was used at all, so that it may be used up."""
        query = select(consent.c.hash).where(
            consent.c.hash == consent_hash, or_(consent.c.exp <= now_s, consent.c.uses > 0)
        )
        return self._connection.execute(query).scalar_one_or_none() is not None

    def count_statuses(self, consent_hash: bytes, *, signer: str) -> int:
        """Return the last number of a signer's statuses of a consent, 0 before the first."""
        query = select(func.max(consent_status.c.seq)).where(
            consent_status.c.consent == consent_hash, consent_status.c.signer == signer
        )
        return self._connection.execute(query).scalar_one_or_none() or 0

    def list_statuses(self, consent_hash: bytes) -> list[str]:
        """Return the signed statuses of a consent in the order in which they were taken."""
        query = (
            select(consent_status.c.token)
            .where(consent_status.c.consent == consent_hash)
            .order_by(consent_status.c.id)
        )
        return list(self._connection.execute(query).scalars())

    def get_newest_status(self, consent_hash: bytes, *, signer: str) -> str:
        """Return a signer's newest status of a consent; empty where there is none."""
        query = (
            select(consent_status.c.token)
            .where(consent_status.c.consent == consent_hash, consent_status.c.signer == signer)
            .order_by(consent_status.c.seq.desc())
            .limit(1)
        )
        return self._connection.execute(query).scalar_one_or_none() or ""

    def find_token(self, consent_hash: bytes) -> str | None:
        """Return a consent's artefact."""
        query = select(consent.c.token).where(consent.c.hash == consent_hash)
        return self._connection.execute(query).scalar_one_or_none()

    def list_unsaid_replaced(self, *, provider: str, limit: int) -> list[bytes]:
        """Return replaced consents whose provider has not stated so, nor another end."""
        # After an end of its own, as when an expired consent is renewed, it has no more to state.
        stated = select(consent_status.c.consent).where(
            or_(
                consent_status.c.state == ConsentState.REPLACED.value,
                and_(
                    consent_status.c.signer == StatusSigner.PROVIDER.value,
                    consent_status.c.state.in_([state.value for state in FINAL_STATES]),
                ),
            )
        )
        query = (
            select(consent.c.hash)
            .where(
                consent.c.provider == provider,
                consent.c.state == ConsentState.REPLACED.value,
                consent.c.hash.not_in(stated),
            )
            .limit(limit)
        )
        return [bytes(name) for name in self._connection.execute(query).scalars()]

    def iterate_told(self, consent_hash: bytes) -> Iterator[Told]:
        """Return what was told under a consent, the newest first, read as far as it is asked for.

        Alone or in a batch; a consent's uses bound how much there is.
        """
        answers = (
            select(
                exchange_in.c.ans, exchange_in.c.op, exchange_in.c.peer, exchange_in.c.at_ms,
                payload.c.body, literal(ANSWERED),
            )
            .outerjoin(payload, payload.c.msg == exchange_in.c.ans)
            .where(exchange_in.c.consent == consent_hash, exchange_in.c.code.in_(DISCLOSED_CODES))
            .order_by(exchange_in.c.at_ms.desc(), exchange_in.c.seq.desc())
        )  # fmt: skip
        pushes = (
            select(
                exchange_out.c.msg, exchange_out.c.op, exchange_out.c.peer, exchange_out.c.at_ms,
                payload.c.body, exchange_out.c.code,
            )
            .outerjoin(payload, payload.c.msg == exchange_out.c.msg)
            .where(
                exchange_out.c.consent == consent_hash, exchange_out.c.op.in_(SUMMARY_OPERATIONS)
            )
            .order_by(exchange_out.c.at_ms.desc(), exchange_out.c.seq.desc())
        )  # fmt: skip
        batches = (
            select(
                exchange_in.c.ans, literal("query"), exchange_in.c.peer, exchange_in.c.at_ms,
                payload.c.body, literal(ANSWERED),
            )
            .join(exchange_item, exchange_item.c.ans == exchange_in.c.ans)
            .join(payload, payload.c.msg == exchange_in.c.ans)
            .where(
                exchange_item.c.consent == consent_hash,
                exchange_item.c.code.in_(DISCLOSED_CODES),
            )
            .order_by(exchange_in.c.at_ms.desc(), exchange_in.c.seq.desc())
        )  # fmt: skip
        return merge(
            *(self._read_told(query, consent_hash) for query in (answers, pushes, batches)),
            key=lambda one: (one.at_ms, one.op),
            reverse=True,
        )

    def _read_told(self, query: Select[Any], consent_hash: bytes) -> Iterator[Told]:
        for offset in count(0, TOLD_A_PAGE):
            rows = self._connection.execute(query.limit(TOLD_A_PAGE).offset(offset)).all()
            for ans, op, peer, at_ms, body, code in rows:
                yield Told(
                    msg=bytes(ans), op=op, peer=peer, consent=consent_hash, at_ms=at_ms,
                    body=body, is_refused=code not in _TAKEN_IN,
                )  # fmt: skip
            if len(rows) < TOLD_A_PAGE:
                return

    def list_grants_of(self, subject: str, *, provider: str) -> list[bytes]:
        """Return every consent of a subject that a provider was named in."""
        query = select(consent.c.hash).where(
            has_text(self._connection, consent.c.subject, subject),
            consent.c.provider == provider,
        )
        return [bytes(name) for name in self._connection.execute(query).scalars()]

    def is_attested_erased(self, ans: bytes) -> bool:
        """Tell whether its receiver says to have erased an answer."""
        query = select(erasure_in.c.ans).where(erasure_in.c.ans == ans)
        return self._connection.execute(query).scalar_one_or_none() is not None

    def find_told(self, msg: bytes, *, consent_hash: bytes) -> Told | None:
        """Return one summary that left this node under a consent."""
        answer = (
            select(
                exchange_in.c.ans, exchange_in.c.op, exchange_in.c.peer, exchange_in.c.consent,
                exchange_in.c.at_ms, payload.c.body,
            )
            .outerjoin(payload, payload.c.msg == exchange_in.c.ans)
            .where(
                exchange_in.c.ans == msg,
                or_(exchange_in.c.consent == consent_hash, exchange_in.c.code == CODE_BATCH),
            )
        )  # fmt: skip
        pushed = (
            select(
                exchange_out.c.msg, exchange_out.c.op, exchange_out.c.peer, exchange_out.c.consent,
                exchange_out.c.at_ms, payload.c.body,
            )
            .outerjoin(payload, payload.c.msg == exchange_out.c.msg)
            .where(
                exchange_out.c.msg == msg,
                exchange_out.c.consent == consent_hash,
                exchange_out.c.op.in_(SUMMARY_OPERATIONS),
            )
        )  # fmt: skip
        for query in (answer, pushed):
            row = self._connection.execute(query.limit(1)).one_or_none()
            if row is not None:
                return Told(
                    msg=bytes(row[0]), op=row[1], peer=row[2], consent=consent_hash,
                    at_ms=row[4], body=row[5],
                )  # fmt: skip
        return None


def _is_kept(msg: bytes) -> ColumnElement[bool]:
    return and_(received_summary.c.msg == msg, received_summary.c.erased_at_ms.is_(None))


INSERT_TOLD = insert(received_summary)
