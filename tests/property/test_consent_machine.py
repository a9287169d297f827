"""Queries, retries, pushes, deliveries and changes of state, in turn and at once, against a model.

However they are interleaved, and whoever changes the state (the subject, or the provider's brake):
never a use too many, never an answer or push after a committed withdrawal, never two answers to one
message, and the log says what was done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeGuard

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from node.core.errors import ConflictError
from node.sharing.answering import Reply
from node.sharing.consents import ConsentNotHeldError
from node.sharing.store import HeldConsent
from protocol.consent import FINAL_STATES, Consent, ConsentState, Span, hash_consent
from protocol.entry import ConsentEntry, Entry, ExchangeEntry, RequestEntry
from protocol.message import hash_envelope, parse_message
from protocol.purpose import TEMPLATES
from schemas.exchange import DeliveredConsent
from tests.support.exchanges import Scene, build_scene, deliver, write_put
from tests.support.forging import change_purpose, sign_state
from tests.support.nodes import SUBJECT_KEY

pytestmark = pytest.mark.timeout(600)  # many histories, and a busy machine is no defect
MAX_USES = 4
USES_AN_HOUR = 3
HOUR_S = 3_600
REQUEST_BYTES_MAX = 2**18
REFUSAL_OF = {
    ConsentState.REVOKED: "consent-revoked",
    ConsentState.PAUSED: "consent-paused",
    ConsentState.EXPIRED: "consent-expired",
    ConsentState.EXHAUSTED: "consent-exhausted",
    ConsentState.REPLACED: "consent-replaced",
}


STRICTEST_FIRST = (
    ConsentState.REVOKED,
    ConsentState.REPLACED,
    ConsentState.EXPIRED,
    ConsentState.EXHAUSTED,
    ConsentState.PAUSED,
)


class ConsentMachine(RuleBasedStateMachine):
    """One consent at one provider."""

    questions: Bundle[bytes] = Bundle("questions")
    answered: Bundle[bytes] = Bundle("answered")

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.scene: Scene = build_scene(Path(self.folder.name))
        self.delivered: DeliveredConsent = deliver(
            replace(
                watch(self.scene.grant()),
                max_uses=MAX_USES,
                frequency=Span(unit="hour", n=USES_AN_HOUR),
            )
        )
        self.consent = hash_consent(self.delivered.token)
        self.replies: dict[bytes, bytes] = {}
        self.waiting: set[bytes] = set()
        self.expired: set[bytes] = set()
        # The model: what the provider should hold.
        self.is_held = False
        self.stated: dict[str, ConsentState] = {}
        self.seqs: dict[str, int] = {}
        self.seq = 0
        self.is_told = False
        self.uses = 0
        self.uses_in_hour = 0

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.federation.close()
            self.folder.cleanup()

    @property
    def state(self) -> ConsentState | None:
        """Return what counts: the end that somebody stated, else a pause, else active."""
        stated = set(self.stated.values())
        ends = [state for state in STRICTEST_FIRST if state in stated]
        return (ends or [ConsentState.ACTIVE])[0] if self.is_held else None

    def change(self, by: str, state: ConsentState, seq: int) -> None:
        self.stated[by], self.seqs[by], self.seq = state, seq, seq

    def expect(self) -> str:
        """Return the code of a query decided now, and count it."""
        if self.state is None:
            return "consent-missing"
        if self.state in REFUSAL_OF:
            return REFUSAL_OF[self.state]
        if self.uses >= MAX_USES:
            return "consent-exhausted"
        if self.uses_in_hour >= USES_AN_HOUR:
            return "frequency-exceeded"
        self.uses += 1
        self.uses_in_hour += 1
        self.is_told = True
        return "full"

    def send(self, raw: bytes) -> Reply:
        """Send a message; whatever was answered to it before must come again."""
        return self.note(raw, self.scene.provider.answer(raw))

    def note(self, raw: bytes, reply: Reply) -> Reply:
        written = reply.message.to_bytes()
        assert self.replies.setdefault(raw, written) == written
        return reply

    def write_query(self) -> bytes:
        return self.scene.forge(
            self.scene.query(self.consent, purpose="P3", metrics=list(TEMPLATES["P3"].metrics))
        )

    @rule()
    def push(self) -> None:
        """Tell a change: what was told already, by answer or push, is none."""
        is_due = self.state is ConsentState.ACTIVE and not self.is_told
        may = is_due and self.uses < MAX_USES and self.uses_in_hour < USES_AN_HOUR

        assert asyncio.run(self.scene.provider.grants.standing.push_changes()) == int(may)

        if may:
            self.expect()

    @rule(state=st.sampled_from([ConsentState.ACTIVE, ConsentState.PAUSED, ConsentState.REVOKED]))
    def brake(self, state: ConsentState) -> None:
        may = self.may_change("provider", state, self.seqs.get("provider", 0) + 1)
        try:
            asyncio.run(
                self.scene.provider.grants.brake.state(self.consent, state, reason="a brake")
            )
        except ConsentNotHeldError:
            assert not self.is_held
        except ConflictError:
            assert not may
        else:
            assert may
            self.change("provider", state, self.seqs.get("provider", 0) + 1)

    @rule(target=answered)
    def query(self) -> bytes:
        raw = self.write_query()

        assert self.send(raw).code == self.expect()

        return raw

    @rule(target=questions)
    def write_question(self) -> bytes:
        """Make a message that is sent later, or never."""
        raw = self.write_query()
        self.waiting.add(raw)
        return raw

    @rule(target=answered, raw=consumes(questions))
    def send_question(self, raw: bytes) -> bytes:
        reply = self.send(raw)

        assert reply.code == ("expired" if raw in self.expired else self.expect())

        return raw

    @rule(raw=answered, times=st.integers(1, 3))
    def retry(self, raw: bytes, times: int) -> None:
        for _ in range(times):
            self.send(raw)

    @rule()
    def deliver(self) -> None:
        reply = self.scene.send(write_put(self.delivered))

        assert reply.code == "held"
        self.is_held = True

    @rule(state=st.sampled_from(sorted(ConsentState)), seq=st.integers(1, 6))
    def change_state(self, state: ConsentState, seq: int) -> None:
        may = self.may_change("subject", state, seq)
        try:
            self.scene.change_state(self.consent, state, seq=seq)
        except ConsentNotHeldError:
            assert not self.is_held
            return
        except ConflictError:
            assert not may
            return
        if may:
            self.change("subject", state, seq)
        else:  # The same status again.
            assert (state, seq) in self.taken_states()

    def may_change(self, by: str, state: ConsentState, seq: int) -> bool:
        return (
            self.is_held
            and self.state not in FINAL_STATES
            and state is not self.stated.get(by, ConsentState.ACTIVE)
            and seq > self.seqs.get(by, 0)
        )

    def taken_states(self) -> set[tuple[str, int]]:
        entries = self.scene.provider_entries()
        return {(entry.state, entry.seq) for entry in entries if isinstance(entry, ConsentEntry)}

    @rule(target=answered, count=st.integers(2, 6))
    def query_at_once(self, count: int) -> MultipleResults[bytes]:
        """Ask several things at once: together they get what is left, each at most once."""
        raws = [self.write_query() for _ in range(count)]

        async def ask() -> list[Reply]:
            # Each twice: a retry may overtake the answer.
            answer = self.scene.provider.answering.answer
            return await asyncio.gather(*(answer(raw) for raw in [*raws, *raws]))

        replies = asyncio.run(ask())

        for raw, reply in zip([*raws, *raws], replies, strict=True):
            self.note(raw, reply)
        expected = Counter(self.expect() for _ in raws)
        assert Counter(reply.code for reply in replies[:count]) == expected
        return multiple(*raws)

    @precondition(lambda self: self.state is ConsentState.ACTIVE)
    @rule(target=answered, count=st.integers(1, 4))
    def query_while_it_is_withdrawn(self, count: int) -> MultipleResults[bytes]:
        """Ask, push and withdraw at once: who is committed first wins, and nobody after it."""
        raws = [self.write_query() for _ in range(count)]
        token = sign_state(
            self.consent,
            state=ConsentState.REVOKED,
            seq=self.seqs.get("subject", 0) + 1,
            key=SUBJECT_KEY,
            now_s=self.scene.now_s,
        )

        async def race() -> tuple[list[Reply], int]:
            answer = self.scene.provider.answering.answer
            asked = [asyncio.ensure_future(answer(raw)) for raw in raws]
            pushing = asyncio.ensure_future(self.scene.provider.grants.standing.push_changes())
            await asyncio.sleep(0)
            revoked = asyncio.wrap_future(self.scene.provider.consents.submit_status(token))
            await asyncio.gather(revoked, pushing, *asked)
            return [task.result() for task in asked], pushing.result()

        replies, pushes = asyncio.run(race())

        # A push takes its use before or after the questions: they share what is left.
        assert pushes <= int(not self.is_told)
        for _ in range(pushes):
            assert self.expect() == "full"
        before = sum(reply.code != "consent-revoked" for reply in replies)
        expected = Counter(self.expect() for _ in range(before))
        for raw, reply in zip(raws, replies, strict=True):
            self.note(raw, reply)
        assert (
            Counter(reply.code for reply in replies if reply.code != "consent-revoked") == expected
        )
        self.change("subject", ConsentState.REVOKED, self.seqs.get("subject", 0) + 1)
        return multiple(*raws)

    @rule()
    def let_an_hour_pass(self) -> None:
        self.scene.federation.clock.advance_s(HOUR_S)
        self.uses_in_hour = 0
        self.expired |= self.waiting

    @invariant()
    def the_provider_holds_what_the_model_holds(self) -> None:
        held: HeldConsent | None = self.scene.provider.consents.find(self.consent)
        if self.state is None:
            assert held is None
        else:
            assert held is not None
            assert (held.state, held.seq, held.uses) == (self.state, self.seq, self.uses)

    @invariant()
    def the_log_says_what_was_done(self) -> None:
        entries = self.scene.provider_entries()
        uses = [entry for entry in entries if is_use(entry)]
        withdrawn_at = [
            at
            for at, entry in enumerate(entries)
            if isinstance(entry, ConsentEntry) and entry.state in FINAL_STATES
        ]

        assert len(uses) == self.uses <= MAX_USES
        assert len({entry.msg for entry in uses}) == len(uses)
        assert {entry.msg for entry in uses if isinstance(entry, ExchangeEntry)} <= {
            hash_envelope(parse_message(raw, bytes_max=REQUEST_BYTES_MAX).env)
            for raw in self.replies
        }
        if withdrawn_at:
            after = entries[withdrawn_at[0] :]
            assert not any(map(is_use, after))


def is_use(entry: Entry) -> TypeGuard[ExchangeEntry | RequestEntry]:
    """Tell whether an entry of the provider counts a use: an answer, or a push of its own."""
    if isinstance(entry, RequestEntry):
        return entry.op == "push"
    return isinstance(entry, ExchangeEntry) and entry.use > 0


def watch(consent: Consent) -> Consent:
    """Return the consent as a standing one."""
    return replace(change_purpose(consent, code="P3"), ops=("query", "push"))


ConsentMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    suppress_health_check=[HealthCheck.too_slow],
)
TestConsentMachine = ConsentMachine.TestCase


def test_withdrawal_and_push_at_once(tmp_path: Path) -> None:
    """Of a push and a withdrawal that race, the one committed first wins, and the log shows it."""
    scene = build_scene(tmp_path)
    consents = [scene.hold(replace(watch(scene.grant()), id=f"consent-{n}")) for n in range(6)]
    tokens = [
        sign_state(name, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s)
        for name in consents
    ]

    async def race() -> int:
        pushing = asyncio.ensure_future(scene.provider.grants.standing.push_changes())
        for token in tokens:
            await asyncio.sleep(0)
            await asyncio.wrap_future(scene.provider.consents.submit_status(token))
        return await pushing

    pushes = asyncio.run(race())

    entries = scene.provider_entries()
    scene.federation.close()
    closed: set[bytes] = set()
    pushed = 0
    for entry in entries:
        if isinstance(entry, ConsentEntry):
            closed.add(entry.consent)
        elif isinstance(entry, RequestEntry):
            pushed += 1
            assert not closed & set(entry.consents)
    assert (pushed, closed) == (pushes, set(consents))
