"""A case as it is kept, with its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from node.governance.cases.rules_case import (
    CaseKind,
    CaseState,
    CaseStep,
    RootCause,
    is_late,
)
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, HASH_BYTES


class TargetKind(StrEnum):
    """What an objection is about."""

    FACT = "fact"  # an adverse fact of ours: event-5, default-3
    SUMMARY = "summary"  # what a peer has told: the message, of a batch with the item
    DISPUTE = "dispute"  # a dispute of the ledger


class CaseChannel(StrEnum):
    """How a case came, and how it was answered."""

    LETTER = "letter"
    EMAIL = "e-mail"
    PHONE = "phone"
    IN_PERSON = "in-person"
    OWN_PAGE = "own-page"  # the subject itself, with its key


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an objection is about, by its name."""

    kind: TargetKind
    ref: str

    @classmethod
    def of_summary(cls, msg: bytes, *, item: int = 0) -> Self:
        """Name a summary that a peer has told."""
        return cls(kind=TargetKind.SUMMARY, ref=f"{encode_b64u(msg)}.{item}")

    def read_summary(self) -> tuple[bytes, int] | None:
        """Return message and item; None where it is no such name."""
        name, _, item = self.ref.partition(".")
        try:
            msg = decode_b64u(name, bytes_exact=HASH_BYTES)
        except ProtocolError:
            return None
        if not item:
            return msg, 0
        is_number = item.isascii() and item.isdigit() and len(item) <= len("99")
        if not is_number or int(item) >= CONSENTS_PER_MESSAGE_MAX:
            return None
        return msg, int(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A case and how far it is."""

    case_id: int
    kind: CaseKind
    customer_id: int | None
    complainant: str
    about: str | None
    text: str
    channel: CaseChannel
    target: Target | None
    objection_id: int | None
    state: CaseState
    result: CaseState | None
    root_cause: RootCause | None
    round: int
    received_on: date
    opened_on: date
    mark_by: date
    due_on: date
    answered_on: date | None
    corrected_on: date | None
    closed_on: date | None
    last_seq: int
    entered_by: str
    entered_at_ms: int

    @property
    def needs_correction(self) -> bool:
        """Whether past receivers are still to be told that what they hear has changed."""
        return (
            self.state in {CaseState.UPHELD, CaseState.SUPPRESSED}
            and self.target is not None
            and self.target.kind is not TargetKind.SUMMARY
            and self.corrected_on is None
        )

    def is_late(self, today: date) -> bool:
        """Tell whether something of it is owed since before today."""
        return is_late(
            self.state,
            due_on=self.due_on,
            mark_by=self.mark_by,
            today=today,
            is_answered=self.answered_on is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One step of a case."""

    seq: int
    round: int
    step: CaseStep
    happened_on: date
    text: str
    by: str
    at_ms: int
    code: str | None = None
    document_sha256_hex: str | None = None
    answers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """A case with all its steps, and whom it is of."""

    record: CaseRecord
    events: tuple[CaseEvent, ...]
    subject_id: str | None
    name: str | None

    def list_round(self, *steps: CaseStep) -> list[CaseEvent]:
        """Return the steps of some kinds in the round at hand."""
        return [one for one in self.events if one.round == self.record.round and one.step in steps]
