"""``join``, ``key`` and ``leave`` against a real hub on loopback."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.bootstrap.home import load_member_keys, open_database, open_key_ring
from node.cli.http import PlainHttpError, ServerRefusedError
from node.cli.hub_client import HubClient
from node.cli.join import (
    AnchorMismatchError,
    InvitationMisfitError,
    JoinedElsewhereError,
)
from node.cli.keys import KeyPendingError, load_registry
from node.core.clock import SystemClock, now_s
from node.core.config import load_settings
from node.core.keyring import KeyRing
from node.core.keystore import save_key
from node.hub.rules_snapshot import RevocationReason
from protocol.encoding import encode_b64u, sha256
from protocol.invitation import format_fingerprint
from protocol.jws import split_compact
from protocol.keys import SigningKey
from tests.support import hubs
from tests.support.places import (
    FINGERPRINT,
    MEMBER,
    Place,
    call,
    check,
    error_of,
    open_place,
)

NEXT_KEY = SigningKey(sha256(b"the next officer's"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as opened:
        yield opened


# --- joining


def test_who_is_invited_joins_with_one_command(place: Place) -> None:
    said = check(place.join(place.invite(), "--name", "Acme", "--port", "8555"))

    assert f"{MEMBER} has joined hub.example, snapshot 2" in said
    settings = load_settings(place.home)
    assert (settings.hub_url, settings.hub_anchor) == (
        place.url,
        encode_b64u(hubs.HUB_KEY.public.raw),
    )
    member = place.find_member()
    assert (member.name, member.endpoints) == ("Acme", {"v1": "http://127.0.0.1:8555"})
    registry = load_registry(settings)
    assert registry is not None
    assert registry.find_member(MEMBER) == member


def test_joining_again_changes_nothing(place: Place) -> None:
    path = place.invite()
    check(place.join(path))
    config = (place.home / "chengxin.toml").read_text()

    check(place.join(path))

    assert tomllib.loads((place.home / "chengxin.toml").read_text()) == tomllib.loads(config)
    assert place.hub.service.get_snapshot(None).seq == 2


def test_a_folder_that_is_there_is_completed(place: Place) -> None:
    check(
        call(
            "init", "--home", str(place.home), "--member-id", MEMBER, "--name", "Acme",
            "--business-date", "2026-01-31",
        )
    )  # fmt: skip

    check(place.join(place.invite()))

    settings = load_settings(place.home)
    assert (settings.name, settings.hub_url) == ("Acme", place.url)
    assert str(settings.business_date) == "2026-01-31"


def test_the_fingerprint_is_shown_and_asked_about(place: Place) -> None:
    path = place.invite()

    refused = place.join(path, said="n\n")
    assert refused.exit_code == 1
    assert f"fingerprint  {FINGERPRINT}" in refused.output
    assert place.hub.open_newest().member_count == 0
    check(place.join(path, said="y\n"))

    assert place.find_member().status == "active"


OTHER = format_fingerprint(SigningKey(sha256(b"another hub")).public)


def test_a_hub_with_another_key_than_was_handed_over_gets_no_token(place: Place) -> None:
    by_invitation = place.join(place.invite(fingerprint=OTHER))
    path = place.invite()
    by_ear = call("join", str(path), "--home", str(place.home), "--fingerprint", OTHER)
    misheard = call("join", str(path), "--home", str(place.home), "--fingerprint", "\N{EN DASH}")
    other_hub = place.join(place.invite(hub="other.example"))

    for result in (by_invitation, by_ear, misheard, other_hub):
        assert isinstance(error_of(result), AnchorMismatchError)
    assert not place.home.exists()
    assert place.hub.open_newest().member_count == 0


def test_an_invitation_for_another_is_refused(place: Place) -> None:
    call("init", "--home", str(place.home), "--member-id", "other.example")

    for path in (place.invite(), place.invite(kind="subject"), place.folder / "absent"):
        assert isinstance(error_of(place.join(path)), InvitationMisfitError)


def test_a_member_of_one_federation_joins_no_other(place: Place) -> None:
    call(
        "init", "--home", str(place.home), "--member-id", MEMBER,
        "--hub-url", "https://hub.other.example",
    )  # fmt: skip

    assert isinstance(error_of(place.join(place.invite())), JoinedElsewhereError)


def test_an_invitation_that_has_been_used_by_another_key_admits_nobody(place: Place) -> None:
    path = place.invite()
    check(place.join(path))

    thief = call(
        "join", str(path), "--home", str(place.folder / "thief"), "--fingerprint", FINGERPRINT
    )

    assert isinstance(error_of(thief), ServerRefusedError)


@pytest.mark.parametrize("url", ["http://hub.example", "http://10.0.0.1:8440"])
def test_a_token_does_not_travel_in_the_clear(url: str) -> None:
    with pytest.raises(PlainHttpError):
        HubClient(url)


# --- keys


def test_rotation_enters_the_new_key_and_keeps_both_files(place: Place) -> None:
    check(place.join(place.invite()))

    check(place.key("rotate", "message"))

    old, new = (file.key for file in open_ring(place).load())
    entries = [entry for entry in place.find_member().keys if entry.use == "message"]
    assert [entry.key for entry in entries] == [old.public, new.public]
    assert [entry.reason for entry in entries] == ["superseded", None]
    assert entries[1].nbf - place.hub.clock.now_ms() // 1000 in range(590, 700)


def test_rotation_that_was_not_answered_is_sent_again_as_it_was(place: Place) -> None:
    check(place.join(place.invite()))
    check(place.key("rotate", "message"))
    statement = open_ring(place).find_statement(2)

    check(place.key("rotate", "message"))

    assert len(open_ring(place).load()) == 2
    assert open_ring(place).find_statement(2) == statement
    assert place.hub.service.get_snapshot(None).seq == 3


def test_a_second_rotation_waits_for_the_first(place: Place) -> None:
    check(place.join(place.invite()))
    check(place.key("rotate", "message"))
    place.follow()

    assert isinstance(error_of(place.key("rotate", "message")), KeyPendingError)


def test_a_statement_that_has_become_too_old_is_signed_anew(place: Place) -> None:
    check(place.join(place.invite()))
    ring = open_ring(place)
    new = ring.add()
    ring.keep_statement(new.number, hubs.ALPHA.enrol(iat=1))  # of long ago

    check(place.key("rotate", "message"))

    assert place.hub.open_newest().find_message_key(new.key.kid) is not None


def test_keys_are_listed_with_what_the_registry_says(place: Place) -> None:
    check(place.join(place.invite()))
    open_ring(place).add()
    first, second = (file.key.kid for file in open_ring(place).load())

    lines = check(place.key("list")).splitlines()

    assert any(first in line and "yes" in line for line in lines)
    assert any(second in line and "not entered" in line for line in lines)


def test_a_compromised_key_is_replaced_by_invitation(place: Place) -> None:
    check(place.join(place.invite()))
    settings = load_settings(place.home)
    old = load_member_keys(settings).message
    place.hub.service.revoke_key(old.kid, reason=RevocationReason.COMPROMISED)
    path = place.invite(kind="rekey")

    check(place.key("replace", str(path)))
    check(place.key("replace", str(path)))

    new = open_ring(place).load()[1].key
    at_s = place.hub.clock.now_ms() // 1000
    assert place.hub.open_newest().get_message_key(new.kid, now_s=at_s)[0].member == MEMBER


def test_a_replacement_that_failed_is_not_sent_as_a_change(place: Place) -> None:
    check(place.join(place.invite()))
    # The key is valid, so the hub refuses; the enrolment is kept for another try.
    assert isinstance(
        error_of(place.key("replace", str(place.invite(kind="rekey")))), ServerRefusedError
    )

    check(place.key("rotate", "message"))

    old, new = (file.key for file in open_ring(place).load())
    entries = [entry for entry in place.find_member().keys if entry.use == "message"]
    assert [entry.key for entry in entries] == [old.public, new.public]


def test_an_invitation_of_another_hub_replaces_no_key(place: Place) -> None:
    check(place.join(place.invite()))

    for path in (place.invite(kind="rekey", fingerprint=OTHER), place.invite()):
        assert isinstance(error_of(place.key("replace", str(path))), InvitationMisfitError)

    assert len(open_ring(place).load()) == 1


def open_ring(place: Place) -> KeyRing:
    return open_key_ring(load_settings(place.home), "message")


# --- leaving


def test_who_leaves_is_entered_so(place: Place) -> None:
    check(place.join(place.invite()))
    home = ("--home", str(place.home))

    assert call("leave", *home, said="n\n").exit_code == 1
    assert place.find_member().status == "active"
    assert "has left as of snapshot 3" in check(call("leave", *home, "--yes"))

    assert place.find_member().status == "left"


def test_enrolling_after_a_rotation_brings_the_key_in_use(place: Place) -> None:
    check(place.join(place.invite()))
    check(place.key("rotate", "message"))
    token = place.folder / "token"
    token.write_text(hubs.TOKEN)

    check(call("enrol", "--home", str(place.home), "--token-file", str(token)))

    assert place.hub.service.get_snapshot(None).seq == 3


# --- the operator's side


def test_the_operators_commands_invite_force_and_see_off(place: Place) -> None:
    hub_home = place.folder / "operator"
    home = ("--home", str(hub_home))
    check(
        call(
            "hub", "init", *home, "--member-id", "hub.example", "--legal-basis", "a try-out",
            "--simulated", "--public-url", "https://hub.example",
        )
    )  # fmt: skip

    text = check(call("hub", "invite", MEMBER, *home, "--expires", "3"))

    assert text.startswith("chengxin invitation 1\nhub hub.example\nurl https://hub.example\n")
    assert f"kind member\nmember {MEMBER}\n" in text
    assert "kind rekey" in check(call("hub", "invite", MEMBER, *home, "--rekey"))
    assert "kind subject\nmember -\n" in check(call("hub", "invite", "--subject", *home))
    for wrong in ((), (MEMBER, "--subject"), ("--subject", "--rekey")):
        assert call("hub", "invite", *wrong, *home).exit_code == 1
    own = json.loads(check(call("hub", "keys", "age", *home, "--json")))
    assert [(one["owner"], one["use"], one["age_days"]) for one in own] == [
        ("hub", "hub", 0),
        ("hub", "log", 0),
    ]
    assert "hub" in check(call("hub", "keys", "age", *home))
    assert "as of snapshot 2" in check(call("hub", "keys", "rotate", "hub", *home))
    assert "as of snapshot 3" in check(call("hub", "keys", "rotate", "witness", *home))
    own, _ = json.loads(check(call("hub", "keys", "age", *home, "--json")))
    assert call("hub", "member", "leave", MEMBER, *home).exit_code == 1
    force = call("hub", "keys", "force", own["kid"], "--by", "2100-01-01", *home)
    assert force.exit_code == 1  # the hub's own key is not changed like this


def test_a_subjects_new_key_is_entered_from_a_file(place: Place) -> None:
    home = ("--home", str(place.folder / "operator"))
    check(
        call(
            "hub", "init", *home, "--member-id", hubs.HUB, "--legal-basis", "a try-out",
            "--simulated",
        )
    )  # fmt: skip
    enrolment, document = place.folder / "enrolment.json", place.folder / "extract.pdf"
    document.write_bytes(b"the register's extract")
    at_s = now_s(SystemClock())
    enrolment.write_text(json.dumps({"tokens": list(hubs.enrol_subject(iat=at_s))}))

    result = call("hub", "subject", "rekey", str(enrolment), "--document", str(document), *home)

    assert type(error_of(result)).__name__ == "SubjectUnknownError"
    absent = str(place.folder / "absent")
    assert call("hub", "subject", "rekey", absent, "--document", absent, *home).exit_code == 2


def test_a_subject_is_entered_by_invitation_and_its_next_key_by_the_operator(
    place: Place,
) -> None:
    salt = place.folder / "S.salt"
    pem = ("--passphrase", "correct horse", "--salt", str(salt))
    enrol = ("consent", "enrol", "--subject", hubs.SUBJECT, "--hub-url", place.url, *pem)
    first, second = (place.folder / name for name in ("S.pem", "S2.pem"))
    check(call("consent", "keygen", "--key", str(first), *pem))
    invitation = str(place.invite(kind="subject"))
    check(call(*enrol, "--key", str(first), "--token-file", invitation))
    save_key(NEXT_KEY, path=second, passphrase="correct horse")
    out = place.folder / "enrolment.json"

    check(call(*enrol, "--key", str(second), "--out", str(out)))
    place.hub.service.rekey_subject(
        json.loads(out.read_text())["tokens"],
        document=sha256(b"extract"),
        reason=RevocationReason.LEFT,
    )

    (subject,) = place.hub.open_newest().subjects
    assert [entry.reason for entry in subject.keys] == ["left", None]
    assert subject.keys[1].key == NEXT_KEY.public
    assert out.stat().st_mode & 0o077 == 0  # it holds id and salt
    for wrong in ((), ("--out", str(out), "--token-file", invitation)):
        assert call(*enrol, "--key", str(second), *wrong).exit_code == 2


def test_a_first_key_is_entered_where_its_fingerprint_is_the_one_that_was_told(
    place: Place,
) -> None:
    home = ("--home", str(place.folder / "operator"))
    check(
        call(
            "hub", "init", *home, "--member-id", hubs.HUB, "--legal-basis", "a try-out",
            "--simulated",
        )
    )  # fmt: skip
    enrolment = place.folder / "enrolment.json"
    (token,) = hubs.enrol_subject(iat=now_s(SystemClock()))
    enrolment.write_text(json.dumps({"tokens": [token]}))
    kid = split_compact(token).header.kid
    enter = ("hub", "subject", "enter", str(enrolment), *home)

    assert call(*enter, f"--fingerprint={'x' * 43}").exit_code == 2
    assert f"entered with the key {kid}" in check(call(*enter, f"--fingerprint={kid}"))


def test_the_database_of_a_folder_names_the_key_in_use(place: Place) -> None:
    check(place.join(place.invite()))
    settings = load_settings(place.home)
    database = open_database(settings)

    used = load_member_keys(settings, database=database).message

    database.dispose()
    assert used.kid == open_ring(place).load()[0].key.kid
