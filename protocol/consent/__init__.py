"""Consents: the artefact, its states and signed changes of them, and check 9.

An artefact is immutable and names one provider; what becomes of it are statements beside it. The
status list of the hub is keyed by the artefact's hash.
"""

from protocol.consent.artefact import (
    CONSENT_TYP,
    Consent,
    Purpose,
    check_against,
    check_ceilings,
    commit_document,
    commit_subject,
    encode_consent,
    hash_consent,
    open_consent,
    read_held_consent,
    read_held_derivations,
    sign_consent,
)
from protocol.consent.span import Span, span_end, window_start
from protocol.consent.states import (
    FINAL_STATES,
    STATE_RULES,
    TRANSITIONS,
    ConsentState,
    StateRule,
    StatusSigner,
    combine_states,
    follows,
    may_sign,
)
from protocol.consent.status import (
    STATUS_LIST_TYP,
    STATUS_TYP,
    ConsentStatus,
    open_status,
    read_held_status,
    sign_status,
)
from protocol.consent.use import Standing, Use, check_use, find_end

__all__ = [
    "CONSENT_TYP",
    "FINAL_STATES",
    "STATE_RULES",
    "STATUS_LIST_TYP",
    "STATUS_TYP",
    "TRANSITIONS",
    "Consent",
    "ConsentState",
    "ConsentStatus",
    "Purpose",
    "Span",
    "Standing",
    "StateRule",
    "StatusSigner",
    "Use",
    "check_against",
    "check_ceilings",
    "check_use",
    "combine_states",
    "commit_document",
    "commit_subject",
    "encode_consent",
    "find_end",
    "follows",
    "hash_consent",
    "may_sign",
    "open_consent",
    "open_status",
    "read_held_consent",
    "read_held_derivations",
    "read_held_status",
    "sign_consent",
    "sign_status",
    "span_end",
    "window_start",
]
