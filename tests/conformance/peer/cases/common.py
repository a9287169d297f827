"""What the cases of several files check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.consent import Consent
from protocol.entry import ExchangeEntry, KnownKind, RequestEntry
from protocol.message import LogHead
from protocol.problems import PROBLEMS
from protocol.strict_json import JsonObject, JsonValue
from tests.conformance.peer.adapter import Adapter
from tests.conformance.peer.answerer import Script
from tests.conformance.peer.case import Failed, expect, expect_equal
from tests.conformance.peer.customers import Customer, Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import Draft, Sealed
from tests.conformance.peer.node import Http, Reply, check_problem
from tests.conformance.peer.parts import Party


def refuse_unsigned(kit: Kit, draft: Draft, *, code: str, party: Party | None = None) -> Http:
    """Send a message and check that an unsigned problem of this code is what comes of it.

    Raises:
        Failed: Something else comes.
    """
    return check_unsigned(kit.post(kit.seal(draft, party=party)), code=code)


def check_unsigned(http: Http, *, code: str) -> Http:
    """Check that an unsigned problem has come.

    Raises:
        Failed: Something else has.
    """
    if http.is_message:
        raise Failed(f"a signed reply instead of unsigned {code}")
    problem = http.read_problem()
    expect_equal(problem.get("code"), code, "the code of the unsigned problem")
    expect_equal(http.status, PROBLEMS[code].status, "the HTTP status of the unsigned problem")
    check_problem(problem, code=code)
    return http


def refuse_signed(
    kit: Kit, draft: Draft, *, code: str, uses: int = 0, party: Party | None = None
) -> Reply:
    """Send a message and check the signed refusal and its log entry.

    Raises:
        Failed: Something else comes.
    """
    sealed = kit.seal(draft, party=party)
    reply = kit.send(sealed, party=party)
    expect_equal(reply.code, code, "the code of the signed refusal")
    check_entry(reply, sealed, code=code, uses=uses)
    return reply


def get_answered(
    kit: Kit, draft: Draft, *, code: str = "full", uses: int = 1, party: Party | None = None
) -> Reply:
    """Send a message and check that it is answered, with this code in the log.

    Raises:
        Failed: Something else comes.
    """
    sealed = kit.seal(draft, party=party)
    reply = kit.send(sealed, party=party)
    expect_equal(reply.code, "200", "the state of the answer")
    check_entry(reply, sealed, code=code, uses=uses)
    return reply


def check_entry(reply: Reply, sealed: Sealed, *, code: str, uses: int) -> None:
    """Check what the node has logged of an exchange.

    Raises:
        Failed: It is something else, or nothing.
    """
    entry = reply.entry
    if entry is None:
        raise Failed("the reply is in no log")
    expect_equal((entry.code, entry.use), (code, uses), "code and uses in the log entry")
    expect_equal(
        (entry.op, entry.msg, entry.ans),
        (sealed.draft.op, sealed.msg_hash, reply.message.msg_hash),
        "operation, request and answer in the log entry",
    )
    claimed = sealed.envelope
    expect_equal(
        (entry.peer, entry.peer_n, entry.head, entry.consents),
        (claimed.iss, claimed.n, claimed.head, claimed.consents),
        "peer, its number, its head and the consents in the log entry",
    )


def grant_to_node(
    kit: Kit,
    change: Callable[[Consent], Consent] = lambda consent: consent,
    *,
    purpose: str = "P1",
    customer: Customer | None = None,
) -> Granted:
    """Give the node under test a consent to ask the kit's provider."""
    granted = kit.grant(
        lambda one: change(replace(one, consumer=kit.member, provider=kit.liar.member)),
        purpose=purpose,
        customer=customer,
    )
    kit.get_adapter().hold([granted.delivered])
    return granted


def check_not_taken(
    kit: Kit, name: str, *granted: Granted, script: Script, put: Callable[[Adapter], str]
) -> None:
    """Have the node ask, answer it badly, and check that it takes the honest answer alone.

    Raises:
        Failed: It takes the bad one, asks anew, or does not take the honest one.
    """
    adapter, provider = kit.get_adapter(), kit.provider
    consents = tuple(one.hash for one in granted)
    provider.scripts["query", consents[0]] = [script]

    asked = put(adapter)
    expect(asked not in {"200", "202"}, "the bad reply is taken")
    first = provider.list_received("query", *consents)
    expect_equal(len(first), 1, "how often the node has asked")
    bad = provider.answered.get(first[0].msg_hash, [])
    settled = adapter.settle(first[0].envelope.jti)

    expect_equal(settled, "200", "the ask is settled with the honest reply")
    sent = {one.raw for one in provider.list_received("query", *consents)}
    expect_equal(len(sent), 1, "how many different messages were sent for one question")
    provider.good[name] = provider.answered[first[0].msg_hash][-1]
    provider.bad[name] = bad[0] if bad else b""


def read_list(members: JsonObject, name: str) -> list[JsonValue]:
    """Return a member that has to be a list.

    Raises:
        Failed: It is none.
    """
    value = members.get(name)
    if not isinstance(value, list):
        raise Failed(f"{name} is no list")
    return value


def log_as_exchange(entry: RequestEntry) -> KnownKind:
    """Log a question as if it had been an answer of this name."""
    return ExchangeEntry(
        at_ms=entry.at_ms,
        xid=entry.xid,
        peer=entry.peer,
        peer_n=1,
        n=entry.n,
        op=entry.op,
        msg=bytes(32),
        ans=entry.msg,
        code="full",
        use=1,
        consents=entry.consents,
        head=LogHead(size=1, root=bytes(32)),
    )
