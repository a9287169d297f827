"""An invitation: one text by which a hub's operator lets somebody in.

Its form is docs/protocol/registry.md §5. It says where the hub is and by which fingerprint its
anchor is known, so that nobody has to type a key; a person who reads the fingerprint over the phone
is what makes it trustworthy. The token admits once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from protocol.encoding import decode_b64u
from protocol.enrolment import check_endpoint
from protocol.errors import MalformedError, SchemaError, TooLargeError
from protocol.identifiers import parse_member_id
from protocol.keys import PublicKey

INVITATION_KINDS = frozenset({"member", "rekey", "subject"})
INVITATION_BYTES_MAX = 4_096
FINGERPRINT_BYTES = 20
_TITLE = "chengxin invitation 1"
_NAMES = ("hub", "url", "fingerprint", "kind", "member", "expires", "token")
_NOBODY = "-"  # a subject is named by nobody here
_FINGERPRINT = re.compile(r"[0-9a-f]{4}(-[0-9a-f]{4}){9}")
INVITATION_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """``member`` is empty in an invitation for a subject."""

    hub: str
    url: str
    fingerprint: str
    kind: str
    member: str
    expires_at_s: int
    token: str


def format_fingerprint(key: PublicKey) -> str:
    """Return the short form of a key that people compare: 160 bits of its thumbprint, in hex."""
    digits = decode_b64u(key.kid)[:FINGERPRINT_BYTES].hex()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def format_invitation(invitation: Invitation) -> str:
    """Return the text that is handed over."""
    values = (
        invitation.hub,
        invitation.url,
        invitation.fingerprint,
        invitation.kind,
        invitation.member or _NOBODY,
        datetime.fromtimestamp(invitation.expires_at_s, UTC).strftime(_TIME_FORMAT),
        invitation.token,
    )
    lines = (f"{name} {value}" for name, value in zip(_NAMES, values, strict=True))
    return "\n".join((_TITLE, *lines)) + "\n"


def parse_invitation(text: str) -> Invitation:
    """Read an invitation; blank space around it, as mail adds it, is passed over.

    Raises:
        TooLargeError: Longer than any invitation.
        MalformedError: Another form.
        SchemaError: A line has another value.
    """
    if len(text) > INVITATION_BYTES_MAX:
        raise TooLargeError("longer than an invitation")
    lines = text.strip().replace("\r\n", "\n").split("\n")
    if lines[0] != _TITLE or len(lines) != len(_NAMES) + 1:
        raise MalformedError(f"an invitation is '{_TITLE}' and {len(_NAMES)} lines")
    values: list[str] = []
    for name, line in zip(_NAMES, lines[1:], strict=True):
        label, _, value = line.partition(" ")
        if label != name:
            raise MalformedError(f"the line {name} is missing")
        values.append(value)
    hub, url, fingerprint, kind, member, expires, token = values
    _check(url=url, fingerprint=fingerprint, kind=kind, member=member, token=token)
    return Invitation(
        hub=parse_member_id(hub),
        url=url,
        fingerprint=fingerprint,
        kind=kind,
        member="" if kind == "subject" else parse_member_id(member),
        expires_at_s=_parse_time(expires),
        token=token,
    )


def _check(*, url: str, fingerprint: str, kind: str, member: str, token: str) -> None:
    check_endpoint(url)
    if not _FINGERPRINT.fullmatch(fingerprint) or not INVITATION_TOKEN.fullmatch(token):
        raise SchemaError("invitation: fingerprint or token has another form")
    if kind not in INVITATION_KINDS or (kind == "subject") != (member == _NOBODY):
        raise SchemaError("invitation.kind: another one, or for somebody else")


def _parse_time(text: str) -> int:
    try:
        at = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as err:
        raise SchemaError("invitation.expires: not a time of UTC") from err
    if at.strftime(_TIME_FORMAT) != text:
        raise SchemaError("invitation.expires: another spelling")
    return int(at.timestamp())
