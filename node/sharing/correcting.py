"""Corrections: what was told before, and would be told otherwise now, is put right.

One transaction makes the releases anew, keeps the wrong ones for comparison and notes whom to tell;
the messages follow, each in a decision of its own. A release that lies too near to the wrong one is
held back as any other would be: whoever subtracted the two would learn an invoice. Then the wrong
one is taken back without another in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from node.core.decision import Batch, Decided
from node.core.errors import RejectedError
from node.core.writer import Writer
from node.records.windows import last_released_month, parse_month
from node.sharing.batching import ExchangeBatch
from node.sharing.consents import check_accepted
from node.sharing.notices import NoticeService
from node.sharing.operations import Ports
from node.sharing.outgoing import Sent
from node.sharing.received import count_months, list_sections, read_told_under
from node.sharing.registry import RegistryHolder
from node.sharing.releases import WINDOW_MONTHS, Question, is_wrong, make_releases_anew
from node.sharing.rounds import decide_all
from node.sharing.rules_life import get_life_end
from node.sharing.sealing import Content
from node.sharing.sending import Courier
from node.sharing.store import HeldConsent
from node.sharing.store.grants import GrantStore, Told
from node.sharing.store.notices import NOTICE_DUE, NOTICE_NEEDLESS, NOTICE_OPEN, Notice, NoticeStore
from node.sharing.store.pending import CODE_ACCEPTED, PendingStore
from protocol.consent import Consent, ConsentState, read_held_consent
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.identifiers import SubjectId, parse_subject_id
from protocol.problems import NoAnswerError
from schemas.notices import CORRECT_CONTENT_TYPE, CorrectBody
from schemas.summary import Summary

Reason = Literal["records-corrected", "subject-objected", "disclosed-in-error"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class CorrectionReasonError(RejectedError):
    """The reason is none of the list."""

    code = "correction-reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a correction did: windows made anew, and past answers to look at."""

    windows: tuple[int, ...]
    answers: int


class CorrectionService:
    """Puts right what was told."""

    def __init__(
        self,
        *,
        writer: Writer,
        courier: Courier,
        notices: NoticeService,
        registry: RegistryHolder,
        ports: Ports,
    ) -> None:
        """Take the ports."""
        self._writer = writer
        self._registry = registry
        self._courier = courier
        self._notices = notices
        self._ports = ports

    async def correct_release(self, subject: SubjectId, *, reason: str) -> Corrected:
        """Make a subject's releases of this month anew and note which past answers were wrong.

        Raises:
            CorrectionReasonError: The reason is none of the list.
        """
        if reason not in REASONS:
            raise CorrectionReasonError(f"one of {', '.join(REASONS)}")
        return await self._writer.submit_async(
            lambda batch: self._decide_anew(batch, subject, reason=reason)
        )

    async def tell_due(self) -> int:
        """Make the messages of corrections noted, and return how many there are."""
        made = await decide_all(
            await asyncio.to_thread(self._notices.list_due),
            lambda notice: self._writer.submit_async(
                partial(self._decide_correction, notice=notice)
            ),
        )
        return sum(sent is not None for sent in made)

    def _decide_anew(self, batch: Batch, subject: SubjectId, *, reason: str) -> Decided[Corrected]:
        question = Question(
            subject=subject,
            last_months=0,
            metrics=frozenset(),
            business_date=self._ports.business_date(),
            policy=self._ports.policy,
        )
        windows = make_releases_anew(batch.uow, question, at_ms=batch.now_ms)
        self._ports.disclosures.forget(subject)
        batch.taken.add(subject)  # What is made here is not kept before it is committed.
        _unmake_answers(batch, question)
        answers = self._note_answers(batch, question, reason=reason)
        corrected = Corrected(windows=windows, answers=answers)
        return Decided(entry=None, finish=lambda _placement: corrected)

    def _note_answers(self, batch: Batch, question: Question, *, reason: str) -> int:
        """Note every past receiver of what was wrong: of each window length the newest answer."""
        grants, notices, count = GrantStore(batch.connection), NoticeStore(batch.connection), 0
        wrong: dict[bytes, bool] = {}  # the same summary goes to many
        for name in grants.list_grants_of(str(question.subject), provider=self._ports.member_id):
            token = grants.find_token(name)
            if token is None:
                continue
            consent = read_held_consent(token)
            for told, summary in _list_newest(grants.iterate_told(name)):
                key = summary.to_bytes()
                if key not in wrong:
                    wrong[key] = is_wrong(batch.uow, question, summary)
                if (
                    not wrong[key]
                    or not _is_kept(grants, told, consent, now_s=batch.now_ms // 1_000)
                    or notices.has_correction(told.msg, consent_hash=name)
                ):
                    continue
                notices.add(
                    Notice(
                        jti=self._courier.draw_jti(),
                        op="correct",
                        peer=consent.consumer,
                        about=told.msg,
                        consent=name,
                        reason=reason,
                        tries=0,
                        next_at_ms=batch.now_ms,
                        state=NOTICE_DUE,
                    )
                )
                count += 1
        return count

    def _decide_correction(self, batch: Batch, notice: Notice) -> Decided[Sent | None]:
        """Compare what was told with what would be told now; tell the difference."""
        nothing: Decided[Sent | None] = Decided(entry=None, finish=lambda _placement: None)
        grants = GrantStore(batch.connection)
        known = NoticeStore(batch.connection).find(notice.jti)
        told = None
        if notice.about is not None and notice.consent is not None:
            told = grants.find_told(notice.about, consent_hash=notice.consent)
        if known is None or known.state != NOTICE_DUE or told is None:
            return nothing
        if NoticeStore(batch.connection).is_on_its_way(told.msg):
            # Its receiver would refuse the correction of what it has not got yet.
            self._notices.decide_put_off(batch, notice)
            return nothing
        held = ExchangeBatch.of(batch).find_consent(told.consent)
        before = _read(told)
        if held is None or before is None:
            NoticeStore(batch.connection).settle(notice.jti, state=NOTICE_NEEDLESS)
            return nothing
        question = self._question(held, before)
        if not is_wrong(batch.uow, question, before):
            NoticeStore(batch.connection).settle(notice.jti, state=NOTICE_NEEDLESS)
            return nothing
        NoticeStore(batch.connection).settle(notice.jti, state=NOTICE_OPEN)
        summary = None  # Unless something may be told in its place, it is only taken back.
        if self._may_tell(held, now_s=batch.now_ms // 1_000):
            summary = self._disclose(batch, question, before)
        return self._seal(batch, held, notice=notice, told=told, summary=summary)

    def _may_tell(self, held: HeldConsent, *, now_s: int) -> bool:
        """Tell whether a new summary may still leave under a consent."""
        try:
            consent = self._ports.verdicts.verify(held.token, registry=self._registry.newest)
            check_accepted(consent, accepts_unkeyed=self._ports.accepts_unkeyed)
        except ProtocolError:  # Its key is void by now, or the policy takes no paper any more.
            return False
        return held.state is ConsentState.ACTIVE and consent.nbf <= now_s < consent.exp

    def _question(self, held: HeldConsent, before: Summary) -> Question:
        return Question(
            subject=parse_subject_id(held.subject),
            last_months=count_months(before),
            metrics=frozenset(list_sections(before)),
            business_date=self._ports.business_date(),
            policy=self._ports.policy,
            k_min=read_held_consent(held.token).k_min,
        )

    def _disclose(self, batch: Batch, question: Question, before: Summary) -> Summary | None:
        """Return what may be told of the same window; another window is another question."""
        disclosed = self._ports.disclosures.disclose(batch, question)
        summary = None if disclosed is None else Summary.from_bytes(disclosed.body)
        return summary if summary is not None and summary.window == before.window else None

    def _seal(
        self,
        batch: Batch,
        held: HeldConsent,
        *,
        notice: Notice,
        told: Told,
        summary: Summary | None,
    ) -> Decided[Sent | None]:
        fields = {
            "v": 1,
            "kind": "correct",
            "supersedes": encode_b64u(told.msg),
            "consent": encode_b64u(held.hash),
            "reason": notice.reason,
        }
        body = CorrectBody.model_validate({**fields, "summary": summary})
        content = Content(
            op="correct",
            body=body.to_bytes(),
            content_type=CORRECT_CONTENT_TYPE,
            consents=(held.hash,),
        )
        decided = self._courier.decide_send(
            batch,
            content,
            peer=notice.peer,
            consent=held.hash,
            subject=held.subject,
            jti=notice.jti,
        )
        return Decided(entry=decided.entry, finish=decided.finish)


def _unmake_answers(batch: Batch, question: Question) -> None:
    """Have wrong answers that wait to be fetched made anew.

    Of an earlier window there is none any more: the newest would be one that nobody asked for.
    """
    pending = PendingStore(batch.connection)
    newest = last_released_month(question.business_date)
    for msg, body in pending.list_made(str(question.subject)):
        summary = Summary.from_bytes(body)
        if not is_wrong(batch.uow, question, summary):
            continue
        is_newest = parse_month(summary.window.last) == newest
        pending.answer(msg, code=CODE_ACCEPTED if is_newest else NoAnswerError.code, body=None)


def _list_newest(told: Iterable[Told]) -> list[tuple[Told, Summary]]:
    """Return of each window length the newest answer; older ones stand behind it."""
    newest: dict[int, tuple[Told, Summary]] = {}
    known: set[bytes | None] = set()  # a consent that is used often tells the same again and again
    for one in told:
        if one.is_refused or one.body in known:
            continue
        known.add(one.body)
        summary = _read(one)
        if summary is not None:
            newest.setdefault(count_months(summary), (one, summary))
        if len(newest) == len(WINDOW_MONTHS):
            break
    return list(newest.values())


def _read(told: Told) -> Summary | None:
    try:
        return None if told.body is None else read_told_under(told.body, consent=told.consent)
    except ProtocolError:  # Of a formula version that this node no longer reads.
        return None


def _is_kept(grants: GrantStore, told: Told, consent: Consent, *, now_s: int) -> bool:
    """Tell whether the receiver may still hold an answer."""
    end = get_life_end(consent, received_s=told.at_ms // 1_000, revoked_s=None)
    return now_s < end.at_s and not grants.is_attested_erased(told.msg)
