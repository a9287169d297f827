"""The states of a consent: what may follow what, and who may say so. The only place that decides.

Each signer (the subject, the consent's provider, a hub; where a paper stands in the place of the
subject's key, the consumer) has a state of its own for a consent and
changes it by numbered statuses; the numbers of one signer say nothing of another's. What counts is
the strictest of them: a final state of anybody ends the consent, a pause of anybody halts it, and
nobody lifts another's pause. A provider can thus brake, and never open what its subject has closed.
``expired``, ``exhausted`` and ``replaced`` follow from the artefact, the uses and a newer artefact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ConsentState(StrEnum):
    """States of a consent; the last four are final."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"
    REPLACED = "replaced"


class StatusSigner(StrEnum):
    """Who signs a status; the claim ``by``."""

    SUBJECT = "subject"
    PROVIDER = "provider"
    HUB = "hub"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """One row of the table: a state, what it may become, and who may sign it."""

    state: ConsentState
    next: frozenset[ConsentState]
    signers: frozenset[StatusSigner]

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not self.next


_ALL = frozenset(ConsentState)
# A consumer carries a withdrawal over; that what it vouched for counts again is not its to say.
_ANYBODY = frozenset(StatusSigner)
_BRAKES = _ANYBODY - {StatusSigner.CONSUMER}
_PARTIES = _BRAKES - {StatusSigner.HUB}  # A hub sees neither artefacts nor uses.
_NOTHING = frozenset[ConsentState]()

STATE_RULES: Mapping[ConsentState, StateRule] = MappingProxyType(
    {
        rule.state: rule
        for rule in (
            StateRule(
                state=ConsentState.ACTIVE, next=_ALL - {ConsentState.ACTIVE}, signers=_BRAKES
            ),
            StateRule(
                state=ConsentState.PAUSED, next=_ALL - {ConsentState.PAUSED}, signers=_BRAKES
            ),
            StateRule(state=ConsentState.REVOKED, next=_NOTHING, signers=_ANYBODY),
            StateRule(state=ConsentState.EXPIRED, next=_NOTHING, signers=_PARTIES),
            StateRule(state=ConsentState.EXHAUSTED, next=_NOTHING, signers=_PARTIES),
            StateRule(state=ConsentState.REPLACED, next=_NOTHING, signers=_PARTIES),
        )
    }
)
FINAL_STATES = frozenset(state for state, rule in STATE_RULES.items() if rule.is_final)
TRANSITIONS: Mapping[ConsentState, frozenset[ConsentState]] = MappingProxyType(
    {state: rule.next for state, rule in STATE_RULES.items()}
)
# Of two final states the earlier here is named: a withdrawal is never hidden behind another end.
_STRICTEST_FIRST = (
    ConsentState.REVOKED,
    ConsentState.REPLACED,
    ConsentState.EXPIRED,
    ConsentState.EXHAUSTED,
    ConsentState.PAUSED,
)


def may_sign(signer: StatusSigner, state: ConsentState) -> bool:
    """Tell whether this signer may state this state at all."""
    return signer in STATE_RULES[state].signers


def follows(state: ConsentState, then: ConsentState) -> bool:
    """Tell whether a signer in a state of its own may go on to another."""
    return then in STATE_RULES[state].next


def combine_states(states: Iterable[ConsentState]) -> ConsentState:
    """Return what counts where the signers have stated these: the strictest; active where none."""
    stated = frozenset(states)
    return next((state for state in _STRICTEST_FIRST if state in stated), ConsentState.ACTIVE)
