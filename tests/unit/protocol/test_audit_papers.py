"""The audit of consents of customers without a key: who vouches, and for which paper."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import audit as auditor
from protocol.__main__ import DocumentUnreadableError, hash_document, main, verify_paths
from protocol.audit.findings import Outcome, Report, Verdict
from protocol.bundle import Bundle, format_consent, parse_bundle_files
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    commit_document,
    commit_subject,
    hash_consent,
    sign_consent,
    sign_status,
)
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ConsentEntry, format_entry
from protocol.identifiers import SubjectId, parse_subject_id
from protocol.keys import SigningKey
from protocol.purpose import WATCHED_METRICS
from protocol.registry import SubjectEntry
from tests.support.auditing import ALPHA, BETA, codes, find_line
from tests.support.federation import (
    HUB_KEY,
    SUBJECT,
    Federation,
    build_consent,
    key_entry,
    query_body,
)

PAPER = b"%PDF we agree that beta tells alpha how we pay"
OTHER = parse_subject_id("sim:OTHER1")
SALT = sha256(b"salt")


def enter(federation: Federation, *subjects: SubjectId, key: SigningKey | None = None) -> None:
    entries = tuple(
        SubjectEntry(
            commitment=commit_subject(subject, salt=SALT),
            verified="document",
            keys=() if key is None else (key_entry(key, "consent"),),
            document=commit_document(sha256(b"licence"), salt=SALT),
        )
        for subject in subjects
    )
    federation.publish(lambda registry: replace(registry, subjects=(*registry.subjects, *entries)))


def vouch(
    federation: Federation,
    *,
    subject: SubjectId = SUBJECT,
    salt: bytes = SALT,
    key: SigningKey | None = None,
    **changes: object,
) -> bytes:
    """Have alpha vouch for a customer's paper; both hold the consent."""
    consent: Consent = replace(
        build_consent(ALPHA, BETA),
        subject=commit_subject(subject, salt=salt),
        metrics=WATCHED_METRICS,
        max_uses=10,
        evidence=sha256(PAPER),
    )
    consent = replace(consent, exp=consent.nbf + 86_400, **changes)  # type: ignore[arg-type]
    token = sign_consent(consent, key=key or federation.members[ALPHA].key)
    for name in (ALPHA, BETA):
        federation.members[name].consents.append(token)
    return hash_consent(token)


def use(federation: Federation, consent: bytes) -> None:
    federation.ask(ALPHA, BETA, consent, body=query_body(consent, metrics=["index"]))


@pytest.fixture
def federation() -> Federation:
    made = Federation(ALPHA, BETA)
    enter(made, SUBJECT)
    return made


def export(federation: Federation, **shown: SubjectId | None) -> list[Bundle]:
    """Return the bundles; ``shown`` maps a consent's hash to the subject beside it."""
    bundles = []
    for name in federation.members:
        files = federation.export(name)
        lines = []
        for token in federation.members[name].consents:
            subject = shown.get(encode_b64u(hash_consent(token)))
            salt = None if subject is None else SALT
            text = None if subject is None else str(subject)
            lines.append(format_consent(token=token, subject=text, salt=salt))
        files["consents.jsonl"] = b"".join(lines)
        bundles.append(parse_bundle_files(files, name=name.partition(".")[0]))
    return bundles


def audit(bundles: Sequence[Bundle], *papers: bytes) -> Report:
    return auditor.audit_bundles(
        bundles, anchor=HUB_KEY.public, papers=frozenset(map(sha256, papers))
    )


def test_a_vouched_consent_is_open_until_its_paper_is_given(federation: Federation) -> None:
    use(federation, vouch(federation))
    bundles = export(federation)

    unseen, seen = audit(bundles), audit(bundles, PAPER)

    assert (unseen.verdict, seen.verdict) == (Verdict.UNDETERMINED, Verdict.PROVEN)
    assert {one.verdict for one in unseen.exchanges} == {Verdict.PROVEN}
    line = find_line(unseen, "paper-unseen")
    assert (ALPHA in line.text, sha256(PAPER).hex() in line.text) == (True, True)
    assert seen.consents[0].uses == 1
    vouched = seen.consents[0].evidence[0]
    assert vouched.code == "consent-vouched"
    assert f"vouched for by {ALPHA}" in vouched.text
    assert sha256(PAPER).hex() in vouched.text


def test_a_paper_of_which_one_byte_was_changed_is_another_paper(federation: Federation) -> None:
    use(federation, vouch(federation))

    report = audit(export(federation), PAPER[:-1] + b"z")

    assert report.verdict is Verdict.UNDETERMINED
    assert codes(report, Outcome.UNKNOWN) == {"paper-unseen", "paper-unnamed"}


def test_every_use_beyond_what_the_paper_was_vouched_for_is_contradicted(
    federation: Federation,
) -> None:
    consent = vouch(federation, max_uses=1)
    use(federation, consent)
    use(federation, consent)

    assert codes(audit(export(federation), PAPER)) == {"consent-exhausted"}


def test_a_use_after_the_consumers_own_withdrawal_is_contradicted(federation: Federation) -> None:
    consent = vouch(federation)
    status = ConsentStatus(
        consent=consent,
        seq=1,
        state=ConsentState.REVOKED,
        iat=federation.now_s,
        by="consumer",
        reason="the customer called",
    )
    token = sign_status(status, key=federation.members[ALPHA].key)
    provider = federation.members[BETA]
    provider.statuses.append(token)
    entry = ConsentEntry(
        at_ms=federation.now_s * 1000,
        consent=consent,
        seq=1,
        state="revoked",
        status=sha256(token.encode("ascii")),
    )
    provider.log.append(format_entry(entry))
    use(federation, consent)

    assert codes(audit(export(federation), PAPER)) == {"consent-revoked"}


# --- what a consumer may have made up


def test_another_member_does_not_vouch(federation: Federation) -> None:
    use(federation, vouch(federation, key=federation.members[BETA].key))

    assert "consent-signature" in codes(audit(export(federation), PAPER))


def test_nobody_vouches_for_a_customer_that_has_a_key() -> None:
    federation = Federation(ALPHA, BETA)
    enter(federation, SUBJECT, key=SigningKey(b"\x21" * 32))
    use(federation, vouch(federation))

    assert "consent-signature" in codes(audit(export(federation), PAPER))


def test_one_paper_for_two_customers_is_contradicted(federation: Federation) -> None:
    enter(federation, SUBJECT, OTHER)
    first, second = vouch(federation), vouch(federation, subject=OTHER)
    shown = {encode_b64u(first): SUBJECT, encode_b64u(second): OTHER}

    report = audit(export(federation, **shown), PAPER)

    assert codes(report) == {"paper-reused"}


def test_one_paper_under_two_commitments_is_open_where_they_are_not_shown() -> None:
    federation = Federation(ALPHA, BETA)
    enter(federation, SUBJECT, OTHER)
    first, _ = vouch(federation), vouch(federation, subject=OTHER)

    report = audit(export(federation, **{encode_b64u(first): SUBJECT}), PAPER)

    assert codes(report, Outcome.UNKNOWN) == {"paper-shared"}
    assert codes(report) == set()


def test_one_paper_behind_two_consents_of_one_customer_is_no_finding(
    federation: Federation,
) -> None:
    vouch(federation)
    vouch(federation, id="consent-2")

    assert audit(export(federation), PAPER).verdict is Verdict.PROVEN


def test_a_subject_beside_the_consent_that_does_not_fit_is_contradicted(
    federation: Federation,
) -> None:
    consent = vouch(federation)

    report = audit(export(federation, **{encode_b64u(consent): OTHER}), PAPER)

    assert codes(report) == {"commitment-mismatch"}


# --- papers on disk


def write(federation: Federation, folder: Path) -> Path:
    for path, content in federation.export(ALPHA, redacted=True).items():
        file = folder / "alpha" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder / "alpha"


def test_papers_are_given_to_the_command(federation: Federation, tmp_path: Path) -> None:
    vouch(federation)
    bundle, paper = write(federation, tmp_path), tmp_path / "paper.pdf"
    paper.write_bytes(PAPER)
    anchor = encode_b64u(HUB_KEY.public.raw)

    with_paper = main(["verify", str(bundle), "--anchor", anchor, "--document", str(paper)])
    without = main(["verify", str(bundle), "--anchor", anchor])

    assert (with_paper, without) == (0, 3)


def test_a_paper_that_cannot_be_read_or_is_empty_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")

    for path in (tmp_path / "absent", tmp_path / "empty", tmp_path):
        with pytest.raises(DocumentUnreadableError):
            hash_document(path)


def test_too_many_papers_are_refused(federation: Federation, tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadableError):
        verify_paths([write(federation, tmp_path)], anchor=None, documents=[tmp_path] * 1_001)
