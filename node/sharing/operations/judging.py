"""Check 9 on one question, whichever body it came in, and what check 10 is about."""

from __future__ import annotations

from dataclasses import dataclass

from node.sharing.batching import ExchangeBatch
from node.sharing.consents import check_accepted, check_parties
from node.sharing.operations.form import Case
from node.sharing.releases import Question
from protocol.consent import Use, check_use, window_start
from protocol.identifiers import parse_subject_id
from protocol.problems import ConsentMissingError
from schemas.summary import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class PutQuestion:
    """A question under one consent."""

    consent: bytes
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int


def count_question(case: Case, question: PutQuestion) -> Question:
    """Make check 9 and count the use; return what is to be disclosed.

    Raises:
        PeerProblemError: The consent does not cover the question; nothing is counted.
    """
    ports = case.ports
    now_s = case.batch.now_ms // 1000
    shared = ExchangeBatch.of(case.batch)
    held = shared.find_consent(question.consent)
    if held is None:
        raise ConsentMissingError("no such consent is held here")
    consent = ports.verdicts.verify(held.token, registry=case.opened.registry)
    check_parties(consent, consumer=case.opened.envelope.iss, provider=ports.member_id)
    check_accepted(consent, accepts_unkeyed=ports.accepts_unkeyed)
    window_start_s = window_start(consent.frequency, now_s=now_s)
    check_use(
        consent,
        use=Use(
            consumer=case.opened.envelope.iss,
            provider=ports.member_id,
            purpose=question.purpose,
            op="query",
            metrics=[metric.value for metric in question.metrics],
            last_months=question.last_months,
        ),
        standing=held.standing(window_start_s=window_start_s),
        now_s=now_s,
    )
    shared.count_use(held, window_start_s=window_start_s)
    return Question(
        subject=parse_subject_id(held.subject),
        last_months=question.last_months,
        metrics=frozenset(question.metrics),
        business_date=ports.business_date(),
        policy=ports.policy,
        k_min=consent.k_min,
    )
