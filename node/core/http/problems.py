"""Errors as RFC 9457 answers: the status of every error class is chosen here, once."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node.core.errors import (
    ConflictError,
    ForbiddenError,
    InvariantError,
    NodeError,
    NotAuthenticatedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
)
from node.core.people.accounts.errors import SignInTooSoonError
from node.core.policies.errors import PolicyFaultyError
from protocol.errors import ProtocolError, SchemaError, TooLargeError
from protocol.problems import PROBLEMS, TYPE_PREFIX, Hop

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_log = structlog.get_logger()
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (SignInTooSoonError, 429),
    (NotAuthenticatedError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (ConflictError, 409),
    (UnavailableError, 503),
    (RejectedError, 422),
    (InvariantError, 500),
    (TooLargeError, 413),
    (ProtocolError, 422),
)


def status_of(error: NodeError | ProtocolError) -> int:
    """Return the HTTP status: the problem table's, else the class's."""
    row = PROBLEMS.get(error.code)
    if row is not None:
        return row.status
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def find_retry_s(error: NodeError | ProtocolError) -> int | None:
    """Return after how many seconds it may be tried again; None where that is of no use."""
    if isinstance(error, SignInTooSoonError):
        return error.wait_s
    return RETRY_AFTER_S if isinstance(error, UnavailableError) else None


def build_problem(
    error: NodeError | ProtocolError, *, hop: Hop = Hop.PROVIDER_NODE, status: int | None = None
) -> Response:
    """Return the unsigned problem answer of an error.

    Args:
        error: What happened.
        hop: Who failed, where the problem table has no row that says so.
        status: The HTTP status, where a foreign specification fixes it.
    """
    status = status_of(error) if status is None else status
    row = PROBLEMS.get(error.code)
    title = row.title if row is not None else error.code.replace("-", " ").capitalize()
    source = row.hop.value if row is not None else hop.value
    body: dict[str, object] = {
        "type": f"{TYPE_PREFIX}{error.code}",
        "title": title,
        "status": status,
        "detail": error.detail[:512],
        "code": error.code,
        "source": source,
    }
    if isinstance(error, PolicyFaultyError) and error.faults:
        # Each at its field: what RFC 9457 shows as an extension in its section 3.
        body["errors"] = [{"path": one.path, "detail": one.message} for one in error.faults]
    headers: dict[str, str] = {}
    if (retry_s := find_retry_s(error)) is not None:
        headers["retry-after"] = str(retry_s)
    if isinstance(error, NotAuthenticatedError):
        headers["www-authenticate"] = error.challenge
    return JSONResponse(body, status_code=status, media_type=PROBLEM_MEDIA_TYPE, headers=headers)


async def handle_error(_request: Request, error: Exception) -> Response:
    """Turn a typed error into its answer; anything else is a bug and is the framework's 500."""
    if not isinstance(error, NodeError | ProtocolError):
        raise error
    if isinstance(error, InvariantError):
        _log.error("invariant_broken", code=error.code, detail=error.detail)
    return build_problem(error)


async def handle_http_exception(_request: Request, error: Exception) -> Response:
    """Turn the framework's refusal (no such address or method) into a problem."""
    if not isinstance(error, HTTPException):
        raise error
    refused = NotFoundError if error.status_code == HTTPStatus.NOT_FOUND else RejectedError
    return build_problem(refused(error.detail), status=error.status_code)


async def handle_invalid_request(_request: Request, error: Exception) -> Response:
    """Turn the framework's complaint about a body or parameter into our schema problem.

    It names the place, not the value, which may be personal.
    """
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return build_problem(SchemaError(f"{place}: {first['msg']}"))
