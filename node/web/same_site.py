"""Whether a form was sent by a page of this host."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from node.web.error_words import CrossSiteError


def check_same_site(request: Request) -> None:
    """Check that a form was sent by a page of this host.

    Raises:
        CrossSiteError: Origin, or Referer where there is no Origin, names another host or none.
    """
    sender = request.headers.get("origin") or request.headers.get("referer", "")
    host = request.headers.get("host", "")
    if not host or urlsplit(sender).netloc.casefold() != host.casefold():
        raise CrossSiteError("the form was not sent by this console")
