"""Verifies the consents and statuses of all bundles, each distinct text once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from protocol.audit.anchoring import Chain
from protocol.audit.findings import Evidence, Finding, Outcome, Place
from protocol.audit.rows import choose_partition
from protocol.bundle import CONSENTS_FILE, STATUSES_FILE, Bundle, ConsentRecord
from protocol.consent import (
    Consent,
    ConsentStatus,
    commit_subject,
    hash_consent,
    open_consent,
    open_status,
)
from protocol.consent_signer import check_signer, find_consent_key
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.identifiers import parse_subject_id
from protocol.jws import split_compact
from protocol.keys import PublicKey
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.status_signer import StatusKey, check_party, check_statement, find_status_key


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedConsent:
    """An artefact: ``verified`` where its subject signed it and its purpose allows it."""

    place: Place
    verified: Consent | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStatus:
    """A signed change of state: ``verified`` where its signer may make it."""

    place: Place
    verified: ConsentStatus | None


@dataclass(slots=True, kw_only=True)
class Artefacts:
    """All consents and statuses, by hash."""

    consents: dict[bytes, JudgedConsent] = field(default_factory=dict)
    statuses: dict[bytes, JudgedStatus] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    signatures: int = 0

    def by_partition(self, partition: int, *, count: int) -> Iterator[bytes]:
        """Yield the names of the consents of one partition."""
        for name in self.consents:
            if choose_partition(name, count=count) == partition:
                yield name


def collect_artefacts(bundles: Sequence[Bundle], *, chain: Chain) -> Artefacts:
    """Verify every consent, then every status."""
    found = Artefacts()
    for bundle in bundles:
        for record in bundle.consents:
            place = Place(bundle=bundle.name, file=CONSENTS_FILE, line=record.line)
            _take_consent(found, record, place, chain=chain)
    for bundle in bundles:
        for status in bundle.statuses:
            place = Place(bundle=bundle.name, file=STATUSES_FILE, line=status.line)
            _take_status(found, status.token, place, chain=chain)
    return found


def _take_consent(found: Artefacts, record: ConsentRecord, place: Place, *, chain: Chain) -> None:
    name = hash_consent(record.token)
    known = found.consents.get(name)
    if known is None:
        known = _judge_consent(record.token, place, chain=chain)
        found.consents[name] = known
        found.signatures += known.verified is not None
    if known.verified is None or record.subject is None or record.salt is None:
        return
    try:
        subject = parse_subject_id(record.subject)
        opens = commit_subject(subject, salt=record.salt) == known.verified.subject
    except ProtocolError:
        opens = False
    if not opens:
        text = "subject id and salt beside this consent do not open its commitment"
        found.findings.append(
            Finding(outcome=Outcome.FAILS, code="commitment-mismatch", text=text, place=place)
        )


def _judge_consent(token: str, place: Place, *, chain: Chain) -> JudgedConsent:
    try:
        consent = open_consent(token, find_key=lambda kid: find_consent_key(chain.newest, kid))
        kid = split_compact(token, bytes_max=STATEMENT_BYTES_MAX).header.kid
        check_signer(consent, kid=kid, registry=chain.newest)
    except ProtocolError as err:
        text = f"this consent does not hold: {err.detail}"
        line = Evidence(outcome=Outcome.FAILS, code=err.code, text=text, place=place)
        return JudgedConsent(place=place, verified=None, evidence=(line,))
    text = f"signed by the subject {encode_b64u(consent.subject)}, within its purpose's ceilings"
    line = Evidence(outcome=Outcome.HOLDS, code="consent-signed", text=text, place=place)
    return JudgedConsent(place=place, verified=consent, evidence=(line,))


def _take_status(found: Artefacts, token: str, place: Place, *, chain: Chain) -> None:
    name = sha256(token.encode("ascii"))
    if name in found.statuses:
        return
    status = None
    try:
        status = _open_status(token, found, chain=chain)
        found.signatures += 1
    except ProtocolError as err:
        text = f"this status does not hold: {err.detail}"
        found.findings.append(Finding(outcome=Outcome.FAILS, code=err.code, text=text, place=place))
    found.statuses[name] = JudgedStatus(place=place, verified=status)


def _open_status(token: str, found: Artefacts, *, chain: Chain) -> ConsentStatus:
    keys: list[StatusKey] = []

    def find_key(kid: str) -> PublicKey:
        keys.append(find_status_key(chain.newest, kid))
        return keys[-1].entry.key

    status, _ = open_status(token, find_key=find_key)
    consent = found.consents.get(status.consent)
    if consent is not None and consent.verified is not None:
        check_party(status, keys[0], consent=consent.verified)
    check_statement(status, keys[0])
    return status
