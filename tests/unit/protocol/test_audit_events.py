"""What an audit tells beside the exchanges, for a timeline."""

from protocol.audit.events import EVENTS_OF_A_KIND_MAX
from protocol.audit.findings import EventReport
from protocol.consent import ConsentState
from protocol.entry import (
    AbortedEntry,
    AnchorEntry,
    KeyChangeEntry,
    KnownKind,
    StartEntry,
    StopEntry,
    format_entry,
)
from protocol.report import build_object
from tests.support.auditing import ALPHA, BETA, audit, make_pair

HASH = b"\x07" * 32


def kinds(events: tuple[EventReport, ...], *, member: str) -> list[str]:
    return [one.kind for one in events if one.member == member]


def test_starts_stops_and_changes_are_told_in_the_order_of_their_times() -> None:
    federation, consent = make_pair()
    log = federation.members[BETA].log
    at_ms = federation.now_s * 1000 + 10_000
    entries: tuple[KnownKind, ...] = (
        StartEntry(at_ms=at_ms, software="x"),
        KeyChangeEntry(at_ms=at_ms + 1, use="message", kid="k" * 43, statement=HASH),
        AnchorEntry(at_ms=at_ms + 2, head=log.head(), authority="a", token=HASH),
        AbortedEntry(at_ms=at_ms + 3, peer=ALPHA, n=99, reason="not-sent"),
        StopEntry(at_ms=at_ms + 4),
    )
    for entry in entries:
        log.append(format_entry(entry))
    federation.now_s += 20
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)

    events = audit(federation.bundles()).events

    told = [kind for kind in kinds(events, member=BETA) if kind != "cosigned"]
    assert told == ["start", "key", "anchor", "stop", "revoked"]
    assert "cosigned" in kinds(events, member=ALPHA)
    assert [one.at_ms for one in events] == sorted(one.at_ms for one in events)


def test_many_of_one_kind_are_thinned_and_first_and_last_stay() -> None:
    federation, _ = make_pair()
    log = federation.members[BETA].log
    count = EVENTS_OF_A_KIND_MAX + 50
    for number in range(count):
        log.append(format_entry(StartEntry(at_ms=number, software="x")))

    report = audit(federation.bundles(BETA))

    starts = [one.at_ms for one in report.events if one.kind == "start"]
    assert len(starts) == EVENTS_OF_A_KIND_MAX
    assert (starts[0], starts[-1]) == (0, count - 1)
    value = build_object(report)["events"]
    assert isinstance(value, list)
    assert {"at": 0, "member": BETA, "kind": "start"} in value
