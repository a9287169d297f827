"""Bodies of the exchange: query, consent delivery and its acknowledgement, problem (RFC 9457)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from protocol.exchange import ITEM_CODES
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, POLL_AFTER_S_MAX
from schemas.summary import Section, Summary
from schemas.wire import CompactJws, Hash, One, Salt, SubjectId, WireModel, refuse_number

QUERY_CONTENT_TYPE = "application/vnd.chengxin.query+json"
QUERY_BATCH_CONTENT_TYPE = "application/vnd.chengxin.query-batch+json"
ACCEPTED_CONTENT_TYPE = "application/vnd.chengxin.accepted+json"
POLL_CONTENT_TYPE = "application/vnd.chengxin.poll+json"
SUMMARY_BATCH_CONTENT_TYPE = "application/vnd.chengxin.summary-batch+json"
SUMMARY_CONTENT_TYPE = "application/vnd.chengxin.summary+json"
CONSENT_PUT_CONTENT_TYPE = "application/vnd.chengxin.consent-put+json"
CONSENT_HELD_CONTENT_TYPE = "application/vnd.chengxin.consent-held+json"
RECEIPT_HELD_CONTENT_TYPE = "application/vnd.chengxin.receipt-held+json"
PROBLEM_CONTENT_TYPE = "application/problem+json"


class QueryBody(WireModel):
    """A question under one consent; the consent says about whom."""

    v: One
    kind: Literal["query"]
    consent: Hash
    purpose: Annotated[str, Field(min_length=1, max_length=8)]
    metrics: Annotated[list[Section], Field(min_length=1, max_length=len(Section))]
    last_months: Literal[3, 12]
    deferred: Annotated[
        Literal[True] | None,
        BeforeValidator(refuse_number),
        Field(description="the asker takes 202 for an answer, and polls"),
    ] = None


class AcceptedBody(WireModel):
    """The question is counted and will be answered: ask for the answer after so many seconds."""

    v: One
    kind: Literal["accepted"]
    poll_after_s: Annotated[int, Field(ge=1, le=POLL_AFTER_S_MAX)]


class PollBody(WireModel):
    """Asks for the answer to a question accepted earlier, by the name of its message."""

    v: One
    kind: Literal["poll"]
    request: Hash


class BatchQuestion(WireModel):
    """One question of a batch."""

    consent: Hash
    metrics: Annotated[list[Section], Field(min_length=1, max_length=len(Section))]
    last_months: Literal[3, 12]


class QueryBatchBody(WireModel):
    """Questions to one provider under a consent each, for one purpose."""

    v: One
    kind: Literal["query-batch"]
    purpose: Annotated[str, Field(min_length=1, max_length=8)]
    items: Annotated[list[BatchQuestion], Field(min_length=1, max_length=CONSENTS_PER_MESSAGE_MAX)]

    @model_validator(mode="after")
    def _check_consents(self) -> Self:
        if len({item.consent for item in self.items}) != len(self.items):
            raise ValueError("one consent twice")
        return self


class BatchSummary(WireModel):
    """What came under one consent: the tier with its summary, or a problem code alone."""

    consent: Hash
    code: Annotated[str, Field(pattern=r"^[a-z-]{1,32}$")]
    summary: Summary | None = None

    @model_validator(mode="after")
    def _check_code(self) -> Self:
        if self.summary is None and self.code not in ITEM_CODES:
            raise ValueError("no code of a refused question, and no summary")
        if self.summary is not None and self.code != self.summary.tier:
            raise ValueError("not the tier of its summary")
        return self


class SummaryBatchBody(WireModel):
    """The answer to a batch, in the order of its questions."""

    v: One
    kind: Literal["summary-batch"]
    items: Annotated[list[BatchSummary], Field(min_length=1, max_length=CONSENTS_PER_MESSAGE_MAX)]


class DeliveredConsent(WireModel):
    """An artefact with what opens its commitment: subject id and salt, which can be erased."""

    token: CompactJws
    subject: SubjectId
    salt: Salt


class ConsentPutBody(WireModel):
    """Consents handed to the provider that they name."""

    v: One
    kind: Literal["consent-put"]
    consents: Annotated[
        list[DeliveredConsent], Field(min_length=1, max_length=CONSENTS_PER_MESSAGE_MAX)
    ]


class HeldConsent(WireModel):
    """A consent as the provider holds it."""

    consent: Hash
    state: Literal["active", "paused", "revoked", "expired", "exhausted", "replaced"]
    seq: Annotated[int, Field(ge=0)]


class ConsentHeldBody(WireModel):
    """Which consents the provider now holds, in the order delivered."""

    v: One
    kind: Literal["consent-held"]
    consents: Annotated[list[HeldConsent], Field(max_length=CONSENTS_PER_MESSAGE_MAX)]


class ReceiptHeldBody(WireModel):
    """How many of the answers acknowledged are known here."""

    v: One
    kind: Literal["receipt-held"]
    answers: Annotated[int, Field(ge=0)]


class ProblemBody(WireModel):
    """RFC 9457 problem details: ``code`` is the slug of ``type``, ``source`` who failed."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(max_length=512)]
    code: str
    source: Literal["caller", "consumer-node", "provider-node", "provider-data", "hub"]
    retry_after: Annotated[int, Field(ge=0, description="seconds")] | None = None
