"""What one batch's decisions share: consents, counters and peers' heads, read and written once.

Under load many decisions of a batch concern one peer or one consent. They see each other's effects
here, before the rows are written together at the end of the batch's transaction. What was read
serves the next batch too, as long as nobody but the writer has written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from node.core.database import UnitOfWork
from node.core.decision import Batch
from node.records.shareable import is_person_of_records
from node.sharing.store import HeadStore, HeldConsent, SharingStore

_KEY = "exchange"
_ROWS_MAX = 4_096  # consents, and subjects


@dataclass(slots=True)
class _Known:
    """Rows as the database holds them, or will after this batch."""

    consents: dict[bytes, HeldConsent | None] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    persons: dict[str, bool] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether so much is known that it is read anew."""
        return max(len(self.consents), len(self.persons)) > _ROWS_MAX


@dataclass(slots=True, kw_only=True)
class ExchangeBatch:
    """One batch's view; made on first need, written by the writer before it commits."""

    uow: UnitOfWork
    store: SharingStore
    head_store: HeadStore
    consents: dict[bytes, HeldConsent | None]
    counters: dict[str, int]
    persons: dict[str, bool]
    used: set[bytes] = field(default_factory=set)
    numbered: set[str] = field(default_factory=set)
    heads: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Return the view of a batch."""
        known = batch.scratch.get(_KEY)
        if isinstance(known, cls):
            return known
        rows = batch.memory.get(_KEY)
        if not isinstance(rows, _Known) or rows.is_full:
            rows = _Known()
            batch.memory[_KEY] = rows
        made = cls(
            uow=batch.uow,
            store=SharingStore(batch.connection),
            head_store=HeadStore(batch.connection),
            consents=rows.consents,
            counters=rows.counters,
            persons=rows.persons,
        )
        batch.scratch[_KEY] = made
        batch.at_end.append(made.write)
        return made

    def find_consent(self, consent_hash: bytes) -> HeldConsent | None:
        """Return a consent as the decisions before this one left it."""
        if consent_hash not in self.consents:
            self.consents[consent_hash] = self.store.find_consent(consent_hash)
        return self.consents[consent_hash]

    def is_person(self, subject: str) -> bool:
        """Tell whether a subject is, by our records, a natural person or sole trader."""
        if subject not in self.persons:
            scheme, _, value = subject.partition(":")
            self.persons[subject] = is_person_of_records(self.uow, scheme=scheme, value=value)
        return self.persons[subject]

    def count_use(self, held: HeldConsent, *, window_start_s: int) -> None:
        """Count one use, in the lifetime total and in the calendar window."""
        in_window = held.window_uses if held.window_start_s == window_start_s else 0
        self.consents[held.hash] = replace(
            held, uses=held.uses + 1, window_start_s=window_start_s, window_uses=in_window + 1
        )
        self.used.add(held.hash)

    def forget_consent(self, consent_hash: bytes) -> None:
        """Write a consent's uses now, so that it can be changed in the store."""
        held = self.consents.pop(consent_hash, None)
        if held is not None and consent_hash in self.used:
            self.used.discard(consent_hash)
            self.store.store_uses([held])

    def next_counter(self, peer: str) -> int:
        """Allocate our next number for a peer, from 1."""
        if peer not in self.counters:
            self.counters[peer] = self.store.read_counter(peer)
        self.counters[peer] += 1
        self.numbered.add(peer)
        return self.counters[peer]

    def note_head(self, peer: str, *, size: int, checkpoint: str) -> None:
        """Keep a peer's proven checkpoint if it is the newest of its log seen in this batch."""
        name = (peer, checkpoint[: checkpoint.index("\n")])  # the first line is the origin
        if size > self.heads.get(name, (0, ""))[0]:
            self.heads[name] = (size, checkpoint)

    def write(self) -> None:
        """Write what changed."""
        used = [held for name in self.used if (held := self.consents[name]) is not None]
        if used:
            self.store.store_uses(used)
        if self.numbered:
            self.store.store_counters({peer: self.counters[peer] for peer in self.numbered})
        if self.heads:
            self.head_store.store_all(self.heads)
