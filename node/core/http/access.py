"""Who may use the API and console: holders of a token, or of a session that it bought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hmac import compare_digest, digest

from starlette.requests import Request

from node.core.errors import NotAuthenticatedError
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal
from protocol.encoding import encode_b64u, sha256

SESSION_COOKIE = "chengxin_session"
SESSION_NONCE_BYTES = 16
_VIEWER_DOMAIN = b"chengxin/viewer-session/v2\n"
_VIEWER_PARTS = 4
_OPERATOR_ID = 0  # No token of a person's has this number.
_NUMBER_DIGITS_MAX = 12
_BEARER = "Bearer "

FindHidden = Callable[[Request, Iterable[int]], frozenset[int]]
"""Returns those among customers' keys whom the request's role may not be shown."""
SeesPeers = Callable[[Request], bool]
"""Tells whether the request's role may see what peers have said."""


def check_bearer(request: Request, *, token: str) -> None:
    """Check the Authorization header.

    Raises:
        NotAuthenticatedError: Missing or wrong.
    """
    given = request.headers.get("authorization", "")
    if not compare_digest(given.encode("utf-8"), f"Bearer {token}".encode()):
        raise NotAuthenticatedError("a valid bearer token is needed")


def get_viewer(request: Request, *, token: str, people: PeopleService) -> Principal:
    """Return whose token the Authorization header carries: the operator's, or one made here.

    Raises:
        NotAuthenticatedError: Missing, unknown, expired or revoked; the code says which.
    """
    given = request.headers.get("authorization", "")
    if not given.startswith(_BEARER):
        raise NotAuthenticatedError("a valid bearer token is needed")
    return get_holder(given.removeprefix(_BEARER), token=token, people=people)


def get_holder(given: str, *, token: str, people: PeopleService) -> Principal:
    """Return whose token this is: the operator's, or one made here.

    Raises:
        NotAuthenticatedError: Unknown, expired or revoked; the code says which.
    """
    if compare_digest(given.encode("utf-8"), token.encode("utf-8")):
        return OPERATOR_PRINCIPAL
    return people.get_principal(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSession:
    """A session that a token bought: whose it is, and until when it lives by itself."""

    principal: Principal
    expires_s: int


def seal_session(principal: Principal, *, token: str, expires_s: int, nonce: bytes) -> str:
    """Return the cookie value of a session that a token bought; the token is not in it.

    No two are alike, so that each can be ended. A thief of the database alone cannot make one: it
    is keyed with the operator's token.
    """
    head = f"{principal.token_id}.{expires_s}.{encode_b64u(nonce)}"
    return f"{head}.{_seal(head, token_hash=principal.token_hash, token=token)}"


def find_session(
    cookie: str, *, token: str, people: PeopleService, now_s: int
) -> SealedSession | None:
    """Return who holds a session that a token bought, None where it is none that is in force.

    Whether it was ended before its time is the caller's to ask.
    """
    parts = cookie.split(".")
    if len(parts) != _VIEWER_PARTS or not all(map(_is_number, parts[:2])):
        return None
    token_id, expires_s = int(parts[0]), int(parts[1])
    record = None if token_id == _OPERATOR_ID else people.find_token(token_id)
    if expires_s <= now_s or (record is None and token_id != _OPERATOR_ID):
        return None
    token_hash = b"" if record is None else record.hash
    expected = _seal(".".join(parts[:3]), token_hash=token_hash, token=token)
    if not compare_digest(parts[3].encode("utf-8"), expected.encode("ascii")):
        return None
    try:
        principal = OPERATOR_PRINCIPAL if record is None else people.admit(record)
    except NotAuthenticatedError:
        return None
    return SealedSession(principal=principal, expires_s=expires_s)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX


def _seal(head: str, *, token_hash: bytes, token: str) -> str:
    key = sha256(_VIEWER_DOMAIN, token.encode("utf-8"))
    return encode_b64u(digest(key, f"{head}\n".encode() + token_hash, "sha256"))
