"""Who may use the API and console: holders of a token, or of a session that it bought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hmac import compare_digest, digest

from starlette.requests import Request

from node.core.errors import NotAuthenticatedError
from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal
from protocol.encoding import encode_b64u, sha256

SESSION_COOKIE = "chengxin_session"
_SESSION_DOMAIN = b"chengxin/session/v1\n"
_VIEWER_DOMAIN = b"chengxin/viewer-session/v1\n"
_VIEWER_PARTS = 3
_NUMBER_DIGITS_MAX = 12
_BEARER = "Bearer "

FindHidden = Callable[[Request, Iterable[int]], frozenset[int]]
"""Returns those among customers' keys whom the request's role may not be shown."""
SeesPeers = Callable[[Request], bool]
"""Tells whether the request's role may see what peers have said."""


def derive_session(token: str) -> str:
    """Return the cookie value of a token; the token itself stays out of the browser."""
    return encode_b64u(sha256(_SESSION_DOMAIN, token.encode("utf-8")))


def check_bearer(request: Request, *, token: str) -> None:
    """Check the Authorization header.

    Raises:
        NotAuthenticatedError: Missing or wrong.
    """
    given = request.headers.get("authorization", "")
    if not compare_digest(given.encode("utf-8"), f"Bearer {token}".encode()):
        raise NotAuthenticatedError("a valid bearer token is needed")


def has_session(request: Request, *, token: str) -> bool:
    """Tell whether the request carries the session cookie."""
    given = request.cookies.get(SESSION_COOKIE, "")
    return compare_digest(given.encode("utf-8"), derive_session(token).encode("ascii"))


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


def seal_viewer_session(principal: Principal, *, token: str, expires_s: int) -> str:
    """Return the cookie value of a session that an auditor's token bought.

    A thief of the database alone cannot make one: it is keyed with the operator's token.
    """
    mac = _sign_viewer(principal.token_id, expires_s, token_hash=principal.token_hash, token=token)
    return f"{principal.token_id}.{expires_s}.{mac}"


def find_session(
    request: Request, *, token: str, people: PeopleService, now_s: int
) -> Principal | None:
    """Return who holds the request's session, None where it has none that is in force."""
    if has_session(request, token=token):
        return OPERATOR_PRINCIPAL
    parts = request.cookies.get(SESSION_COOKIE, "").split(".")
    if len(parts) != _VIEWER_PARTS or not all(map(_is_number, parts[:2])):
        return None
    token_id, expires_s = int(parts[0]), int(parts[1])
    record = people.find_token(token_id)
    if record is None or expires_s <= now_s:
        return None
    expected = _sign_viewer(token_id, expires_s, token_hash=record.hash, token=token)
    if not compare_digest(parts[2].encode("utf-8"), expected.encode("ascii")):
        return None
    try:
        return people.admit(record)
    except NotAuthenticatedError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX


def _sign_viewer(token_id: int, expires_s: int, *, token_hash: bytes, token: str) -> str:
    key = sha256(_VIEWER_DOMAIN, token.encode("utf-8"))
    message = f"{token_id}.{expires_s}\n".encode("ascii") + token_hash
    return encode_b64u(digest(key, message, "sha256"))
