"""Dunning letters for people and programs: plain values, and the letter as text or page."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.core.money import format_amount
from node.risk.dunning.letters import SUMMING, LetterForm, render_letter
from node.risk.dunning.rules_charges import ChargeKind, OpenCharge
from node.risk.dunning.rules_dunning import LetterContent, LetterLine, LetterSum, LineReason
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.service import LetterView
from node.risk.dunning.store import DunningRun, Hold, Letter, LetterEvent

STATES: dict[LetterState, LocalText] = {
    LetterState.PROPOSED: LocalText(zh="待签发", en="proposed"),
    LetterState.SENT: LocalText(zh="已签发", en="sent"),
    LetterState.ANSWERED: LocalText(zh="已回复", en="answered"),
    LetterState.WITHDRAWN: LocalText(zh="已撤回", en="withdrawn"),
}
REASONS: dict[LineReason, LocalText] = {
    LineReason.ROSE: LocalText(zh="升级", en="next level"),
    LineReason.PROMISE_BROKEN: LocalText(zh="承诺未兑现，立即升级", en="promise broken"),
    LineReason.LISTED: LocalText(zh="一并列出", en="listed"),
    LineReason.DISPUTED: LocalText(zh="有争议，不催", en="in dispute, not asked for"),
    LineReason.PROMISED: LocalText(zh="已约定付款日，不催", en="promised, not asked for"),
}


def name_letter(letter_id: int) -> str:
    """Return the number under which a letter goes."""
    return f"M-{letter_id}"


def write_letter(view: LetterView, *, sender: str, language: Language, form: LetterForm) -> str:
    """Write a letter by the words and the template that it was made with.

    Raises:
        InvariantError: The template is not the one that it was made with.
    """
    letter, content = view.letter, view.letter.content
    words = view.policy.get_level(content.segment, content.level).words
    return render_letter(
        letter.template,
        letter.template_sha256_b64u,
        language=language.value,
        form=form,
        values={
            "sender": sender,
            "name": view.customer.name,
            "subject_id": view.customer.subject_id,
            "number": name_letter(letter.letter_id),
            "date": (letter.sent_on or content.as_of).isoformat(),
            "as_of": content.as_of.isoformat(),
            "is_draft": letter.sent_on is None,
            "subject": words.subject.render(language),
            "opening": words.opening.render(language),
            "closing": words.closing.render(language),
            "pay_by": "" if letter.pay_by_on is None else letter.pay_by_on.isoformat(),
            "currencies": [
                _write_currency(one, content, sums_up=letter.template in SUMMING)
                for one in content.sums
            ],
        },
    )


def build_letter_object(letter: Letter, *, language: Language) -> dict[str, Any]:
    """Return a letter: codes, amounts in minor units, and words beside them."""
    content = letter.content
    return {
        "id": letter.letter_id,
        "number": name_letter(letter.letter_id),
        "run": letter.run_id,
        "customer": content.customer_id,
        "as_of": content.as_of.isoformat(),
        "policy_sha256_b64u": letter.policy_sha256_b64u,
        "template": letter.template,
        "segment": content.segment,
        "level": content.level,
        "state": letter.state.value,
        "state_text": STATES[letter.state].render(language),
        "sent_on": None if letter.sent_on is None else letter.sent_on.isoformat(),
        "pay_by_on": None if letter.pay_by_on is None else letter.pay_by_on.isoformat(),
        "sums": [
            {
                "currency": one.currency,
                "asked_minor": one.asked_minor,
                "interest_minor": one.interest_minor,
                "fee_minor": one.fee_minor,
                "unapplied_minor": one.unapplied_minor,
                "charges_minor": one.charges_minor,
                "total_minor": one.total_minor,
            }
            for one in content.sums
        ],
        "lines": [
            {
                "item": one.item_id,
                "document_no": one.document_no,
                "line": one.line,
                "due_on": one.due_on.isoformat(),
                "days_overdue": one.days_overdue,
                "currency": one.currency,
                "open_minor": one.open_minor,
                "disputed_minor": one.disputed_minor,
                "asked_minor": one.asked_minor,
                "interest_minor": one.interest_minor,
                "charged_minor": one.charged_minor,
                "interest_from_on": None
                if one.interest_from_on is None
                else one.interest_from_on.isoformat(),
                "level": one.level,
                "reason": one.reason.value,
                "reason_text": REASONS[one.reason].render(language),
                "promise": one.promise_id,
            }
            for one in content.lines
        ],
        "charges": [
            {
                "charge": one.charge_id,
                "letter": one.letter_id,
                "kind": one.kind.value,
                "document_no": one.document_no,
                "line": one.line,
                "currency": one.currency,
                "open_minor": one.open_minor,
            }
            for one in content.charges
        ],
    }


def build_letter_event_object(one: LetterEvent) -> dict[str, Any]:
    """Return what happened to a letter."""
    return {
        "kind": one.kind.value,
        "on": one.on.isoformat(),
        "text": one.text,
        "by": one.by,
        "entered_at_ms": one.at_ms,
    }


def build_dunning_run_object(run: DunningRun) -> dict[str, Any]:
    """Return a run with what it counted."""
    return {
        "id": run.run_id,
        "as_of": run.as_of.isoformat(),
        "policy": run.policy,
        "policy_sha256_b64u": run.policy_sha256_b64u,
        "state": run.state,
        "customers": run.customers,
        "proposed": run.proposed,
        "withdrawn": run.withdrawn,
        "held": run.held,
        "by": run.entered_by,
        "entered_at_ms": run.entered_at_ms,
        "ended_at_ms": run.ended_at_ms,
    }


def build_hold_object(hold: Hold) -> dict[str, Any]:
    """Return a hold."""
    return {
        "id": hold.hold_id,
        "customer": hold.customer_id,
        "from_on": hold.from_on.isoformat(),
        "until_on": hold.until_on.isoformat(),
        "reason": hold.reason,
        "by": hold.entered_by,
        "entered_at_ms": hold.entered_at_ms,
    }


def _write_currency(one: LetterSum, content: LetterContent, *, sums_up: bool) -> dict[str, Any]:
    """Return a currency's part of a letter; ``sums_up`` is one that lists no earlier charges.

    There they stand in its sums of interest and of fees.
    """
    lines = [line for line in content.lines if line.currency == one.currency]
    charges = [charge for charge in content.charges if charge.currency == one.currency]
    interest_minor, fee_minor = one.interest_minor, one.fee_minor
    if sums_up:
        interest_minor += _sum_open(charges, ChargeKind.INTEREST)
        fee_minor += _sum_open(charges, ChargeKind.FEE)

    def say(minor: int) -> str:
        return format_amount(minor, currency=one.currency)

    def say_if_any(minor: int) -> str:
        return say(minor) if minor else ""

    return {
        "currency": one.currency,
        "asked": [
            {
                "document": _name_document(line),
                "due_on": line.due_on.isoformat(),
                "days": line.days_overdue,
                "level": line.level,
                "asked": say(line.asked_minor),
                "interest": say_if_any(line.interest_minor),
            }
            for line in lines
            if line.reason.is_asked
        ],
        "left_out": [
            {
                "document": _name_document(line),
                "open": say(line.open_minor),
                "is_disputed": line.reason is LineReason.DISPUTED,
            }
            for line in lines
            if not line.reason.is_asked
        ],
        "charges": [
            {
                "letter": name_letter(charge.letter_id),
                "is_fee": charge.kind is ChargeKind.FEE,
                "document": _name_document(charge),
                "open": say(charge.open_minor),
            }
            for charge in charges
        ],
        "asked_total": say(one.asked_minor),
        "interest_total": say_if_any(interest_minor),
        "fee": say_if_any(fee_minor),
        "unapplied": say_if_any(one.unapplied_minor),
        "total": say(one.total_minor),
    }


def _sum_open(charges: Sequence[OpenCharge], kind: ChargeKind) -> int:
    return sum(one.open_minor for one in charges if one.kind is kind)


def _name_document(one: LetterLine | OpenCharge) -> str:
    return one.document_no if one.line <= 1 else f"{one.document_no}/{one.line}"
