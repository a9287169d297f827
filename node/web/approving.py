"""What approves: one table of acts, over the API, on the console and by command.

An act is one that lets something count which another person has made, lifts what holds somebody
back, or lends the authority to do so. Each asks for a second factor and a code that is fresh, or is
refused to tokens, as the node says (``node.core.people.accounts.approvals``). To refuse, return,
withdraw or correct is none: nothing counts by that which did not before.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.core.people.areas import Area

_POLICY = "/console/policies/{version_id}"
_OVERRIDE = "/console/ratings/overrides/{override_id}"
_CUSTOMER = "/console/customers/{customer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act, wherever it is done."""

    name: str
    operations: tuple[str, ...] = ()
    """Paths of POST, below the API's prefix."""
    pages: tuple[tuple[str, Area], ...] = ()
    """Paths of POST on the console, with their areas."""
    commands: tuple[str, ...] = ()


ACTS = (
    Act(
        name="a decision on credit holds, or is overridden",
        operations=("/decisions/{decision_id}/approvals", "/decisions/{decision_id}/overrides"),
        pages=(
            ("/console/decisions/{decision_id}/approve", Area.CREDIT),
            ("/console/decisions/{decision_id}/override", Area.CREDIT),
        ),
        commands=("decide approve", "decide override"),
    ),
    Act(
        name="a deputy approves in another's place",
        operations=("/deputies",),
        commands=("decide deputies name",),
    ),
    Act(
        name="a limit of another kind holds, or ends",
        operations=("/limits/{entry_id}/approval", "/limits/{entry_id}/end"),
        pages=(
            ("/console/limits/{entry_id}/approve", Area.CREDIT),
            ("/console/limits/{entry_id}/end", Area.CREDIT),
        ),
        commands=("risk limits approve", "risk limits end"),
    ),
    Act(
        name="a customer is sold to again",
        operations=("/stops/{stop_id}/end",),
        pages=(("/console/stops/{stop_id}/end", Area.CREDIT),),
        commands=("risk limits end-stop",),
    ),
    Act(
        name="an order that was held goes on",
        operations=("/orders/{order_id}/release",),
        pages=(("/console/orders/{order_id}/release", Area.CREDIT),),
        commands=("risk orders release",),
    ),
    Act(
        name="another grade than the rating's holds, or does no more",
        operations=(
            "/customers/{customer_id}/rating-overrides",
            "/rating-overrides/{override_id}/approval",
            "/rating-overrides/{override_id}/withdrawal",
        ),
        pages=(
            (f"{_CUSTOMER}/overrides", Area.CREDIT),
            (f"{_OVERRIDE}/approve", Area.CREDIT),
            (f"{_OVERRIDE}/withdraw", Area.CREDIT),
        ),
        commands=("rate override give", "rate override approve", "rate override withdraw"),
    ),
    Act(
        name="a policy is approved, or becomes active",
        operations=("/policies/{version_id}/decision", "/policies/{version_id}/activation"),
        pages=((f"{_POLICY}/decision", Area.APPROVALS), (f"{_POLICY}/activation", Area.APPROVALS)),
        commands=("policy approve", "policy reject", "policy activate"),
    ),
    Act(
        name="a default counts",
        operations=("/defaults/{default_id}/decision",),
        pages=((f"{_CUSTOMER}/defaults/{{default_id}}/decision", Area.CREDIT),),
        commands=("ledger default confirm", "ledger default reject"),
    ),
    Act(
        name="a model rates",
        pages=(("/console/models/{model_id}/approve", Area.CREDIT),),
        commands=("model approve",),
    ),
    Act(
        name="a case ends: what it is about counts, or does no more",
        operations=("/cases/{case_id}/decision", "/cases/{case_id}/confirmation"),
        pages=(
            ("/console/cases/{case_id}/decide", Area.CASES),
            ("/console/cases/{case_id}/confirm", Area.CASES),
        ),
        commands=("governance case uphold", "governance case reject", "governance case confirm"),
    ),
    Act(
        name="an objection ends: what it is against counts, or does no more",
        operations=(
            "/objections/{objection_id}/end",
            "/received-objections/{summary_objection_id}/end",
        ),
        pages=((f"{_CUSTOMER}/objections/{{summary_objection_id}}/end", Area.PEERS),),
        commands=("records notice close",),  # The other one goes over the API.
    ),
    Act(
        name="a dunning letter is sent",
        operations=("/dunning-letters/{letter_id}/release",),
        pages=(("/console/dunning/{letter_id}/release", Area.LEDGER),),
        commands=("risk dunning release",),
    ),
)
APPROVING = frozenset(("POST", path) for act in ACTS for path in act.operations)
APPROVING_PAGES = {path: area for act in ACTS for path, area in act.pages}
APPROVING_COMMANDS = frozenset(command for act in ACTS for command in act.commands)
