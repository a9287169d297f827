from dataclasses import replace

import pytest

from protocol.encoding import decode_b64u, sha256
from protocol.errors import IdentifierError, MalformedError, SchemaError, TooLargeError
from protocol.invitation import (
    INVITATION_BYTES_MAX,
    Invitation,
    format_fingerprint,
    format_invitation,
    parse_invitation,
)
from protocol.keys import SigningKey

ANCHOR = SigningKey(sha256(b"invitation: anchor")).public
INVITATION = Invitation(
    hub="hub.example",
    url="https://hub.example:8440",
    fingerprint=format_fingerprint(ANCHOR),
    kind="member",
    member="alpha.example",
    expires_at_s=1_790_000_000,
    token="A" * 43,
)
TEXT = format_invitation(INVITATION)


@pytest.mark.parametrize("kind", ["member", "rekey", "subject"])
def test_invitation_reads_back(kind: str) -> None:
    invitation = replace(INVITATION, kind=kind, member="" if kind == "subject" else "alpha.example")

    assert parse_invitation(format_invitation(invitation)) == invitation


def test_what_mail_adds_around_it_is_passed_over() -> None:
    assert parse_invitation("\n  " + TEXT.replace("\n", "\r\n") + "\n\n") == INVITATION


def test_a_person_can_read_it() -> None:
    assert TEXT.splitlines()[0] == "chengxin invitation 1"
    assert "expires 2026-09-21T14:13:20Z" in TEXT


def test_fingerprint_is_the_beginning_of_the_keys_thumbprint_in_groups() -> None:
    text = format_fingerprint(ANCHOR)

    assert bytes.fromhex(text.replace("-", "")) == decode_b64u(ANCHOR.kid)[:20]
    assert {len(group) for group in text.split("-")} == {4}


def with_line(name: str, value: str) -> str:
    lines = [
        f"{name} {value}" if line.startswith(f"{name} ") else line for line in TEXT.splitlines()
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("x" * (INVITATION_BYTES_MAX + 1), TooLargeError, id="long"),
        pytest.param("", MalformedError, id="empty"),
        pytest.param(TEXT.replace("invitation 1", "invitation 2"), MalformedError, id="version"),
        pytest.param(TEXT + "more 1\n", MalformedError, id="one-line-more"),
        pytest.param(TEXT.replace("\nkind ", "\nkin "), MalformedError, id="other-line"),
        pytest.param(with_line("hub", "Hub"), IdentifierError, id="hub"),
        pytest.param(with_line("url", "ftp://hub.example"), SchemaError, id="url"),
        pytest.param(with_line("fingerprint", "0123"), SchemaError, id="fingerprint"),
        pytest.param(with_line("kind", "king"), SchemaError, id="kind"),
        pytest.param(with_line("kind", "subject"), SchemaError, id="subject-with-a-name"),
        pytest.param(with_line("member", "-"), SchemaError, id="member-without-a-name"),
        pytest.param(with_line("member", "Alpha"), IdentifierError, id="member"),
        pytest.param(with_line("expires", "tomorrow"), SchemaError, id="time"),
        pytest.param(with_line("expires", "2026-9-21T14:13:20Z"), SchemaError, id="spelling"),
        pytest.param(with_line("token", "short"), SchemaError, id="token"),
    ],
)
def test_another_form_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_invitation(text)
