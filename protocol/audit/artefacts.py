"""Verifies the consents and statuses of all bundles, each distinct text once.

That a customer without a key has agreed, only its paper shows: until the auditor has it, a consent
that a consumer vouches for stays undetermined, and what was exchanged under it is judged all the
same.
"""

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


@dataclass(frozen=True, slots=True)
class PaperBearer:
    """Somebody whose consent rests on a paper; ``subject`` where it is shown and fits."""

    commitment: bytes
    subject: str | None


@dataclass(slots=True, kw_only=True)
class Artefacts:
    """All consents and statuses, by hash.

    ``papers`` are the hashes of those that the auditor has been given; ``bearers`` who stands
    behind each paper that a consent names.
    """

    papers: frozenset[bytes] = frozenset()
    bearers: dict[bytes, dict[PaperBearer, Place]] = field(default_factory=dict)
    consents: dict[bytes, JudgedConsent] = field(default_factory=dict)
    statuses: dict[bytes, JudgedStatus] = field(default_factory=dict)
    subjects: dict[bytes, str] = field(default_factory=dict)  # of consents that are opened here
    findings: list[Finding] = field(default_factory=list)
    signatures: int = 0

    def list_partition(self, partition: int, *, count: int) -> Iterator[bytes]:
        """Yield the names of the consents of one partition."""
        for name in self.consents:
            if choose_partition(name, count=count) == partition:
                yield name


def collect_artefacts(
    bundles: Sequence[Bundle], *, chain: Chain, papers: frozenset[bytes] = frozenset()
) -> Artefacts:
    """Verify every consent, then every status; compare papers with the consents that name them."""
    found = Artefacts(papers=papers)
    for bundle in bundles:
        for record in bundle.consents:
            place = Place(bundle=bundle.name, file=CONSENTS_FILE, line=record.line)
            _take_consent(found, record, place, chain=chain)
    for bundle in bundles:
        for status in bundle.statuses:
            place = Place(bundle=bundle.name, file=STATUSES_FILE, line=status.line)
            _take_status(found, status.token, place, chain=chain)
    found.findings += _compare_papers(found)
    return found


def _take_consent(found: Artefacts, record: ConsentRecord, place: Place, *, chain: Chain) -> None:
    name = hash_consent(record.token)
    known = found.consents.get(name)
    if known is None:
        known = _judge_consent(record.token, place, chain=chain, papers=found.papers)
        found.consents[name] = known
        found.signatures += known.verified is not None
    if known.verified is None:
        return
    opens = _opens(record, commitment=known.verified.subject)
    if known.verified.evidence is not None:
        bearer = PaperBearer(known.verified.subject, record.subject if opens else None)
        found.bearers.setdefault(known.verified.evidence, {}).setdefault(bearer, place)
    if record.subject is None or record.salt is None:
        return
    if opens:
        found.subjects[name] = record.subject
    else:
        text = "subject id and salt beside this consent do not open its commitment"
        found.findings.append(
            Finding(outcome=Outcome.FAILS, code="commitment-mismatch", text=text, place=place)
        )


def _opens(record: ConsentRecord, *, commitment: bytes) -> bool:
    if record.subject is None or record.salt is None:
        return False
    try:
        subject = parse_subject_id(record.subject)
    except ProtocolError:
        return False
    return commit_subject(subject, salt=record.salt) == commitment


def _judge_consent(
    token: str, place: Place, *, chain: Chain, papers: frozenset[bytes]
) -> JudgedConsent:
    try:
        consent = open_consent(token, find_key=lambda kid: find_consent_key(chain.newest, kid))
        kid = split_compact(token, bytes_max=STATEMENT_BYTES_MAX).header.kid
        check_signer(consent, kid=kid, registry=chain.newest)
    except ProtocolError as err:
        text = f"this consent does not hold: {err.detail}"
        line = Evidence(outcome=Outcome.FAILS, code=err.code, text=text, place=place)
        return JudgedConsent(place=place, verified=None, evidence=(line,))
    if consent.evidence is not None:
        lines = _describe_vouched(consent, consent.evidence, place, papers=papers)
        return JudgedConsent(place=place, verified=consent, evidence=lines)
    text = f"signed by the subject {encode_b64u(consent.subject)}, within its purpose's ceilings"
    line = Evidence(outcome=Outcome.HOLDS, code="consent-signed", text=text, place=place)
    return JudgedConsent(place=place, verified=consent, evidence=(line,))


def _describe_vouched(
    consent: Consent, evidence: bytes, place: Place, *, papers: frozenset[bytes]
) -> tuple[Evidence, ...]:
    text = (
        f"vouched for by {consent.consumer} for the subject {encode_b64u(consent.subject)}, who "
        f"has no key; evidence sha256 {evidence.hex()}, within a paper's ceilings"
    )
    vouched = Evidence(outcome=Outcome.HOLDS, code="consent-vouched", text=text, place=place)
    if evidence in papers:
        text = f"a paper of sha256 {evidence.hex()} was given: read whether it says this"
        seen = Evidence(outcome=Outcome.HOLDS, code="paper-given", text=text, place=place)
    else:
        text = (
            f"that the subject agreed is the word of {consent.consumer} alone: ask it for the "
            f"paper of sha256 {evidence.hex()} and give it with --document"
        )
        seen = Evidence(outcome=Outcome.UNKNOWN, code="paper-unseen", text=text, place=place)
    return vouched, seen


def _compare_papers(found: Artefacts) -> Iterator[Finding]:
    """Yield papers that speak for several subjects, and those given that no consent names."""
    for evidence, bearers in sorted(found.bearers.items()):
        subjects = {bearer.subject for bearer in bearers if bearer.subject is not None}
        hidden = {bearer.commitment for bearer in bearers} - {
            bearer.commitment for bearer in bearers if bearer.subject is not None
        }
        place = list(bearers.values())[-1]
        if len(subjects) > 1:
            text = f"the paper of sha256 {evidence.hex()} stands behind consents of two subjects"
            yield Finding(outcome=Outcome.FAILS, code="paper-reused", text=text, place=place)
        elif hidden and len({bearer.commitment for bearer in bearers}) > 1:
            text = (
                f"the paper of sha256 {evidence.hex()} stands behind several commitments; "
                "whether they are of one subject is not shown"
            )
            yield Finding(outcome=Outcome.UNKNOWN, code="paper-shared", text=text, place=place)
    for paper in sorted(found.papers - found.bearers.keys()):
        text = f"no consent here names the document given, sha256 {paper.hex()}"
        yield Finding(outcome=Outcome.UNKNOWN, code="paper-unnamed", text=text)


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
