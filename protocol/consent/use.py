"""Check 9: whether a consent covers one use, now (docs/protocol/consent.md §6).

Pure, in order, the same at the provider, the consumer and the auditor.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType

from protocol.consent.artefact import Consent
from protocol.consent.states import ConsentState
from protocol.problems import (
    ConsentExhaustedError,
    ConsentExpiredError,
    ConsentNotYetValidError,
    ConsentPausedError,
    ConsentReplacedError,
    ConsentRevokedError,
    FrequencyError,
    MetricNotAllowedError,
    OperationNotAllowedError,
    OverCeilingError,
    PeerProblemError,
    PurposeMismatchError,
    WrongConsumerError,
    WrongProviderError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a query asks of a consent."""

    consumer: str
    provider: str
    purpose: str
    op: str
    metrics: Collection[str]
    last_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a consent stands when it is used: state, uses so far, uses in the present window."""

    state: ConsentState
    uses: int
    uses_in_window: int


_STATE_ERRORS: MappingProxyType[ConsentState, type[PeerProblemError]] = MappingProxyType(
    {
        ConsentState.REVOKED: ConsentRevokedError,
        ConsentState.PAUSED: ConsentPausedError,
        ConsentState.EXPIRED: ConsentExpiredError,
        ConsentState.EXHAUSTED: ConsentExhaustedError,
        ConsentState.REPLACED: ConsentReplacedError,
    }
)


def check_use(consent: Consent, *, use: Use, standing: Standing, now_s: int) -> None:
    """Check one use of a verified consent (check 9); the first failing check wins.

    Raises:
        PeerProblemError: The leaf that says which condition fails.
    """
    # Strangers first: who is not a party learns nothing of the state.
    if use.consumer != consent.consumer:
        raise WrongConsumerError("the consent names another consumer")
    if use.provider != consent.provider:
        raise WrongProviderError("the consent names another provider")
    _check_standing(consent, standing=standing, now_s=now_s)
    if use.purpose != consent.purpose.code:
        raise PurposeMismatchError(f"asked for {use.purpose}, given for {consent.purpose.code}")
    if use.op not in consent.ops:
        raise OperationNotAllowedError(f"{use.op} is not among the operations")
    if not set(use.metrics) <= set(consent.metrics):
        raise MetricNotAllowedError(", ".join(sorted(set(use.metrics) - set(consent.metrics))))
    if use.last_months > consent.last_months:
        raise OverCeilingError(f"{use.last_months} months asked for, {consent.last_months} allowed")
    if standing.uses_in_window >= consent.frequency.n:
        raise FrequencyError(f"{consent.frequency.n} uses a {consent.frequency.unit}")


def find_end(consent: Consent, *, standing: Standing, now_s: int) -> ConsentState | None:
    """Return the state in which a consent has ended by itself, or None."""
    if now_s >= consent.exp:
        return ConsentState.EXPIRED
    return ConsentState.EXHAUSTED if standing.uses >= consent.max_uses else None


def _check_standing(consent: Consent, *, standing: Standing, now_s: int) -> None:
    error = _STATE_ERRORS.get(standing.state)
    if error is not None:
        raise error(f"the consent is {standing.state.value}")
    if now_s < consent.nbf:
        raise ConsentNotYetValidError(f"valid from {consent.nbf}")
    if now_s >= consent.exp:
        raise ConsentExpiredError(f"valid until {consent.exp}")
    if standing.uses >= consent.max_uses:
        raise ConsentExhaustedError(f"all {consent.max_uses} uses are used")
