"""Talk to a running node or hub from the command line."""

from __future__ import annotations

from typing import Any

import httpx

from node.core.config import Settings
from node.core.errors import RejectedError, UnavailableError
from node.core.keystore import read_secret

TIMEOUT_S = 60


class ServerRefusedError(RejectedError):
    """The server answered with a problem; its code is the text's first word."""

    code = "server-refused"


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

    def _send(self, method: str, path: str, *, params: dict[str, str | int], body: object) -> Any:  # noqa: ANN401
        try:
            response = self._client.request(method, path, params=params, json=body)
        except httpx.HTTPError as err:
            raise UnavailableError(f"{self._client.base_url} does not answer") from err
        check_response(response)
        return response.json()


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


def open_client(settings: Settings) -> NodeClient:
    """Return a client of the node of a home folder."""
    token = read_secret(settings.api_token.get_secret_value(), path=settings.home / "api_token")
    return NodeClient(url=settings.url, token=token)
