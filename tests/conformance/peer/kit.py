"""The federation in which the node under test stands: hub, members, customers, all but the node."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    sign_consent,
    sign_status,
)
from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.exchange import open_reply
from protocol.jws import split_compact
from protocol.keys import SigningKey
from protocol.message import MEDIA_TYPE, POSITIVE_STATES, parse_envelope
from protocol.problems import PROBLEMS
from protocol.registry import Registry, SubjectEntry
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.conformance.peer.adapter import Adapter
from tests.conformance.peer.answerer import Answerer
from tests.conformance.peer.case import Failed, NotApplicable, expect_equal
from tests.conformance.peer.customers import (
    DAY_S,
    Customer,
    Granted,
    build_consent,
    make_customer,
    rest_on_paper,
)
from tests.conformance.peer.hub import HUB, HUB_KEY, Hub
from tests.conformance.peer.material import BUSINESS_DATE, write_folder
from tests.conformance.peer.messages import (
    PUT_TYPE,
    Draft,
    Sealed,
    seal_request,
    write_query,
)
from tests.conformance.peer.node import (
    CHECKPOINT_PATH,
    MESSAGES_PATH,
    STATUSES_PATH,
    Http,
    Node,
    Reply,
    check_problem,
    read_entry,
    read_message,
)
from tests.conformance.peer.parts import Party, draw_bytes, read_clock_s
from tests.conformance.peer.server import Server

WAIT_S_MAX = 60
POLL_S = 0.2
PATIENCE_MAX = 100


@dataclass(kw_only=True)
class Kit:
    """Everything that a case works with."""

    asker: Party = field(default_factory=lambda: Party(member="asker.kit.example"))
    other: Party = field(default_factory=lambda: Party(member="other.kit.example"))
    hasty: Party = field(default_factory=lambda: Party(member="hasty.kit.example"))
    racer: Party = field(default_factory=lambda: Party(member="racer.kit.example"))
    """Asks several things at once; it asks nothing else, so that it is never too hasty."""
    idle: Party = field(
        default_factory=lambda: Party(member="suspended.kit.example", status="suspended")
    )
    liar: Party = field(default_factory=lambda: Party(member="liar.kit.example"))
    known: Customer = field(default_factory=lambda: make_customer("KITKNOWN1"))
    """The node holds the twelve invoices of the kit's file on this one."""
    thin: Customer = field(default_factory=lambda: make_customer("KITTHIN1"))
    """The node holds two invoices on this one: too few for anything but a class."""
    unknown: Customer = field(default_factory=lambda: make_customer("KITNONE1"))
    lost: Customer = field(default_factory=lambda: make_customer("KITLOST1"))
    """As ``known`` to the node; its key is revoked during the run."""
    keyless: Customer = field(default_factory=lambda: make_customer("KITPAPER1", has_key=False))
    """The hub has entered this one by a document; the asker vouches for what it signed."""
    adapter: Adapter | None = None
    port: int = 0
    enrolment_token: str = "kit"
    hub: Hub = field(init=False)
    server: Server = field(init=False)
    node: Node = field(init=False)
    provider: Answerer = field(init=False)
    """The liar, whom the node asks."""
    consumer: Answerer = field(init=False)
    """The asker, whom the node tells by itself."""
    standing: dict[str, Granted] = field(default_factory=dict)
    """Consents to pushes, by what is tried under each."""

    def __post_init__(self) -> None:
        start_s = read_clock_s()
        # The addresses of members are known once the server is bound, so its hub comes after it.
        self.hub = Hub(subjects=self._list_subjects())
        self.server = Server(self.hub, enrolment_token=self.enrolment_token, port=self.port)
        parties = (self.asker, self.other, self.hasty, self.racer, self.idle, self.liar)
        self.provider = Answerer(self.liar, hub=self.hub)
        self.consumer = Answerer(self.asker, hub=self.hub)
        for answerer in (self.provider, self.consumer):
            self.server.members[answerer.party.member] = answerer.answer
        members = tuple(
            party.entry(
                endpoint=f"{self.server.url}/member/{party.member}", revoked_at=start_s - DAY_S
            )
            for party in parties
        )
        self.hub.publish(lambda registry: replace(registry, members=members))

    @property
    def faults(self) -> list[str]:
        """Return what is wrong with all that the node has sent: numbers, and what did not hold."""
        parties = (self.asker, self.other, self.hasty, self.racer, self.liar)
        refused = [
            f"to {answerer.party.member}: {text}"
            for answerer in (self.provider, self.consumer)
            for text in answerer.refused
        ]
        return [fault for party in parties for fault in party.find_faults()] + refused

    @property
    def member(self) -> str:
        """Return the member id of the node under test."""
        if self.hub.enrolment is None:
            raise NotApplicable("no node has enrolled")
        return self.hub.enrolment.member

    def connect(self, *, url: str = "") -> None:
        """Wait until the node has enrolled, follows the registry and has its log cosigned.

        Raises:
            Failed: It has not in time.
        """
        if not self.hub.enrolled.wait(WAIT_S_MAX):
            raise Failed("no node has enrolled")
        enrolment = self.hub.enrolment
        self.node = Node(url=url or ("" if enrolment is None else enrolment.endpoint))
        self.wait(self.node.is_live, "the node does not answer")
        self.wait(lambda: bool(self.hub.watched), "the node does not have its log cosigned")
        self.wait(self.is_exchanging, "the node does not exchange")

    def write_folder(self, folder: Path) -> None:
        """Write what the node is set up with."""
        write_folder(
            folder,
            hub={
                "hub_id": HUB,
                "hub_url": self.server.url,
                "hub_anchor": encode_b64u(HUB_KEY.public.raw),
                "business_date": BUSINESS_DATE,
            },
            token=self.enrolment_token,
            counts={self.known.subject: 12, self.thin.subject: 2, self.lost.subject: 12},
        )

    def close(self) -> None:
        """Close the pool and the server."""
        if hasattr(self, "node"):
            self.node.close()
        self.server.close()

    def wait(self, holds: Callable[[], bool], otherwise: str, *, s_max: float = WAIT_S_MAX) -> None:
        """Wait until something holds.

        Raises:
            Failed: It does not in time.
        """
        deadline = time.monotonic() + s_max
        while not holds():
            if time.monotonic() > deadline:
                raise Failed(f"{otherwise} (waited {s_max:g} s)")
            time.sleep(POLL_S)

    def pause(self, seconds: float) -> None:
        """Give the node time for something that cannot be seen from outside."""
        time.sleep(seconds)

    def is_exchanging(self) -> bool:
        """Tell whether the node gives a signed reply."""
        sealed = self._seal_probe()
        http = self.post(sealed)
        if not http.is_message:
            return False
        self.open(http, sealed)
        return True

    # Consents

    def grant(
        self,
        change: Callable[[Consent], Consent] = lambda consent: consent,
        *,
        customer: Customer | None = None,
        key: SigningKey | None = None,
        purpose: str = "P1",
    ) -> Granted:
        """Have a customer sign a consent for the asker to ask the node under test."""
        signer = customer or self.known
        consent = change(
            build_consent(signer, consumer=self.asker.member, provider=self.member, purpose=purpose)
        )
        token = sign_consent(consent, key=key or signer.key)
        return Granted(consent=consent, token=token, customer=signer)

    def vouch(self, *, key: SigningKey | None = None) -> Granted:
        """Have the asker vouch for a paper of the customer that has no key."""
        return self.grant(rest_on_paper, customer=self.keyless, key=key or self.asker.key)

    def write_put(self, *granted: Granted) -> Draft:
        """Return the message that hands consents over."""
        body: JsonObject = {
            "v": 1,
            "kind": "consent-put",
            "consents": [one.delivered for one in granted],
        }
        return Draft(
            op="consent.put",
            content_type=PUT_TYPE,
            body=canonical_json(body),
            consents=tuple(one.hash for one in granted),
        )

    def deliver(self, *granted: Granted, party: Party | None = None) -> Reply:
        """Hand consents over and check that the node holds them.

        Raises:
            Failed: It refuses.
        """
        reply = self.exchange(self.write_put(*granted), party=party)
        expect_equal(reply.code, "200", "a delivery of consents is answered")
        return reply

    def hold(
        self,
        change: Callable[[Consent], Consent] = lambda consent: consent,
        *,
        customer: Customer | None = None,
    ) -> Granted:
        """Have a customer sign a consent, and hand it over."""
        granted = self.grant(change, customer=customer)
        self.deliver(granted)
        return granted

    def write_query(self, granted: Granted, /, **changes: JsonValue) -> Draft:
        """Return a right query under a consent; changes are members of its body."""
        return Draft(body=write_query(granted.hash, **changes), consents=(granted.hash,))

    def post_status(
        self,
        granted: Granted,
        state: ConsentState,
        *,
        seq: int = 1,
        key: SigningKey | None = None,
        by: str = "subject",
    ) -> Http:
        """Bring a signed change of state to the node."""
        token = self.sign_state(granted, state, seq=seq, key=key, by=by)
        return self.node.post(STATUSES_PATH, token.encode(), content_type="text/plain")

    def sign_state(
        self,
        granted: Granted,
        state: ConsentState,
        *,
        seq: int = 1,
        key: SigningKey | None = None,
        by: str = "subject",
        ahead_s: int = 0,
    ) -> str:
        """Sign a change of state, as the customer unless another key is given."""
        iat = read_clock_s() + ahead_s
        status = ConsentStatus(
            consent=granted.hash, seq=seq, state=state, iat=iat, by=by, reason="a case"
        )
        return sign_status(status, key=key or granted.customer.key)

    def set_state(self, granted: Granted, state: ConsentState, *, seq: int = 1) -> None:
        """Change the state of a consent at the node.

        Raises:
            Failed: It does not take the status.
        """
        http = self.post_status(granted, state, seq=seq)
        expect_equal(http.status, 200, f"a status to {state.value} by the customer")

    # Messages

    def seal(self, draft: Draft, *, party: Party | None = None) -> Sealed:
        """Sign and log a request of a member, the asker unless another is given."""
        return seal_request(
            party or self.asker, draft, audience=self.member, registry=self.hub.newest
        )

    def post(self, sealed: Sealed) -> Http:
        """Send a request as it is."""
        return self.node.post(MESSAGES_PATH, sealed.raw, content_type=MEDIA_TYPE)

    def exchange(self, draft: Draft, *, party: Party | None = None) -> Reply:
        """Send a request and verify the signed reply, whatever it says.

        Raises:
            Failed: The reply is unsigned, or does not hold.
        """
        return self.send(self.seal(draft, party=party), party=party)

    def send(self, sealed: Sealed, *, party: Party | None = None) -> Reply:
        """Send a sealed request and verify the reply; where it asks for patience, send it again.

        Raises:
            Failed: The reply is unsigned, or does not hold.
        """
        for _ in range(PATIENCE_MAX):
            reply = self.open(self.post(sealed), sealed, party=party)
            if reply.code != "quota" or not sealed.draft.is_patient:
                return reply
            pause = reply.body.get("retry_after")
            time.sleep(pause if isinstance(pause, int) else 1)
        raise Failed(f"still refused for haste after {PATIENCE_MAX} pauses")

    def open(self, http: Http, sealed: Sealed, *, party: Party | None = None) -> Reply:
        """Verify a reply as the specification tells an asker to.

        Raises:
            Failed: It does not hold.
        """
        message = read_message(http)
        try:
            envelope, _ = open_reply(
                message,
                request=sealed.envelope,
                request_hash=sealed.msg_hash,
                registry=self.hub.newest,
                find_registry=self.hub.find_snapshot,
                now_s=read_clock_s(),
            )
        except ProtocolError as err:
            raise Failed(f"the reply does not hold: {err.code}: {err.detail}") from err
        reply = Reply(http=http, message=message, envelope=envelope, entry=read_entry(message))
        self._check_reply(reply, party or self.asker)
        return reply

    def race(self, sealed: list[Sealed], *, party: Party | None = None) -> list[Reply]:
        """Send requests at once, the racer's unless another is given, and verify the replies.

        Raises:
            Failed: One does not hold.
        """
        with ThreadPoolExecutor(len(sealed)) as pool:
            posted = list(pool.map(self.post, sealed))
        by_number = sorted(
            zip(posted, sealed, strict=True),
            key=lambda pair: parse_envelope(split_compact(read_message(pair[0]).env).payload).n,
        )
        sender = party or self.racer
        return [self.open(http, one, party=sender) for http, one in by_number]

    def publish(self, change: Callable[[Registry], Registry], *, life_s: int = DAY_S) -> Registry:
        """Publish a snapshot and wait until the node judges by it.

        Raises:
            Failed: It does not in time.
        """
        published = self.hub.publish(change, life_s=life_s)
        self.wait(
            lambda: self._find_snapshot_of_node() >= published.seq,
            "the node does not take the newest snapshot",
        )
        return published

    def read_log_size(self) -> int:
        """Return the size in the checkpoint that the node serves."""
        lines = self.node.get(CHECKPOINT_PATH).body.decode().split("\n")
        return int(lines[1])

    def get_adapter(self) -> Adapter:
        """Return what makes the node ask.

        Raises:
            NotApplicable: There is nothing.
        """
        if self.adapter is None:
            raise NotApplicable("no --adapter is given: nothing makes the node ask")
        return self.adapter

    def _check_reply(self, reply: Reply, party: Party) -> None:
        party.note_number(reply.envelope.n, msg_hash=reply.message.msg_hash)
        is_positive = reply.code in POSITIVE_STATES
        due = int(reply.code) if is_positive else PROBLEMS[reply.code].status
        if reply.http.status != due:
            raise Failed(f"HTTP status {reply.http.status} instead of {due} of {reply.code}")
        if reply.envelope.op == "problem":
            check_problem(reply.body, code=reply.code)
        if reply.entry is None and reply.code != "quota":
            raise Failed("the reply is in no log")

    def _find_snapshot_of_node(self) -> int:
        return self.send(self._seal_probe()).envelope.reg.seq

    def _seal_probe(self) -> Sealed:
        missing = sha256(draw_bytes(32))
        return self.seal(Draft(body=write_query(missing), consents=(missing,)))

    def _list_subjects(self) -> tuple[SubjectEntry, ...]:
        return tuple(
            one.entry for one in (self.known, self.thin, self.unknown, self.lost, self.keyless)
        )
