"""What was proposed, as it is kept beside the decision: the arms, their inputs, both variants."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from node.decision.rules_limit import Arm, ArmCode, LimitInputs
from node.decision.rules_proposal import Circumstances, Proposal, RatedAs, Variant

ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProposal:
    """A proposal with everything it was made from, and what it changed when it was made.

    ``exposure_minor`` is what the customer owed then, ``active_minor`` the limit that held (None:
    none did), both in the currency of the proposal.
    """

    proposal: Proposal
    inputs: LimitInputs
    rated: RatedAs | None
    circumstances: Circumstances
    exposure_minor: int
    active_minor: int | None


_ADAPTER = TypeAdapter(KeptProposal)


def write_proposal(kept: KeptProposal) -> str:
    """Write a proposal as it is stored."""
    return _ADAPTER.dump_json(kept).decode()


def read_proposal(text: str) -> KeptProposal:
    """Read a proposal as it was stored."""
    return _ADAPTER.validate_json(text)


def erase_references(kept: KeptProposal, messages: Collection[str]) -> KeptProposal:
    """Return a proposal without the values of some peers' messages; what was decided stays.

    The median goes with them, since it may be one of them.
    """
    return replace(
        kept,
        proposal=replace(kept.proposal, proposed=_erase_variant(kept.proposal.proposed, messages)),
        inputs=replace(
            kept.inputs,
            references=tuple(
                replace(one, lower_minor=None, code=ERASED) if one.ref in messages else one
                for one in kept.inputs.references
            ),
        ),
    )


def erase_all_references(text: str) -> str:
    """Return a proposal, as it is stored, without the values of any peer's message."""
    kept = read_proposal(text)
    return write_proposal(erase_references(kept, {one.ref for one in kept.inputs.references}))


def _erase_variant(variant: Variant, messages: Collection[str]) -> Variant:
    combined = variant.combined
    if combined is not None and combined.capacity_arm is ArmCode.REFERENCES:
        combined = replace(combined, capacity_minor=None, graded_minor=None)
    return replace(
        variant, arms=tuple(_erase_arm(arm, messages) for arm in variant.arms), combined=combined
    )


def _erase_arm(arm: Arm, messages: Collection[str]) -> Arm:
    if arm.code is not ArmCode.REFERENCES or not any(one.ref in messages for one in arm.inputs):
        return arm
    inputs = tuple(
        replace(one, value=None, code=ERASED) if one.ref in messages else one for one in arm.inputs
    )
    return replace(arm, amount_minor=None, why=ERASED, inputs=inputs)
