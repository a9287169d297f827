"""Texts of several lines that are kept and shown."""

from __future__ import annotations

from node.core.errors import RejectedError


class TextInvalidError(RejectedError):
    """A text is empty, too long, or has signs that are not printable."""

    code = "text-invalid"


def check_lines(text: str, *, what: str, chars_max: int) -> None:
    """Check a text of several lines: it must not steer a terminal, nor be refused by a store.

    Raises:
        TextInvalidError: It is empty, too long, or has signs that are not printable.
    """
    for line in text.split("\n"):
        if line and not line.isprintable():
            raise TextInvalidError(f"{what} has printable characters and line ends")
    if not text.strip() or len(text) > chars_max:
        raise TextInvalidError(f"{what} has 1 to {chars_max} characters")
