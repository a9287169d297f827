"""SQL of erasures that were said: ours, to whom we asked, and our peers', to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.sharing.store.grants import SUMMARY_OPERATIONS
from node.sharing.tables import erasure_in, exchange_in, exchange_out, received_summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """An answer of ours that its receiver says to have erased."""

    ans: bytes
    peer: str
    basis: str
    attested_at_ms: int


class AttestationStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_to_attest(self) -> list[tuple[str, str]]:
        """Return providers who have not been told of an erasure yet, with its basis."""
        query = (
            select(received_summary.c.provider, received_summary.c.erase_basis)
            .where(
                received_summary.c.attested.is_(None), received_summary.c.erased_at_ms.is_not(None)
            )
            .distinct()
        )
        return [(row.provider, row.erase_basis) for row in self._connection.execute(query)]

    def list_unattested(self, provider: str, *, basis: str, limit: int) -> list[bytes]:
        """Return erased messages of a provider that it has not been told of."""
        query = (
            select(received_summary.c.msg)
            .where(
                received_summary.c.attested.is_(None),
                received_summary.c.erased_at_ms.is_not(None),
                received_summary.c.provider == provider,
                received_summary.c.erase_basis == basis,
            )
            .distinct()
            .order_by(received_summary.c.msg)
            .limit(limit)
        )
        return [bytes(msg) for msg in self._connection.execute(query).scalars()]

    def mark_attested(self, msgs: Sequence[bytes], *, jti: bytes) -> None:
        """Note which message tells the provider."""
        self._connection.execute(
            update(received_summary).where(received_summary.c.msg.in_(msgs)).values(attested=jti)
        )

    def renew_attestation(self, old: bytes, new: bytes) -> None:
        """Note that another message tells it now."""
        self._connection.execute(
            update(received_summary).where(received_summary.c.attested == old).values(attested=new)
        )

    def add_attested(
        self, answers: Sequence[bytes], *, peer: str, msg: bytes, basis: str, at_ms: int
    ) -> int:
        """Keep that a peer has erased these answers of ours; return how many were ours."""
        held = select(erasure_in.c.ans).where(erasure_in.c.ans.in_(answers))
        known = set(self._connection.execute(held).scalars())
        ours = select(exchange_in.c.ans).where(
            exchange_in.c.peer == peer, exchange_in.c.ans.in_(answers)
        )
        pushed = select(exchange_out.c.msg).where(
            exchange_out.c.peer == peer,
            exchange_out.c.op.in_(SUMMARY_OPERATIONS),
            exchange_out.c.msg.in_(answers),
        )
        found = {
            bytes(msg)
            for query in (ours, pushed)
            for msg in self._connection.execute(query).scalars()
        }
        rows = [
            {"ans": one, "peer": peer, "msg": msg, "basis": basis, "attested_at_ms": at_ms}
            for one in sorted(found - known)
        ]
        if rows:
            self._connection.execute(insert(erasure_in), rows)
        return len(found)

    def list_attested(self, *, limit: int) -> list[Attested]:
        """Return what peers say to have erased, the newest first."""
        query = select(erasure_in).order_by(erasure_in.c.attested_at_ms.desc()).limit(limit)
        return [
            Attested(
                ans=bytes(row.ans),
                peer=row.peer,
                basis=row.basis,
                attested_at_ms=row.attested_at_ms,
            )
            for row in self._connection.execute(query)
        ]
