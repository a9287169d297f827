"""Standing consents: the provider tells by itself when a band or class has changed.

Each round looks at every open consent that allows ``push``, and compares the canonical release with
what was told last under it, over the same window. The check, the use, the log entry and the message
are one decision; it is sent after the commit, and repeated until it is acknowledged. No second push
under a consent is made while one is on its way.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from node.core.database import Database
from node.core.decision import Batch, Decided, NextBatchError
from node.core.writer import Writer
from node.sharing.batching import ExchangeBatch
from node.sharing.notices import keep_notice
from node.sharing.operations import Ports
from node.sharing.outgoing import Sent
from node.sharing.received import count_months, list_changes, read_told_under
from node.sharing.registry import RegistryHolder
from node.sharing.releases import WINDOW_MONTHS, Question
from node.sharing.rounds import decide_all
from node.sharing.sealing import Content
from node.sharing.sending import Courier
from node.sharing.store import HeldConsent
from node.sharing.store.grants import GrantStore
from node.sharing.store.notices import NOTICE_OPEN, NoticeStore
from protocol.consent import Consent, Use, check_use, read_held_consent, window_start
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.identifiers import parse_subject_id
from protocol.problems import PeerProblemError
from schemas.notices import PUSH_CONTENT_TYPE, PushBody
from schemas.summary import Section, Summary

GRANTS_AT_ONCE = 500
PUSH = "push"
_log = structlog.get_logger()


class StandingService:
    """Looks for changes under standing consents."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        courier: Courier,
        registry: RegistryHolder,
        ports: Ports,
    ) -> None:
        """Take the ports; disclosure is shared with answering, so that both tell the same."""
        self._database = database
        self._writer = writer
        self._courier = courier
        self._registry = registry
        self._ports = ports

    async def push_changes(self) -> int:
        """Look at every standing consent once, and return how many pushes were made."""
        count, after = 0, b""
        while True:
            names, standing = await asyncio.to_thread(self._list_standing, after)
            if not names:
                return count
            sent = await decide_all(
                standing,
                lambda name: self._writer.submit_async(partial(self._decide_push, name=name)),
            )
            count += sum(one is not None for one in sent)
            after = names[-1]

    def _list_standing(self, after: bytes) -> tuple[list[bytes], list[bytes]]:
        """Return the next open consents, and which of them are standing ones."""
        with self._database.read() as uow:
            grants = GrantStore(uow.connection)
            names = grants.list_open_grants(
                provider=self._ports.member_id, after=after, limit=GRANTS_AT_ONCE
            )
            standing = [
                name
                for name in names
                if (token := grants.find_token(name)) is not None
                and PUSH in read_held_consent(token).ops
            ]
        return names, standing

    def _decide_push(self, batch: Batch, name: bytes) -> Decided[Sent | None]:
        nothing: Decided[Sent | None] = Decided(entry=None, finish=lambda _placement: None)
        shared, grants = ExchangeBatch.of(batch), GrantStore(batch.connection)
        if name in shared.used:  # What this batch tells under it is not readable yet.
            raise NextBatchError
        held = shared.find_consent(name)
        months = None if held is None else _find_window(read_held_consent(held.token))
        if held is None or months is None:
            return nothing
        if NoticeStore(batch.connection).has(op=PUSH, about=name, states=(NOTICE_OPEN,)):
            return nothing
        try:
            consent = self._check(held, months=months, now_s=batch.now_ms // 1_000)
        except PeerProblemError as err:
            _log.debug("push_not_covered", code=err.code)
            return nothing
        summary = self._disclose(batch, held, consent, months=months)
        if summary is None:
            return nothing
        changed = list_changes(_find_last_told(grants, name, months=months), summary)
        if not changed:
            return nothing
        shared.count_use(
            held, window_start_s=window_start(consent.frequency, now_s=batch.now_ms // 1_000)
        )
        return self._seal(batch, held, consent, summary=summary, changed=changed)

    def _check(self, held: HeldConsent, *, months: int, now_s: int) -> Consent:
        """Make check 9 for a push of everything that the consent names.

        Raises:
            PeerProblemError: It does not cover one now.
        """
        consent = self._ports.verdicts.verify(held.token, registry=self._registry.newest)
        check_use(
            consent,
            use=Use(
                consumer=consent.consumer,
                provider=self._ports.member_id,
                purpose=consent.purpose.code,
                op=PUSH,
                metrics=consent.metrics,
                last_months=months,
            ),
            standing=held.standing(window_start_s=window_start(consent.frequency, now_s=now_s)),
            now_s=now_s,
        )
        return consent

    def _disclose(
        self, batch: Batch, held: HeldConsent, consent: Consent, *, months: int
    ) -> Summary | None:
        disclosed = self._ports.disclosures.disclose(
            batch,
            Question(
                subject=parse_subject_id(held.subject),
                last_months=months,
                metrics=frozenset(map(Section, consent.metrics)),
                business_date=self._ports.business_date(),
                policy=self._ports.policy,
                k_min=consent.k_min,
            ),
        )
        return None if disclosed is None else Summary.from_bytes(disclosed.body)

    def _seal(
        self,
        batch: Batch,
        held: HeldConsent,
        consent: Consent,
        *,
        summary: Summary,
        changed: list[Section],
    ) -> Decided[Sent | None]:
        body = PushBody(
            v=1,
            kind="push",
            consent=encode_b64u(held.hash),
            changed=changed,
            summary=summary,
        )
        content = Content(
            op=PUSH,
            body=body.to_bytes(),
            content_type=PUSH_CONTENT_TYPE,
            consents=(held.hash,),
        )
        decided = self._courier.decide_send(
            batch,
            content,
            peer=consent.consumer,
            consent=held.hash,
            subject=held.subject,
            purpose=consent.purpose.code,
        )
        kept = keep_notice(batch, decided, op=PUSH, peer=consent.consumer, about=held.hash)
        return Decided(entry=kept.entry, finish=kept.finish)


def _find_window(consent: Consent) -> int | None:
    """Return the longest window that a consent allows; None where it allows no whole one."""
    return next((months for months in WINDOW_MONTHS if months <= consent.last_months), None)


def _find_last_told(grants: GrantStore, name: bytes, *, months: int) -> Summary | None:
    """Return what was told last under a consent over a window as long as this."""
    for told in grants.iterate_told(name):
        try:
            summary = None if told.body is None else read_told_under(told.body, consent=name)
        except ProtocolError:  # Of a formula version that this node no longer reads.
            continue
        if summary is not None and count_months(summary) == months:
            return summary
    return None
