"""Who may use the operator's API and console: holders of the token, or of a session it bought."""

from __future__ import annotations

from hmac import compare_digest
from typing import ClassVar

from starlette.requests import Request

from node.core.errors import RejectedError
from protocol.encoding import encode_b64u, sha256

SESSION_COOKIE = "chengxin_session"
_SESSION_DOMAIN = b"chengxin/session/v1\n"


class NotAuthenticatedError(RejectedError):
    """No valid token or session."""

    code = "not-authenticated"
    challenge: ClassVar[str] = "Bearer"


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
