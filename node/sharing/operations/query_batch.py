"""``query`` of up to a hundred questions, each under a consent and judged by itself."""

from __future__ import annotations

from node.sharing.operations.form import Case, Operation, Verdict
from node.sharing.operations.judging import PutQuestion, count_question
from node.sharing.sealing import build_answer
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError, SchemaError
from protocol.exchange import ITEM_CODES
from protocol.limits import HASH_BYTES
from protocol.problems import NoAnswerError
from protocol.strict_json import canonical_json
from schemas.exchange import (
    QUERY_BATCH_CONTENT_TYPE,
    SUMMARY_BATCH_CONTENT_TYPE,
    QueryBatchBody,
)

CODE_BATCH = "batch"


def decide(case: Case, query: QueryBatchBody) -> Verdict:
    """Make checks 9 and 10 for each question, in order; what one is refused touches no other."""
    questions = [
        PutQuestion(
            consent=decode_b64u(item.consent, bytes_exact=HASH_BYTES),
            purpose=query.purpose,
            metrics=tuple(item.metrics),
            last_months=item.last_months,
        )
        for item in query.items
    ]
    uses, codes, parts = 0, [], []
    for question in questions:
        code, use, summary = _answer(case, question)
        uses += use
        codes.append(code)
        parts.append(_format_item(question.consent, code=code, summary=summary))
    consents = tuple(question.consent for question in questions)
    # In canonical form by its parts: each summary stands in it as it is released to everybody.
    body = b'{"items":[' + b",".join(parts) + b'],"kind":"summary-batch","v":1}'
    return Verdict(
        content=build_answer(body, content_type=SUMMARY_BATCH_CONTENT_TYPE, consents=consents),
        code=CODE_BATCH,
        uses=uses,
        codes=tuple(codes),
    )


def _answer(case: Case, question: PutQuestion) -> tuple[str, int, bytes | None]:
    """Return code, uses and summary of one question."""
    try:
        asked = count_question(case, question)
    except ProtocolError as err:
        return (err.code if err.code in ITEM_CODES else SchemaError.code), 0, None
    disclosed = case.ports.disclosures.disclose(case.batch, asked)
    if disclosed is None:
        return NoAnswerError.code, 1, None
    return disclosed.tier, 1, disclosed.body


def _format_item(consent: bytes, *, code: str, summary: bytes | None) -> bytes:
    head = canonical_json({"code": code, "consent": encode_b64u(consent)})
    return head if summary is None else head[:-1] + b',"summary":' + summary + b"}"


QUERY_BATCH = Operation(
    op="query",
    content_type=QUERY_BATCH_CONTENT_TYPE,
    read=QueryBatchBody.from_bytes,
    list_consents=lambda body: tuple(
        decode_b64u(item.consent, bytes_exact=HASH_BYTES) for item in body.items
    ),
    decide=decide,
)
