"""Forms of defaults: one person proposes, another one confirms or rejects, either ends it."""

from __future__ import annotations

from node.bootstrap.local import LocalNode
from node.core.files import SHA256_FORM
from node.core.people.areas import Area
from node.records.rules_default import (
    DecisionOutcome,
    DefaultState,
    EndOutcome,
    EvidenceClass,
)
from node.web.entry_desk import Fact
from node.web.entry_fields import CUSTOMER, choice_field, day_field, read_reason, reason_field
from node.web.entry_form import Done, Enter, EntryForm, FormField, Ground
from node.web.typed import Typed

EVIDENCE = tuple(one.value for one in EvidenceClass)
DECISIONS = tuple(one.value for one in DecisionOutcome)
ENDS = tuple(one.value for one in EndOutcome)


def _build_proposal(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("evidence", "defaults.evidence", EVIDENCE, "evidence-class"),
        day_field("on", "defaults.day", ground),
        FormField(name="sha256", label="enter.document-hash", hint="enter.document-hash.hint"),
    )


def _read_proposal(form: Typed, ground: Ground) -> Enter:
    evidence = EvidenceClass(form.choice("evidence", EVIDENCE))
    on = form.day("on")
    sha256_hex = form.match("sha256", SHA256_FORM, key="typed.sha256")

    def enter(local: LocalNode, by: str) -> Done:
        local.defaults.propose(
            ground.customer.customer_id,
            evidence_class=evidence,
            on=on,
            document_sha256_hex=sha256_hex,
            by=by,
        )
        facts = (
            Fact(label="defaults.evidence", value=evidence.value, family="evidence-class"),
            Fact(label="defaults.day", value=on.isoformat()),
            Fact(label="defaults.document", value=sha256_hex),
        )
        return Done(facts=facts)

    return enter


def _is(ground: Ground, state: DefaultState) -> bool:
    return ground.default is not None and ground.default.state is state


def _tell_default(ground: Ground) -> tuple[Fact, ...]:
    found = ground.told_default
    return (
        Fact(label="defaults.evidence", value=found.evidence_class.value, family="evidence-class"),
        Fact(label="defaults.day", value=found.happened_on.isoformat()),
    )


def _build_decision(_ground: Ground) -> tuple[FormField, ...]:
    decision = choice_field("outcome", "defaults.decided", DECISIONS, "default-state")
    return (decision, reason_field())


def _read_decision(form: Typed, ground: Ground) -> Enter:
    outcome = DecisionOutcome(form.choice("outcome", DECISIONS))
    reason = read_reason(form)
    default_id = ground.told_default.default_id

    def enter(local: LocalNode, by: str) -> Done:
        local.defaults.decide(default_id, outcome=outcome, reason=reason, by=by)
        facts = (
            *_tell_default(ground),
            Fact(label="defaults.decided", value=outcome.value, family="default-state"),
            Fact(label="enter.reason", value=reason),
        )
        return Done(facts=facts)

    return enter


def _build_end(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("outcome", "item.ended", ENDS, "default-end"),
        day_field("on", "items.date", ground),
    )


def _read_end(form: Typed, ground: Ground) -> Enter:
    outcome = EndOutcome(form.choice("outcome", ENDS))
    on = form.day("on")
    default_id = ground.told_default.default_id

    def enter(local: LocalNode, by: str) -> Done:
        local.defaults.end(default_id, outcome=outcome, on=on, by=by)
        facts = (
            *_tell_default(ground),
            Fact(label="item.ended", value=outcome.value, family="default-end"),
            Fact(label="items.date", value=on.isoformat()),
        )
        return Done(facts=facts)

    return enter


DEFAULT_FORMS: tuple[EntryForm, ...] = (
    EntryForm(
        name="default",
        path=f"{CUSTOMER}/enter/default",
        area=Area.LEDGER,
        build=_build_proposal,
        read=_read_proposal,
    ),
    EntryForm(
        name="default-decision",
        path=f"{CUSTOMER}/defaults/{{default_id}}/decision",
        area=Area.CREDIT,
        build=_build_decision,
        read=_read_decision,
        fits=lambda ground: _is(ground, DefaultState.PROPOSED),
    ),
    EntryForm(
        name="default-end",
        path=f"{CUSTOMER}/defaults/{{default_id}}/end",
        area=Area.CREDIT,
        build=_build_end,
        read=_read_end,
        fits=lambda ground: _is(ground, DefaultState.CONFIRMED),
    ),
)
