"""Rate: what a member hears that asks too fast."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.conformance.peer.case import CaseList, Failed, NotApplicable, expect, expect_equal
from tests.conformance.peer.cases.common import get_answered
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import Draft, Sealed, write_query
from tests.conformance.peer.node import DISCOVERY_PATH, Reply
from tests.conformance.peer.parts import draw_bytes

CASES = CaseList("haste")
BURST_MAX = 2_000
RATE_MAX = 100
AT_ONCE = 8
ROUNDS_MAX = 60
ATTEMPTS_MAX = 8
BESIDE, BESIDE_MAX = 100, 8_000  # new questions at once, and in all
MINUTES_MAX = 3  # that a run of this case may take


def read_limits(kit: Kit) -> tuple[int, int]:
    """Return rate and burst as the node publishes them.

    Raises:
        NotApplicable: They are higher than this kit can ask.
    """
    limits = json.loads(kit.node.get(DISCOVERY_PATH).body).get("limits", {})
    rate, burst = limits.get("rate_per_s", 0), limits.get("rate_burst", 0)
    if not 0 < burst <= BURST_MAX or not 0 < rate <= RATE_MAX:
        raise NotApplicable(f"rate {rate} a second and burst {burst}: more than the kit can ask")
    return rate, burst


def draw_query(kit: Kit) -> Sealed:
    """Return a new question of the hasty member that is refused for another reason."""
    missing = draw_bytes(32)
    draft = Draft(body=write_query(missing), consents=(missing,), is_patient=False)
    return kit.seal(draft, party=kit.hasty)


def drain(kit: Kit, repeated: Sealed) -> None:
    """Ask the same as fast as it goes until the sender's bucket is as good as empty."""
    _, burst = read_limits(kit)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(ROUNDS_MAX):
            posted = list(pool.map(lambda _: kit.post(repeated), range(burst)))
            states = {http.status for http in posted}
            # A stored answer is repeated however fast it is asked for.
            expect_equal(states, {posted[0].status}, "the HTTP status of one repeated message")
            probe = draw_query(kit)
            if kit.open(kit.post(probe), probe, party=kit.hasty).code == "quota":
                return
    ask_beyond_the_limits(kit)


def ask_beyond_the_limits(kit: Kit) -> None:
    """Ask new questions until one is refused for haste.

    Raises:
        Failed: More were decided than the published limits allow.
        NotApplicable: The kit cannot ask so fast.
    """
    rate, burst = read_limits(kit)
    start_s = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for count in range(BESIDE, BESIDE_MAX + 1, BESIDE):
            sealed = [draw_query(kit) for _ in range(BESIDE)]
            posted = list(pool.map(kit.post, sealed))
            replies = [
                kit.open(http, one, party=kit.hasty)
                for http, one in zip(posted, sealed, strict=True)
            ]
            if any(reply.code == "quota" for reply in replies):
                return
            if count > burst + rate * (time.monotonic() - start_s + 1):
                raise Failed(f"{count} questions were decided without a pause")
    raise NotApplicable("the node answers faster than this kit can ask")


@CASES.case("EXC-23", "EXC-48", "EXC-49", "EXC-50", "MSG-4", "EXC-11")
def haste_is_refused_and_logged_once_a_minute(kit: Kit) -> None:
    granted = kit.grant(lambda one: replace(one, consumer=kit.hasty.member))
    kit.deliver(granted, party=kit.hasty)
    question = replace(kit.write_query(granted), is_patient=False)
    stored = kit.seal(question, party=kit.hasty)
    answer = kit.send(stored, party=kit.hasty)

    replies: list[Reply] = []
    for _ in range(ATTEMPTS_MAX):
        # One is expired as well: haste is the earlier check.
        late = kit.seal(replace(question, iat_offset_s=-301), party=kit.hasty)
        sealed = [late, *(draw_query(kit) for _ in range(20))]
        drain(kit, stored)
        replies += [reply for reply in kit.race(sealed, party=kit.hasty) if reply.code == "quota"]
        if any(reply.entry is None for reply in replies):
            break
    again = kit.send(stored, party=kit.hasty)

    expect(len(replies) > 0, "nothing is refused for haste")
    logged = [reply for reply in replies if reply.entry is not None]
    unlogged = [reply for reply in replies if reply.entry is None]
    expect(all("retry_after" in reply.body for reply in replies), "no retry_after")
    expect(len(unlogged) > 0, "every refusal for haste is logged")
    expect(len(logged) <= MINUTES_MAX, f"{len(logged)} refusals for haste are logged")
    stated = {(reply.envelope.n, reply.message.inclusion) for reply in unlogged}
    expect_equal(stated, {(0, "")}, "number and proof of a refusal that is in no log")
    expect_equal(again.http.body, answer.http.body, "the bytes of the repeated answer")


@CASES.case("EXC-23")
def a_message_refused_for_haste_is_decided_when_it_comes_again(kit: Kit) -> None:
    read_limits(kit)
    granted = kit.hold(lambda one: replace(one, max_uses=1))

    # The asker was as hasty as its cases need: the kit has waited wherever it was told to.
    get_answered(kit, kit.write_query(granted))
