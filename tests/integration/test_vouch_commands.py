"""``enrol --document``, ``consent vouch`` and the officer's commands, against a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from node.cli.http import PlainHttpError, ServerRefusedError
from node.core.clock import SystemClock, now_s
from node.core.config import load_settings
from node.hub.app import open_hub
from node.hub.errors import DocumentMismatchError, StatusConflictError
from protocol.__main__ import DocumentUnreadableError, hash_document
from protocol.consent import commit_document, commit_subject, open_consent
from protocol.consent_signer import check_signer, find_consent_key
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.enrolment import UnkeyedEnrolment, sign_unkeyed_enrolment
from protocol.identifiers import parse_subject_id
from protocol.jws import split_compact
from protocol.limits import SALT_BYTES, STATEMENT_BYTES_MAX
from protocol.problems import OverCeilingError
from protocol.registry import SubjectEntry
from tests.support import hubs
from tests.support.places import Place, call, check, error_of, open_place

SUBJECT = "sim:C000007"
LICENCE = b"%PDF a business licence, scanned"
PAPER = b"%PDF an agreement with a signature and a stamp"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as made:
        check(made.join(made.invite()))
        (tmp_path / "licence.pdf").write_bytes(LICENCE)
        (tmp_path / "paper.pdf").write_bytes(PAPER)
        yield made


def salt_of(place: Place) -> bytes:
    text = (place.folder / "C7.salt").read_text(encoding="ascii")
    return decode_b64u(text, bytes_exact=SALT_BYTES)


def find_entry(place: Place) -> SubjectEntry | None:
    commitment = commit_subject(parse_subject_id(SUBJECT), salt=salt_of(place))
    return place.hub.open_newest().find_subject(commitment)


def enrol(place: Place, *arguments: str, document: str = "licence.pdf") -> Result:
    return call(
        "enrol", "--home", str(place.home), "--document", str(place.folder / document),
        "--subject", SUBJECT, "--salt", str(place.folder / "C7.salt"), *arguments,
    )  # fmt: skip


def vouch(place: Place, *arguments: str, document: str = "paper.pdf") -> Result:
    return call(
        "consent", "vouch", "--home", str(place.home), "--subject", SUBJECT,
        "--salt", str(place.folder / "C7.salt"), "--document", str(place.folder / document),
        "--provider", "beta.example", "--out", str(place.folder / "bundle.json"), *arguments,
    )  # fmt: skip


def test_a_customer_without_a_key_is_entered_by_invitation(place: Place) -> None:
    said = check(enrol(place, "--token-file", str(place.invite(kind="subject"))))

    entry = find_entry(place)
    assert entry is not None
    assert (entry.keys, entry.document) == (
        (),
        commit_document(sha256(LICENCE), salt=salt_of(place)),
    )
    assert sha256(LICENCE).hex() in said


def test_the_paper_never_leaves_the_machine(place: Place) -> None:
    check(enrol(place, "--out", str(place.folder / "for-the-hub.json")))
    check(enrol(place, "--token-file", str(place.invite(kind="subject"))))
    check(vouch(place))

    files = [place.folder / "for-the-hub.json", place.folder / "bundle.json"]
    sent = [file.read_bytes() for file in files] + place.posted
    assert len(place.posted) == 2  # joining and enrolling
    for token in json.loads(files[0].read_text())["tokens"]:
        sent.append(split_compact(token, bytes_max=STATEMENT_BYTES_MAX).payload)
    for words in (b"licence", b"agreement", b"%PDF", b"paper.pdf"):
        assert not any(words in raw for raw in sent)


@pytest.fixture
def office(tmp_path: Path) -> tuple[str, ...]:
    """An operator's own folder, with one member."""
    home = tmp_path / "office"
    check(
        call(
            "hub", "init", "--home", str(home), "--member-id", hubs.HUB, "--legal-basis",
            "a try-out", "--simulated",
        )
    )  # fmt: skip
    hub = open_hub(load_settings(home))
    hub.service.enrol_member(hubs.ALPHA.enrol(iat=now_s(SystemClock())))
    hub.database.dispose()
    return ("--home", str(home))


def bring(path: Path, *, subject: str = hubs.SUBJECT) -> str:
    enrolment = UnkeyedEnrolment(
        hub=hubs.HUB,
        iat=now_s(SystemClock()),
        member=hubs.ALPHA.member,
        subject=parse_subject_id(subject),
        salt=hubs.SALT,
        document=sha256(LICENCE),
    )
    token = sign_unkeyed_enrolment(enrolment, key=hubs.ALPHA.message_key)
    path.write_text(json.dumps({"tokens": [token]}))
    return str(path)


def test_the_officer_enters_who_stands_in_the_paper_and_nobody_else(
    tmp_path: Path, office: tuple[str, ...]
) -> None:
    statement = bring(tmp_path / "statement.json")
    (tmp_path / "licence.pdf").write_bytes(LICENCE)
    (tmp_path / "other.pdf").write_bytes(LICENCE[:-1] + b"e")
    enter = ("hub", "subject", "enrol", statement, *office, "--document")

    other = call(*enter, str(tmp_path / "other.pdf"))
    said = check(call(*enter, str(tmp_path / "licence.pdf")))

    assert isinstance(error_of(other), DocumentMismatchError)
    commitment = commit_subject(parse_subject_id(hubs.SUBJECT), salt=hubs.SALT)
    assert encode_b64u(commitment) in said


def test_a_file_that_holds_no_enrolment_is_wrong_usage(
    tmp_path: Path, office: tuple[str, ...]
) -> None:
    (tmp_path / "licence.pdf").write_bytes(LICENCE)
    (tmp_path / "none.json").write_text('{"tokens":[]}')
    (tmp_path / "large.json").write_bytes(b" " * (STATEMENT_BYTES_MAX + 1))

    for name in ("none.json", "large.json", "absent.json"):
        refused = call(
            "hub", "subject", "enrol", str(tmp_path / name), *office,
            "--document", str(tmp_path / "licence.pdf"),
        )  # fmt: skip
        assert refused.exit_code == 2


def test_the_officer_withdraws_a_consent_once(office: tuple[str, ...]) -> None:
    name = encode_b64u(sha256(b"consent"))
    revoke = ("hub", "consent", "revoke", name, *office, "--reason", "the customer called")

    said = check(call(*revoke))

    assert f"{name} is revoked, number 1" in said
    assert isinstance(error_of(call(*revoke)), StatusConflictError)


def test_vouching_signs_a_consent_with_the_members_own_key(place: Place) -> None:
    check(enrol(place, "--token-file", str(place.invite(kind="subject"))))

    said = check(vouch(place))

    registry = place.hub.open_newest()
    (one,) = json.loads((place.folder / "bundle.json").read_text())["consents"]
    consent = open_consent(one["token"], find_key=lambda kid: find_consent_key(registry, kid))
    kid = split_compact(one["token"], bytes_max=STATEMENT_BYTES_MAX).header.kid
    check_signer(consent, kid=kid, registry=registry)
    assert (consent.evidence, consent.consumer) == (sha256(PAPER), "acme.example")
    assert sha256(PAPER).hex() in said


@pytest.mark.parametrize("extra", [("--days", "93"), ("--uses", "13"), ("--metric", "volume")])
def test_vouching_for_more_than_a_paper_allows_is_refused(
    place: Place, extra: tuple[str, ...]
) -> None:
    check(enrol(place, "--out", str(place.folder / "for-the-hub.json")))  # makes the salt

    assert isinstance(error_of(vouch(place, *extra)), OverCeilingError)
    assert not (place.folder / "bundle.json").exists()


def test_an_empty_or_missing_paper_proves_nothing(place: Place) -> None:
    (place.folder / "empty.pdf").write_bytes(b"")

    for document in ("empty.pdf", "none.pdf"):
        refused = enrol(place, "--out", str(place.folder / "x.json"), document=document)
        assert isinstance(error_of(refused), DocumentUnreadableError)
    with pytest.raises(DocumentUnreadableError):
        hash_document(place.folder)


def test_options_that_do_not_belong_together_are_wrong_usage(place: Place) -> None:
    token = str(place.invite(kind="subject"))

    assert enrol(place).exit_code == 2
    assert enrol(place, "--token-file", token, "--out", "x").exit_code == 2
    assert call("enrol", "--home", str(place.home)).exit_code == 2
    alone = call("enrol", "--home", str(place.home), "--token-file", token, "--subject", SUBJECT)
    assert alone.exit_code == 2


def test_a_used_invitation_enters_nobody_else(place: Place) -> None:
    token = str(place.invite(kind="subject"))
    check(enrol(place, "--token-file", token))
    (place.folder / "C7.salt").rename(place.folder / "old.salt")

    assert isinstance(error_of(enrol(place, "--token-file", token)), ServerRefusedError)


@pytest.mark.parametrize("url", ["http://hub.example:8440", "http://10.0.0.1:8440"])
def test_the_hubs_token_is_not_sent_in_the_clear(
    place: Place, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CHENGXIN_HUB_URL", url)
    token = str(place.invite())

    member = call("enrol", "--home", str(place.home), "--token-file", token)

    assert isinstance(error_of(member), PlainHttpError)
    assert isinstance(error_of(enrol(place, "--token-file", token)), PlainHttpError)
