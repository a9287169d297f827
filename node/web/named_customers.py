"""Customers whom people name in a field: by a number of ours or an identifier."""

from __future__ import annotations

from starlette.requests import Request

from node.bootstrap.local import LocalNode
from node.core.errors import NotFoundError
from node.web.authorisation import find_hidden
from node.web.typed import Typed

NAMED_CHARS_MAX = 80


def read_customer(local: LocalNode, request: Request, typed: Typed, name: str) -> int:
    """Return the customer whom a field names; noted where there is none.

    A natural person who may not be seen is none.
    """
    text = typed.text(name, chars_max=NAMED_CHARS_MAX)
    found = None if name in typed.errors else find_customer(local, request, text)
    if found is None:
        typed.refuse(name, "typed.customer")
    return found or 0


def find_customer(local: LocalNode, request: Request, text: str) -> int | None:
    """Return the customer of a number or an identifier, if there is one who may be seen."""
    try:
        found = local.records.get_named_customer(text).customer_id
    except NotFoundError:
        return None
    return None if find_hidden(local, request, [found]) else found
