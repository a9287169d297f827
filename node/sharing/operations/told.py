"""What a provider tells unasked, ``push`` and ``correct``: the consumer's side.

The consumer is the second checker: it looks at its own copy of the consent. Uses are the provider's
to count, so they are not looked at here.
"""

from __future__ import annotations

from node.sharing.batching import ExchangeBatch
from node.sharing.changes import SummaryChange, SummaryEvent
from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.received import count_months, list_sections
from node.sharing.rules_state import OBJECTED
from node.sharing.sealing import build_ack
from node.sharing.store import HeldConsent
from node.sharing.store.grants import INSERT_TOLD, GrantStore
from protocol.consent import Consent, Standing, Use, check_use
from protocol.encoding import decode_b64u
from protocol.errors import SchemaError
from protocol.limits import HASH_BYTES
from protocol.problems import (
    ConsentMissingError,
    OperationNotAllowedError,
    WrongProviderError,
)
from schemas.notices import CORRECT_CONTENT_TYPE, PUSH_CONTENT_TYPE, CorrectBody, PushBody
from schemas.summary import Summary


def decide_push(case: Case, body: PushBody) -> Verdict:
    """Take a pushed summary in.

    Raises:
        PeerProblemError: Our own copy of the consent does not cover it.
        SchemaError: It is on somebody else than the consent.
    """
    held = _get_held(case, body.consent)
    _check_summary(case, held, _verify(case, held), body.summary, op="push")
    _keep(case, held, body.summary)
    _tell(case, held, SummaryEvent.BAND_CHANGE, msg=case.opened.msg_hash)
    return _acknowledge(case, held, code="push")


def decide_correct(case: Case, body: CorrectBody) -> Verdict:
    """Put a correction in the place of what was told before, or take that back.

    Raises:
        PeerProblemError: No such answer of this provider is held here, or our own copy of the
            consent does not cover the new summary.
        SchemaError: It is on somebody else than the consent.
    """
    held = _get_held(case, body.consent)
    if held.provider != case.opened.envelope.iss:
        raise WrongProviderError("the consent names another provider")
    wrong = decode_b64u(body.supersedes, bytes_exact=HASH_BYTES)
    grants = GrantStore(case.batch.connection)
    if grants.find_provider(wrong, consent_hash=held.hash) != held.provider:
        raise OperationNotAllowedError("no such answer under this consent is held here")
    # What is only taken back needs no consent: its key may be void by now.
    if body.summary is not None:
        consent = _verify(case, held)
        # It stands for what was asked or pushed: either operation of the consent carries it.
        _check_summary(case, held, consent, body.summary, op=consent.ops[0])
        _keep(case, held, body.summary)
    grants.supersede(
        wrong,
        held.hash,
        by=case.opened.msg_hash,
        reason=body.reason,
        now_s=case.batch.now_ms // 1000,
    )
    is_disputed = body.reason == OBJECTED and body.summary is None
    event = SummaryEvent.DISPUTED if is_disputed else SummaryEvent.SUPERSEDED
    _tell(case, held, event, msg=wrong)
    return _acknowledge(case, held, code="correct")


def _get_held(case: Case, consent_b64u: str) -> HeldConsent:
    name = decode_b64u(consent_b64u, bytes_exact=HASH_BYTES)
    held = ExchangeBatch.of(case.batch).find_consent(name)
    if held is None:
        raise ConsentMissingError("no such consent is held here")
    return held


def _verify(case: Case, held: HeldConsent) -> Consent:
    return case.ports.verdicts.verify(held.token, registry=case.opened.registry)


def _check_summary(
    case: Case, held: HeldConsent, consent: Consent, summary: Summary, *, op: str
) -> None:
    check_use(
        consent,
        use=Use(
            consumer=case.ports.member_id,
            provider=case.opened.envelope.iss,
            purpose=consent.purpose.code,
            op=op,
            metrics=[one.value for one in list_sections(summary)],
            last_months=count_months(summary),
        ),
        standing=Standing(state=held.state, uses=0, uses_in_window=0),
        now_s=case.batch.now_ms // 1000,
    )
    if summary.subject != held.subject:
        raise SchemaError("summary.subject: not the subject of the consent")


def _keep(case: Case, held: HeldConsent, summary: Summary) -> None:
    case.batch.insert_later(
        INSERT_TOLD,
        {
            "msg": case.opened.msg_hash,
            "item": 0,
            "provider": held.provider,
            "subject": summary.subject,
            "consent": held.hash,
            "received_on": case.ports.business_date(),
            "received_at_ms": case.batch.now_ms,
        },
    )


def _tell(case: Case, held: HeldConsent, event: SummaryEvent, *, msg: bytes) -> None:
    change = SummaryChange(event=event, msgs=(msg,), subject=held.subject, at_ms=case.batch.now_ms)
    case.ports.tell_change(case.batch.uow, change)


def _acknowledge(case: Case, held: HeldConsent, *, code: str) -> Verdict:
    content = build_ack(case.opened.msg_hash, consents=(held.hash,))
    return Verdict(content=content, code=code)


PUSH = Operation(
    op="push",
    content_type=PUSH_CONTENT_TYPE,
    read=PushBody.from_bytes,
    list_consents=lambda body: (decode_b64u(body.consent, bytes_exact=HASH_BYTES),),
    decide=decide_push,
)
CORRECT = Operation(
    op="correct",
    content_type=CORRECT_CONTENT_TYPE,
    read=CorrectBody.from_bytes,
    list_consents=lambda body: (decode_b64u(body.consent, bytes_exact=HASH_BYTES),),
    decide=decide_correct,
)
