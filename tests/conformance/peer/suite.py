"""Every case, in the order in which they are run."""

from __future__ import annotations

from tests.conformance.peer.case import Case, CaseList, Role
from tests.conformance.peer.cases import (
    asking,
    asking_batch,
    batch,
    consent_put,
    deferred,
    forms,
    haste,
    heads,
    polling,
    proofs,
    pushing,
    query,
    receipt,
    refusals,
    registry,
    statuses,
    told,
)

FILES: tuple[CaseList, ...] = tuple(
    file.CASES
    for file in (
        heads, forms, refusals, proofs, query, consent_put, statuses, receipt, batch, deferred,
        pushing, haste, registry, told, asking_batch, polling, asking,
    )
)  # fmt: skip
_ORDER = (Role.PROVIDER, Role.ASKER, Role.ENDING)


def list_cases() -> list[Case]:
    """Return every case; those that leave the node without exchange come last."""
    cases = [case for file in FILES for case in file.cases]
    return sorted(cases, key=lambda case: _ORDER.index(case.role))
