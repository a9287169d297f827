"""How long the body of a received summary may stay at the consumer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.consent import Consent, span_end
from protocol.limits import JSON_INTEGER_MAX

REVOKED_GRACE_S = 86_400  # a withdrawal takes effect on what is held within a day
NEVER_S = JSON_INTEGER_MAX
LEGAL = "legal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEnd:
    """When a body goes, and on which basis; ``legal`` keeps it and names why."""

    at_s: int
    basis: str


def get_life_end(consent: Consent, *, received_s: int, revoked_s: int | None) -> LifeEnd:
    """Return when a body received under a consent goes.

    That is a span of data life after receipt, or a day after the withdrawal, whichever is first.
    Only a legal basis of the consent itself overrides both.
    """
    if consent.basis == LEGAL:
        return LifeEnd(at_s=NEVER_S, basis=LEGAL)
    lived_s = span_end(consent.data_life, from_s=received_s)
    if revoked_s is not None and revoked_s + REVOKED_GRACE_S < lived_s:
        return LifeEnd(at_s=revoked_s + REVOKED_GRACE_S, basis="revoked")
    return LifeEnd(at_s=lived_s, basis="data-life")
