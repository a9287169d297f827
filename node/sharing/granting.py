"""What a subject allows one consumer to ask, as the artefacts that its key signs: one a provider.

The same for whoever signs: the officer's command, the browser on a consumer's page, and the
consumer that vouches for a paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from node.core.keystore import draw_bytes
from protocol.consent import Consent, Purpose, Span, commit_subject
from protocol.encoding import sha256
from protocol.identifiers import SubjectId
from protocol.limits import JTI_BYTES
from protocol.purpose import TEMPLATES
from schemas.summary import Section

DAY_S = 86_400
NOTICE_URI = "https://chengxin.example/notice/consent-1"
NOTICE_TEXT = b"chengxin/notice/consent-1"
USES_A_DAY = 100
CHINESE = "zh"
# What a Chinese subject reads of a purpose; the template that is pinned stays the same.
_CHINESE_PURPOSES = MappingProxyType(
    {
        "P1": "评估是否以及在多大程度上向新客户赊销。",
        "P2": "复核对现有客户的授信。",
        "P3": "在货款结清之前关注客户的付款情况。",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a subject allows one consumer to ask of several providers; one artefact each."""

    subject: SubjectId
    salt: bytes
    consumer: str
    providers: tuple[str, ...]
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int
    days: int
    max_uses: int
    language: str
    jurisdiction: str
    uses_a_day: int = USES_A_DAY
    may_push: bool = False
    k_min: int = 1
    data_life_months: int = 6
    evidence: bytes | None = None
    """SHA-256 of the paper that the consumer vouches for, with its own key."""


def build_consents(grant: Grant, *, now_s: int) -> list[Consent]:
    """Return one artefact a provider; their common number tells a provider nothing of the others.

    That none is above its purpose's ceilings is checked when it is encoded or signed.
    """
    bundle = draw_bytes(JTI_BYTES).hex()
    return [
        _build_consent(grant, provider=provider, bundle=bundle, now_s=now_s)
        for provider in grant.providers
    ]


def _build_consent(grant: Grant, *, provider: str, bundle: str, now_s: int) -> Consent:
    template = TEMPLATES[grant.purpose]
    is_chinese = grant.language == CHINESE
    return Consent(
        id=draw_bytes(JTI_BYTES).hex(),
        iat=now_s,
        nbf=now_s,
        exp=now_s + grant.days * DAY_S,
        basis="subject-consent",
        basis_ref="signed by the subject"
        if grant.evidence is None
        else "paper signed by the subject, vouched for by the consumer",
        subject=commit_subject(grant.subject, salt=grant.salt),
        consumer=grant.consumer,
        provider=provider,
        purpose=Purpose(
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=_CHINESE_PURPOSES[template.code] if is_chinese else template.text,
        ),
        ops=("query", "push") if grant.may_push else ("query",),
        metrics=tuple(metric.value for metric in grant.metrics),
        last_months=grant.last_months,
        k_min=grant.k_min,
        frequency=Span(unit="day", n=grant.uses_a_day),
        max_uses=grant.max_uses,
        data_life=Span(unit="month", n=grant.data_life_months),
        derive=("rating",),
        notice_uri=NOTICE_URI,
        notice_hash=sha256(NOTICE_TEXT),
        notice_language=grant.language,
        jurisdiction=grant.jurisdiction,
        storage="consumer's own node",
        withdraw=_find_withdrawal(grant),
        bundle=bundle,
        evidence=grant.evidence,
    )


def _find_withdrawal(grant: Grant) -> str:
    """Return in the words of the grant's language how the consent is withdrawn."""
    if grant.evidence is not None:
        return "a word to the consumer, the provider or the hub"
    if grant.language == CHINESE:
        return "请求方节点上的“我的页面”、chengxin consent revoke，或通过协会"  # noqa: RUF001
    return "own page at the consumer, chengxin consent revoke, or the hub"
