"""Questions that are counted now and answered later, and ``poll``, which asks for the answer."""

from __future__ import annotations

from node.sharing.batching import ExchangeBatch
from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.operations.judging import PutQuestion
from node.sharing.releases import hold_back_made
from node.sharing.sealing import build_accepted, build_answer, build_problem
from node.sharing.store import HeldConsent
from node.sharing.store.pending import CODE_ACCEPTED, PendingAnswer, PendingStore
from protocol.consent import Standing, Use, check_use
from protocol.encoding import decode_b64u
from protocol.identifiers import parse_subject_id
from protocol.limits import HASH_BYTES
from protocol.problems import ConsentMissingError, NoAnswerError, PollUnknownError
from schemas.exchange import POLL_CONTENT_TYPE, SUMMARY_CONTENT_TYPE, PollBody

POLL_AFTER_S = 30


def accept(case: Case, question: PutQuestion) -> Verdict:
    """Keep a question whose use is counted, to be answered later."""
    PendingStore(case.batch.connection).add(
        PendingAnswer(
            msg=case.opened.msg_hash,
            peer=case.opened.envelope.iss,
            consent=question.consent,
            purpose=question.purpose,
            metrics=question.metrics,
            last_months=question.last_months,
            code=CODE_ACCEPTED,
            body=None,
        ),
        at_ms=case.batch.now_ms,
    )
    return Verdict(
        content=build_accepted(poll_after_s=POLL_AFTER_S, consents=(question.consent,)),
        code=CODE_ACCEPTED,
        uses=1,
        consent=question.consent,
    )


def decide(case: Case, body: PollBody) -> Verdict:
    """Give the answer if it is there; the use was counted when the question was accepted.

    Raises:
        PollUnknownError: No such question of this peer waits.
        PeerProblemError: The consent is no longer in force.
    """
    name = decode_b64u(body.request, bytes_exact=HASH_BYTES)
    pending = PendingStore(case.batch.connection).find(name)
    if pending is None or pending.peer != case.opened.envelope.iss:
        raise PollUnknownError("no such question was accepted")
    held = _check_consent(case, pending)
    if pending.code == CODE_ACCEPTED:
        return Verdict(content=build_accepted(poll_after_s=POLL_AFTER_S), code=CODE_ACCEPTED)
    body_now = _hold_back(case, pending, held)
    if body_now is None:
        return Verdict(
            content=build_problem(NoAnswerError.code, detail=""), code=NoAnswerError.code
        )
    return Verdict(
        content=build_answer(body_now, content_type=SUMMARY_CONTENT_TYPE),
        code=pending.code,
        consent=pending.consent,
    )


def _hold_back(case: Case, pending: PendingAnswer, held: HeldConsent) -> bytes | None:
    """Return the answer that was made, without what must not be told any more; None for none."""
    if pending.body is None:
        return None
    return hold_back_made(
        case.batch.uow,
        pending.body,
        subject=parse_subject_id(held.subject),
        business_date=case.ports.business_date(),
        policy=case.ports.policy,
    )


def _check_consent(case: Case, pending: PendingAnswer) -> HeldConsent:
    """Make check 9 again but for the count: nothing leaves after a withdrawal."""
    held = ExchangeBatch.of(case.batch).find_consent(pending.consent)
    if held is None:
        raise ConsentMissingError("no such consent is held here")
    check_use(
        case.ports.verdicts.verify(held.token, registry=case.opened.registry),
        use=Use(
            consumer=case.opened.envelope.iss,
            provider=case.ports.member_id,
            purpose=pending.purpose,
            op="query",
            metrics=[metric.value for metric in pending.metrics],
            last_months=pending.last_months,
        ),
        standing=Standing(state=held.state, uses=0, uses_in_window=0),
        now_s=case.batch.now_ms // 1000,
    )
    return held


POLL = Operation(
    op="poll",
    content_type=POLL_CONTENT_TYPE,
    read=PollBody.from_bytes,
    list_consents=lambda _body: (),
    decide=decide,
)
