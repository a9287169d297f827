"""What the console's parts share: a handler of a request, and how a page is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class ParseForm(Protocol):
    """Reads the fields of a form."""

    def __call__(self, body: bytes, *, fields_max: int) -> dict[str, list[str]]:
        """Return the values by field."""
        ...


class BuildRoute(Protocol):
    """Makes the route of a page that stands in the table of pages, with who may open it."""

    def __call__(self, method: str, path: str, handle: Handler) -> Route:
        """Return the route."""
        ...


class Render(Protocol):
    """Makes a page of a template and its values."""

    async def __call__(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        retry_s: int | None = None,
        **values: object,
    ) -> Response:
        """Return the page; ``retry_s`` is told to who has to try again later."""
        ...
