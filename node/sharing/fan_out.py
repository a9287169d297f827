"""Several questions at once: within a deadline, under an idempotency key, with a signed manifest.

The manifest says who answered, refused or kept silent by the deadline; it is kept and returned with
the outcomes. A request repeated under its key is the same questions, never new ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import ConflictError, NodeError, NotFoundError, RejectedError
from node.sharing.asking import AskingService
from node.sharing.outgoing import Ask, Outcome, build_failure
from node.sharing.sealing import Sealer
from node.sharing.sending import Courier
from node.sharing.store import CODE_OPEN, QuestionStore, SharingStore
from node.sharing.store.questions import KeyedAsks
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.limits import JTI_BYTES
from protocol.manifest import TIMED_OUT, FanOutManifest, ManifestItem, parse_manifest
from protocol.strict_json import JsonValue, canonical_json

FAN_OUT_MAX = 100
TellOutcome: TypeAlias = Callable[[int, Outcome], Awaitable[None]]
"""Told of each question, by its place, when its outcome is known."""


class KeyReusedError(ConflictError):
    """The idempotency key stands for another request."""

    code = "idempotency-key-reused"


class ManifestNotFoundError(NotFoundError):
    """No manifest of this id is held here."""

    code = "manifest-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FannedOut:
    """What came of each question, in order, and the signed manifest of it."""

    outcomes: tuple[Outcome, ...]
    manifest: FanOutManifest
    token: str


class FanOut:
    """Puts questions to several members at once."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        asking: AskingService,
        courier: Courier,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._asking = asking
        self._courier = courier

    async def ask_all(
        self, asks: Sequence[Ask], *, deadline_s: float, key: str | None = None
    ) -> FannedOut:
        """Ask every provider in parallel; one that misses the deadline is ``timeout``, still open.

        Raises:
            RejectedError: None, more than a hundred, or two under one consent or for two purposes.
            KeyReusedError: The key stands for another request.
        """
        _check(asks)
        named = await asyncio.to_thread(self._name, asks, kind="asks", key=key)
        return await self._ask_named(named, deadline_s=deadline_s, tell=_tell_nobody)

    async def ask_known(
        self, asks: Sequence[Ask], *, deadline_s: float, tell: TellOutcome
    ) -> FannedOut:
        """Ask as ``ask_all`` questions whose ids the caller keeps, and tell each outcome as it is.

        Raises:
            RejectedError: As ``ask_all``, or a question has no id.
        """
        _check(asks)
        if any(ask.jti is None for ask in asks):
            raise RejectedError("a question without an id")
        return await self._ask_named(asks, deadline_s=deadline_s, tell=tell)

    async def _ask_named(
        self, named: Sequence[Ask], *, deadline_s: float, tell: TellOutcome
    ) -> FannedOut:
        deadline_at_s = self._clock.now_ms() // 1000 + int(deadline_s)

        async def ask_and_tell(item: int, ask: Ask) -> Outcome:
            outcome = await self._ask_within(ask, deadline_s)
            await tell(item, outcome)
            return outcome

        outcomes = await asyncio.gather(*(ask_and_tell(*one) for one in enumerate(named)))
        return await asyncio.to_thread(
            self._sign, named, outcomes, purpose=named[0].purpose, deadline_at_s=deadline_at_s
        )

    async def ask_batch(self, asks: Sequence[Ask], *, key: str | None = None) -> Outcome:
        """Put questions about several subjects to one provider, in one message.

        Raises:
            RejectedError: None, more than a hundred, two under one consent, for two purposes or to
                two providers.
            KeyReusedError: The key stands for another request.
            PeerProblemError: A consent does not cover its question: nothing is sent.
            UnavailableError: The provider does not answer; the batch stays open.
        """
        _check(asks)
        named = await asyncio.to_thread(self._name, asks, kind="batch", key=key)
        if (known := await self._recall(named[0])) is not None:
            return known
        return await self._asking.ask_batch(named)

    def get_manifest(self, manifest_id: bytes) -> tuple[FanOutManifest, str]:
        """Return a manifest of ours and the signed statement itself.

        Raises:
            ManifestNotFoundError: There is none of this id.
        """
        with self._database.read() as uow:
            token = QuestionStore(uow.connection).find_manifest(manifest_id)
        if token is None:
            raise ManifestNotFoundError("no such manifest is held here")
        return parse_manifest(split_compact(token).payload), token

    def _name(self, asks: Sequence[Ask], *, kind: str, key: str | None) -> list[Ask]:
        """Give each question its id: under a key that is known, the id that it had."""
        fresh = tuple(self._sealer.random_bytes(JTI_BYTES) for _ in asks)
        if key is None:
            return [replace(ask, jti=jti) for ask, jti in zip(asks, fresh, strict=True)]
        keyed = KeyedAsks(digest=_digest(asks, kind=kind), asks=fresh)
        with self._database.write() as uow:
            store = QuestionStore(uow.connection)
            known = store.find_keyed(key)
            if known is None:
                store.add_keyed(key, keyed, at_ms=self._clock.now_ms())
                known = keyed
        if known.digest != keyed.digest:
            raise KeyReusedError("this idempotency key stands for another request")
        return [
            replace(ask, jti=jti, may_exist=True) for ask, jti in zip(asks, known.asks, strict=True)
        ]

    async def _ask_within(self, ask: Ask, deadline_s: float) -> Outcome:
        try:
            return await asyncio.wait_for(self._ask(ask), timeout=deadline_s)
        except TimeoutError:
            return build_failure(TIMED_OUT, "no answer by the deadline")
        except (NodeError, ProtocolError) as err:
            return build_failure(err.code, err.detail)

    async def _ask(self, ask: Ask) -> Outcome:
        known = await self._recall(ask)
        return await self._asking.ask(ask) if known is None else known

    async def _recall(self, ask: Ask) -> Outcome | None:
        if not ask.may_exist or ask.jti is None:
            return None
        known = await asyncio.to_thread(self._courier.recall, ask.jti)
        return None if known is None or known.status == CODE_OPEN else known

    def _sign(
        self,
        asks: Sequence[Ask],
        outcomes: Sequence[Outcome],
        *,
        purpose: str,
        deadline_at_s: int,
    ) -> FannedOut:
        """Sign and keep the manifest; outcomes without a reply get their message's name."""
        manifest_id, now_ms = self._sealer.random_bytes(JTI_BYTES), self._clock.now_ms()
        with self._database.write() as uow:
            store = SharingStore(uow.connection)
            named = tuple(
                _complete(store, ask, outcome) for ask, outcome in zip(asks, outcomes, strict=True)
            )
            manifest = FanOutManifest(
                id=manifest_id,
                iss=self._sealer.member_id,
                iat=now_ms // 1000,
                deadline=deadline_at_s,
                purpose=purpose,
                items=tuple(
                    ManifestItem(
                        peer=outcome.peer,
                        consent=ask.consent,
                        outcome=outcome.status,
                        msg=outcome.msg or None,
                        ans=outcome.ans,
                    )
                    for ask, outcome in zip(asks, named, strict=True)
                    if outcome.peer  # a consent that is not held here names nobody to ask
                ),
            )
            token = self._sealer.sign_manifest(manifest)
            QuestionStore(uow.connection).add_manifest(manifest_id, token=token, at_ms=now_ms)
        return FannedOut(outcomes=named, manifest=manifest, token=token)


async def _tell_nobody(_item: int, _outcome: Outcome) -> None:
    return


def _check(asks: Sequence[Ask]) -> None:
    if not 0 < len(asks) <= FAN_OUT_MAX:
        raise RejectedError(f"1 to {FAN_OUT_MAX} questions at once")
    if len({ask.consent for ask in asks}) != len(asks):
        raise RejectedError("two questions under one consent")
    if len({ask.purpose for ask in asks}) != 1:
        raise RejectedError("questions for two purposes")


def _complete(store: SharingStore, ask: Ask, outcome: Outcome) -> Outcome:
    if outcome.peer:
        return outcome
    sent = None if ask.jti is None else store.find_outgoing(ask.jti)
    if sent is not None:
        return replace(outcome, jti=sent.jti, peer=sent.peer, msg=sent.msg)
    held = store.find_consent(ask.consent)
    return outcome if held is None else replace(outcome, peer=held.provider)


def _digest(asks: Sequence[Ask], *, kind: str) -> bytes:
    questions: list[JsonValue] = [
        {
            "consent": encode_b64u(ask.consent),
            "purpose": ask.purpose,
            "metrics": [metric.value for metric in ask.metrics],
            "last_months": ask.last_months,
            "deferred": ask.takes_deferred,
        }
        for ask in asks
    ]
    return sha256(canonical_json({"kind": kind, "asks": questions}))
