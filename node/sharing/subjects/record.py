"""A request for a consent, and who may act on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from node.sharing.subjects.rules_terms import ConsentTerms


class RequestState(StrEnum):
    """How far a request has come."""

    OPEN = "open"
    SIGNED = "signed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What was asked of a subject, by whom, and what became of it; times in Unix milliseconds."""

    request_id: int
    subject: str
    terms: ConsentTerms
    state: RequestState
    has_code: bool
    """Whether a code waits to be used."""
    expires_at_ms: int
    entered_by: str
    entered_at_ms: int
    opened_at_ms: int | None = None
    ended_at_ms: int | None = None
    consents: tuple[bytes, ...] = ()

    def is_open(self, *, now_ms: int) -> bool:
        """Tell whether it may still be signed."""
        return self.state is RequestState.OPEN and now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A request with the code that opens it, which is told this once."""

    request: ConsentRequest
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSession:
    """What a subject's browser may do: act on one request, or on its own page with its key."""

    subject: str
    request_id: int | None
    kid: str | None
    expires_at_ms: int
    csrf: str = field(repr=False, default="")
