"""What is entered once: a key in each form, and what came of it, in memory.

A key is drawn when a form is shown, and signed with a secret of this process. Sent twice, a form
enters once and leads to the same result. A key of another process, or older than what is still
remembered, enters nothing: whoever sent it is shown the form again, since it may have been entered
before a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest, digest

from node.core.errors import ConflictError, NodeError, NotFoundError
from protocol.encoding import encode_b64u

KEY_LIFE_S = 28_800  # as long as a session
ENTRIES_KEPT_MAX = 10_000
_SECRET_BYTES = 32
_NONCE_BYTES = 12
_PARTS = 3
_DIGITS_MAX = 12


class EntryGoneError(NotFoundError):
    """What was entered with this key is not remembered any more; the records hold it."""

    code = "entry-gone"


class KeyStaleError(ConflictError):
    """The form was shown before a restart, or too long ago: whether it was entered is not known."""

    code = "form-stale"


class KeyUsedError(ConflictError):
    """A form of this key was entered, and it said something else."""

    code = "form-used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of what was entered: a text's name, and a value or a code with its family."""

    label: str
    value: str
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where something that was entered is seen."""

    words: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What was entered, by whom, and where it is seen."""

    form: str
    by: str
    customer_id: int
    customer_name: str
    facts: tuple[Fact, ...]
    links: tuple[Link, ...]


@dataclass(slots=True, kw_only=True)
class _Entry:
    who: str
    content: bytes
    task: asyncio.Task[Entered] = field(repr=False)


class EntryDesk:
    """Knows the keys of this process and what came of them; used by the event loop alone."""

    def __init__(self, *, random_bytes: Callable[[int], bytes]) -> None:
        """Draw a secret; nothing is entered yet."""
        self._random_bytes = random_bytes
        self._secret = random_bytes(_SECRET_BYTES)
        self._entries: dict[str, _Entry] = {}
        self._issued_at_s: dict[str, int] = {}
        self._forgotten_until_s = 0

    def draw_key(self, *, who: str, now_s: int) -> str:
        """Return the key of a form that is about to be shown."""
        nonce = encode_b64u(self._random_bytes(_NONCE_BYTES))
        return f"{now_s}.{nonce}.{self._sign(now_s, nonce, who=who)}"

    async def enter_once(
        self,
        key: str,
        *,
        who: str,
        content: bytes,
        now_s: int,
        enter: Callable[[], Awaitable[Entered]],
    ) -> str:
        """Enter what a form says unless that was done, and return by what name it is remembered.

        Whoever goes away meanwhile stops nothing. What was refused may be sent again.

        Raises:
            KeyStaleError: The key is not one that is remembered.
            KeyUsedError: It was used for something else.
            NodeError: What ``enter`` refuses.
        """
        nonce = self._open(key, who=who, now_s=now_s)
        entry = self._entries.get(nonce)
        if entry is None:
            self._forget_oldest()
            task = asyncio.ensure_future(_run(enter))
            entry = self._entries[nonce] = _Entry(who=who, content=content, task=task)
            self._issued_at_s[nonce] = int(key.partition(".")[0])
            task.add_done_callback(lambda done: self._drop_refused(nonce, done))
        elif entry.content != content:
            raise KeyUsedError("this form was sent already, and said something else")
        await asyncio.shield(entry.task)
        return nonce

    async def find_entered(self, key: str, *, who: str, content: bytes) -> str | None:
        """Return by what name a form is remembered that was entered, or is being entered.

        What is refused meanwhile is not remembered: it may be tried, and refused, again.
        """
        nonce = key.split(".")[1] if key.count(".") == _PARTS - 1 else ""
        entry = self._entries.get(nonce)
        if entry is None or entry.who != who or entry.content != content:
            return None
        try:
            await asyncio.shield(entry.task)
        except NodeError:
            return None
        return nonce

    def get(self, nonce: str, *, who: str) -> Entered:
        """Return what was entered, to who entered it.

        Raises:
            EntryGoneError: It is not remembered, or is another's.
        """
        entry = self._entries.get(nonce)
        if entry is None or entry.who != who or not entry.task.done():
            raise EntryGoneError("what was entered stands in the records")
        return entry.task.result()

    def _drop_refused(self, nonce: str, task: asyncio.Task[Entered]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._entries.pop(nonce, None)
            self._issued_at_s.pop(nonce, None)

    def _forget_oldest(self) -> None:
        while len(self._entries) >= ENTRIES_KEPT_MAX:
            nonce = next(iter(self._entries))
            del self._entries[nonce]
            # A key drawn by then may be one that is forgotten: it enters nothing any more.
            self._forgotten_until_s = max(self._forgotten_until_s, self._issued_at_s.pop(nonce))

    def _open(self, key: str, *, who: str, now_s: int) -> str:
        parts = key.split(".")
        is_form = len(parts) == _PARTS and parts[0].isascii() and parts[0].isdigit()
        if not is_form or len(parts[0]) > _DIGITS_MAX:
            raise KeyStaleError("the form has no key")
        at_s, nonce = int(parts[0]), parts[1]
        signature = self._sign(at_s, nonce, who=who)
        if not compare_digest(parts[2].encode("utf-8"), signature.encode("ascii")):
            raise KeyStaleError("the form is of before a restart, or of another person")
        if now_s - at_s > KEY_LIFE_S or at_s <= self._forgotten_until_s:
            raise KeyStaleError("the form was shown too long ago")
        return nonce

    def _sign(self, at_s: int, nonce: str, *, who: str) -> str:
        return encode_b64u(digest(self._secret, f"{at_s}\n{nonce}\n{who}".encode(), "sha256"))


async def _run(enter: Callable[[], Awaitable[Entered]]) -> Entered:
    return await enter()
