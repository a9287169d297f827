"""Talk to a running node or hub from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from node.core.config import Settings
from node.core.errors import RejectedError, UnavailableError
from node.core.keystore import read_secret

TIMEOUT_S = 60
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ServerRefusedError(RejectedError):
    """The server answered with a problem; its code is the text's first word."""

    code = "server-refused"


class PlainHttpError(RejectedError):
    """A token would be sent in the clear."""

    code = "plain-http"


def check_transport(url: str) -> None:
    """Check that a token may be sent to an address: over TLS, or on this machine.

    Raises:
        PlainHttpError: It may not.
        UnavailableError: It is no address.
    """
    try:
        parts = urlsplit(url)
    except ValueError as err:
        raise UnavailableError(f"{url} is no address") from err
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise PlainHttpError(f"{url} is not https: a token must not travel in the clear")


class NodeClient:
    """The operator's API of one node."""

    def __init__(self, *, url: str, token: str) -> None:
        """Open no connection yet."""
        self._client = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=TIMEOUT_S
        )

    def get(self, path: str, **params: str | int) -> Any:  # noqa: ANN401  the caller knows the shape of its answer
        """Get JSON.

        Raises:
            UnavailableError: The node does not answer.
            ServerRefusedError: It answers with a problem.
        """
        return self._send("GET", path, params=params, body=None)

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401  as get
        """Post JSON.

        Raises:
            UnavailableError: The node does not answer.
            ServerRefusedError: It answers with a problem.
        """
        return self._send("POST", path, params={}, body=body)

    def close(self) -> None:
        """Close the pool."""
        self._client.close()

    def _send(self, method: str, path: str, *, params: dict[str, str | int], body: object) -> Any:  # noqa: ANN401  as get
        try:
            response = self._client.request(method, path, params=params, json=body)
        except httpx.HTTPError as err:
            raise UnavailableError(f"{self._client.base_url} does not answer") from err
        except httpx.InvalidURL as err:
            raise ServerRefusedError("not-found: there is nothing of this name") from err
        check_response(response)
        return read_json(response)


def check_response(response: httpx.Response) -> None:
    """Check for a problem answer.

    Raises:
        ServerRefusedError: The server answered with one.
    """
    if response.is_success:
        return
    try:
        problem = response.json()
        text = f"{problem['code']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        text = f"status {response.status_code}"
    raise ServerRefusedError(text)


def post_enrolment(
    hub_url: str,
    path: str,
    *,
    token: str,
    sign: Callable[[str], Sequence[str]],
    allows_http: bool = False,
) -> str:
    """Ask a hub for its id, send statements signed for that id and return it.

    Args:
        hub_url: Its address.
        path: Where they go.
        token: The hub's token for this, which goes with them.
        sign: Returns the statements for a hub's id.
        allows_http: Whether the network between is the operator's own, so that TLS may be missing.

    Raises:
        PlainHttpError: The token would travel in the clear.
        UnavailableError: The hub does not answer.
        ServerRefusedError: The hub refuses, or is none.
    """
    if not allows_http:
        check_transport(hub_url)
    try:
        with httpx.Client(base_url=hub_url, timeout=TIMEOUT_S) as client:
            discovery = client.get("/.well-known/chengxin")
            check_response(discovery)
            hub_id = _read_hub_id(discovery)
            answer = client.post(
                path,
                json={"tokens": list(sign(hub_id))},
                headers={"authorization": f"Bearer {token}"},
            )
            check_response(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise UnavailableError(f"{hub_url} does not answer") from err
    return hub_id


def post_statement(url: str, statement: str) -> None:
    """Send one signed statement.

    Raises:
        UnavailableError: Nobody answers there.
        ServerRefusedError: It is refused.
    """
    try:
        answer = httpx.post(url, content=statement.encode("ascii"), timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise UnavailableError(f"{url} does not answer") from err
    check_response(answer)


def read_token(path: Path) -> str:
    """Return the token that a file holds.

    Raises:
        KeyFileError: It cannot be read.
    """
    return read_secret("", path=path)


def _read_hub_id(discovery: httpx.Response) -> str:
    found = read_json(discovery)
    hub_id = found.get("hub") if isinstance(found, dict) else None
    if not isinstance(hub_id, str):
        raise ServerRefusedError(f"{discovery.url} is no hub's")
    return hub_id


def read_json(response: httpx.Response) -> Any:  # noqa: ANN401  as get
    """Return an answer's JSON.

    Raises:
        ServerRefusedError: It is none.
    """
    try:
        return response.json()
    except ValueError as err:
        raise ServerRefusedError(f"{response.url} answers no JSON") from err


def open_client(settings: Settings, *, token: str | None = None) -> NodeClient:
    """Return a client of the node of a home folder, which runs on this machine.

    Without a ``token`` of a person's own it is the operator's.

    Its token goes to no other address: that of its peers may lead over the network, and to a proxy
    that keeps the API inside.
    """
    if token is None:
        token = read_secret(settings.api_token.get_secret_value(), path=settings.home / "api_token")
    return NodeClient(url=settings.local_url, token=token)
