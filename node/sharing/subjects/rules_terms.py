"""What is asked of a subject, and whether what it signed is that. Pure.

The terms are kept as canonical JSON and travel so in the file that is signed offline. What comes
back is compared whole: each artefact is what this node would have built of the terms in its
language, but for its number and its times. A subject may leave providers out, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from node.sharing.granting import USES_A_DAY, Grant, build_consents
from node.sharing.subjects.errors import OtherTermsError, RequestInvalidError
from protocol.consent import Consent, encode_consent
from protocol.errors import ProtocolError
from protocol.identifiers import SubjectId, parse_member_id, parse_subject_id
from protocol.limits import CONSENT_MONTHS_MAX, CONSENT_USES_MAX, SALT_BYTES
from protocol.purpose import METRICS, TEMPLATES
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object
from schemas.exchange import DeliveredConsent
from schemas.summary import Section
from schemas.wire import WireModel

PROVIDERS_MAX = 50
DAYS_MAX = 732
DATA_LIFE_MONTHS_MAX = 24
K_MIN_MAX = 1_000
AHEAD_S = 60  # how far a signer's clock may be before ours
LANGUAGES = frozenset({"en", "zh"})
JURISDICTION = "CN"
KIND = "consent-request"


class _SignedConsents(WireModel):
    """The file of consents that ``chengxin consent sign`` writes."""

    consents: Annotated[tuple[DeliveredConsent, ...], Field(max_length=PROVIDERS_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms:
    """What a consumer asks a subject for; one artefact a provider would say it."""

    subject: SubjectId
    consumer: str
    providers: tuple[str, ...]
    purpose: str
    metrics: tuple[str, ...]
    last_months: int
    days: int
    max_uses: int
    uses_a_day: int = USES_A_DAY
    may_push: bool = False
    k_min: int = 1
    data_life_months: int = 6

    def build_grant(self, *, salt: bytes, language: str) -> Grant:
        """Return what a subject that agrees would sign."""
        return Grant(
            subject=self.subject,
            salt=salt,
            consumer=self.consumer,
            providers=self.providers,
            purpose=self.purpose,
            metrics=tuple(map(Section, self.metrics)),
            last_months=self.last_months,
            days=self.days,
            max_uses=self.max_uses,
            language=language,
            jurisdiction=JURISDICTION,
            uses_a_day=self.uses_a_day,
            may_push=self.may_push,
            k_min=self.k_min,
            data_life_months=self.data_life_months,
        )


def check_terms(terms: ConsentTerms) -> None:
    """Check that terms can be asked for: several members, and within the purpose's ceilings.

    Raises:
        RequestInvalidError: They cannot.
    """
    names = terms.providers
    if not 0 < len(names) <= PROVIDERS_MAX or len({terms.consumer, *names}) != len(names) + 1:
        raise RequestInvalidError(
            f"1 to {PROVIDERS_MAX} providers, each once, and another member than the one that asks"
        )
    if terms.purpose not in TEMPLATES:
        raise RequestInvalidError("there is no such purpose")
    grant = terms.build_grant(salt=bytes(SALT_BYTES), language="en")
    try:
        for consent in build_consents(grant, now_s=0):
            encode_consent(consent)
    except ProtocolError as err:
        raise RequestInvalidError(err.detail) from err


def format_terms(terms: ConsentTerms) -> bytes:
    """Return the terms as canonical JSON."""
    found: JsonObject = {
        "v": 1,
        "kind": KIND,
        "subject": str(terms.subject),
        "consumer": terms.consumer,
        "providers": list(terms.providers),
        "purpose": terms.purpose,
        "metrics": list(terms.metrics),
        "last_months": terms.last_months,
        "days": terms.days,
        "max_uses": terms.max_uses,
        "uses_a_day": terms.uses_a_day,
        "may_push": terms.may_push,
        "k_min": terms.k_min,
        "data_life_months": terms.data_life_months,
    }
    return canonical_json(found)


def parse_terms(raw: bytes) -> ConsentTerms:
    """Read terms, as a file brings them.

    Raises:
        ProtocolError: They are not of that form.
        RequestInvalidError: They cannot be asked for.
    """
    reader = ShapeReader(parse_object(raw), what="request")
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {KIND})
    terms = ConsentTerms(
        subject=parse_subject_id(reader.text("subject")),
        consumer=parse_member_id(reader.text("consumer")),
        providers=tuple(map(parse_member_id, reader.texts("providers", count_max=PROVIDERS_MAX))),
        purpose=reader.choice("purpose", TEMPLATES),
        metrics=reader.texts("metrics", count_max=len(METRICS), allowed=METRICS),
        last_months=reader.integer("last_months", low=1, high=CONSENT_MONTHS_MAX),
        days=reader.integer("days", low=1, high=DAYS_MAX),
        max_uses=reader.integer("max_uses", low=1, high=CONSENT_USES_MAX),
        uses_a_day=reader.integer("uses_a_day", low=1, high=CONSENT_USES_MAX),
        may_push=reader.boolean("may_push"),
        k_min=reader.integer("k_min", low=1, high=K_MIN_MAX),
        data_life_months=reader.integer("data_life_months", low=1, high=DATA_LIFE_MONTHS_MAX),
    )
    reader.finish()
    check_terms(terms)
    return terms


def check_signed(
    terms: ConsentTerms, signed: Sequence[Consent], *, salt: bytes, asked_at_s: int, now_s: int
) -> None:
    """Check that artefacts say what was asked for, of fewer providers at most.

    Raises:
        OtherTermsError: One says something else, or a provider comes twice.
    """
    names = [one.provider for one in signed]
    if not names or len(set(names)) != len(names) or not set(names) <= set(terms.providers):
        raise OtherTermsError("each provider that was asked for once at most, and no other")
    if len({one.bundle for one in signed}) != 1 or len({one.id for one in signed}) != len(signed):
        raise OtherTermsError("they were not signed in one act")
    for one in signed:
        asked = replace(terms, providers=(one.provider,))
        grant = asked.build_grant(salt=salt, language=one.notice_language)
        (expected,) = build_consents(grant, now_s=one.nbf)
        expected = replace(expected, id=one.id, bundle=one.bundle, iat=one.iat)
        if one != expected or one.notice_language not in LANGUAGES:
            raise OtherTermsError(f"what {one.provider} would be allowed is not what was asked for")
        if one.nbf != one.iat or not asked_at_s - AHEAD_S <= one.iat <= now_s + AHEAD_S:
            raise OtherTermsError("it is not dated of the time between the request and now")


def list_payloads(
    terms: ConsentTerms, *, salt: bytes, language: str, now_s: int
) -> list[tuple[str, bytes]]:
    """Return for each provider the bytes that the subject's key is to sign.

    Raises:
        RequestInvalidError: There is no such language.
    """
    if language not in LANGUAGES:
        raise RequestInvalidError("there is no such language")
    grant = terms.build_grant(salt=salt, language=language)
    return [(one.provider, encode_consent(one)) for one in build_consents(grant, now_s=now_s)]


def parse_consents(raw: bytes) -> list[DeliveredConsent]:
    """Read signed consents, as a page or the command's file brings them.

    Raises:
        ProtocolError: They are not of that form.
    """
    return list(_SignedConsents.from_bytes(raw).consents)
