"""``query``: one question under one consent."""

from __future__ import annotations

from node.sharing.batching import ExchangeBatch
from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.releases import Question
from node.sharing.sealing import build_answer, build_problem
from protocol.consent import Use, check_use, window_start
from protocol.encoding import decode_b64u
from protocol.identifiers import parse_subject_id
from protocol.limits import HASH_BYTES
from protocol.problems import ConsentMissingError, NoAnswerError
from schemas.exchange import QUERY_CONTENT_TYPE, SUMMARY_CONTENT_TYPE, QueryBody


def decide(case: Case, query: QueryBody) -> Verdict:
    """Make checks 9 and 10 and count the use.

    Raises:
        PeerProblemError: The consent does not cover the question.
    """
    ports, batch = case.ports, case.batch
    now_s = batch.now_ms // 1000
    consent_hash = decode_b64u(query.consent, bytes_exact=HASH_BYTES)
    shared = ExchangeBatch.of(batch)
    held = shared.find_consent(consent_hash)
    if held is None:
        raise ConsentMissingError("no such consent is held here")
    consent = ports.verdicts.verify(held.token, registry=case.opened.registry)
    window_start_s = window_start(consent.frequency, now_s=now_s)
    check_use(
        consent,
        use=Use(
            consumer=case.opened.envelope.iss,
            provider=ports.member_id,
            purpose=query.purpose,
            op="query",
            metrics=[metric.value for metric in query.metrics],
            last_months=query.last_months,
        ),
        standing=held.standing(window_start_s=window_start_s),
        now_s=now_s,
    )
    shared.count_use(held, window_start_s=window_start_s)
    disclosed = ports.disclosures.disclose(
        batch,
        Question(
            subject=parse_subject_id(held.subject),
            last_months=query.last_months,
            metrics=frozenset(query.metrics),
            business_date=ports.business_date(),
            policy=ports.policy,
            k_min=consent.k_min,
        ),
    )
    if disclosed is None:
        problem = build_problem(NoAnswerError.code, detail="", consents=(consent_hash,))
        return Verdict(content=problem, code=NoAnswerError.code, uses=1, consent=consent_hash)
    answer = build_answer(
        disclosed.body, content_type=SUMMARY_CONTENT_TYPE, consents=(consent_hash,)
    )
    return Verdict(content=answer, code=disclosed.tier, uses=1, consent=consent_hash)


QUERY = Operation(
    op="query",
    content_type=QUERY_CONTENT_TYPE,
    read=QueryBody.from_bytes,
    list_consents=lambda body: (decode_b64u(body.consent, bytes_exact=HASH_BYTES),),
    decide=decide,
)
