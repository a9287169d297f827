"""``query`` of one question under one consent."""

from __future__ import annotations

from node.sharing.operations.deferring import accept
from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.operations.judging import PutQuestion, count_question
from node.sharing.sealing import build_answer, build_problem
from protocol.encoding import decode_b64u
from protocol.limits import HASH_BYTES
from protocol.problems import NoAnswerError
from schemas.exchange import QUERY_CONTENT_TYPE, SUMMARY_CONTENT_TYPE, QueryBody


def decide(case: Case, query: QueryBody) -> Verdict:
    """Make checks 9 and 10 and count the use.

    Raises:
        PeerProblemError: The consent does not cover the question.
    """
    consent = decode_b64u(query.consent, bytes_exact=HASH_BYTES)
    question = PutQuestion(
        consent=consent,
        purpose=query.purpose,
        metrics=tuple(query.metrics),
        last_months=query.last_months,
    )
    asked = count_question(case, question)
    if query.deferred and case.ports.defers:
        return accept(case, question)
    disclosed = case.ports.disclosures.disclose(case.batch, asked)
    if disclosed is None:
        problem = build_problem(NoAnswerError.code, detail="", consents=(consent,))
        return Verdict(content=problem, code=NoAnswerError.code, uses=1, consent=consent)
    answer = build_answer(disclosed.body, content_type=SUMMARY_CONTENT_TYPE, consents=(consent,))
    return Verdict(content=answer, code=disclosed.tier, uses=1, consent=consent)


QUERY = Operation(
    op="query",
    content_type=QUERY_CONTENT_TYPE,
    read=QueryBody.from_bytes,
    list_consents=lambda body: (decode_b64u(body.consent, bytes_exact=HASH_BYTES),),
    decide=decide,
)
