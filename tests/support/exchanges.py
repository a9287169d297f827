"""A consumer, a provider with records of one subject, and what an exchange leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from node.core.database import metadata
from node.core.log import LogStore
from node.sharing.answering import Reply
from node.sharing.store import HeldConsent, SharingStore
from protocol.consent import Consent, ConsentState, hash_consent, sign_consent, window_start
from protocol.encoding import encode_b64u
from protocol.entry import Entry, parse_entry
from protocol.exchange import open_reply
from protocol.identifiers import SubjectId
from protocol.jws import split_compact
from protocol.keys import SigningKey
from protocol.limits import HASH_BYTES, MESSAGE_BYTES_MAX
from protocol.message import Envelope, hash_envelope, parse_envelope, parse_message
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from schemas.exchange import CONSENT_PUT_CONTENT_TYPE, ConsentPutBody, DeliveredConsent
from schemas.summary import Section
from tests.support.forging import Forgery, build_consent, forge_bytes, sign_state
from tests.support.nodes import NOW_S, SUBJECT, SUBJECT_KEY, SUBJECT_SALT, TestFederation, TestNode

HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed"
)
Tables = dict[str, list[tuple[Any, ...]]]


def write_invoices(subject: SubjectId, *, count: int) -> str:
    """Return CSV rows: equal invoices, one a month from June 2025, paid twenty days late."""
    rows = [
        f"{subject.scheme},{subject.value},Subject,CN,{subject.value}-{index},1,"
        f"{2025 + (index + 4) // 12}-{(index + 4) % 12 + 1:02d}-10,"
        f"{2025 + (index + 5) // 12}-{(index + 5) % 12 + 1:02d}-10,"
        f"CNY,1000.00,{2025 + (index + 5) // 12}-{(index + 5) % 12 + 1:02d}-28,1000.00,"
        for index in range(count)
    ]
    return "\n".join([HEADER, *rows, ""])


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Everything that a node keeps, and the entries of its log."""

    tables: Tables
    entries: list[bytes]

    @property
    def last(self) -> Entry:
        return parse_entry(self.entries[-1])

    def without(self, *names: str) -> Tables:
        return {name: rows for name, rows in self.tables.items() if name not in names}


def observe(node: TestNode) -> Trace:
    """Read every table of a node in one snapshot."""
    with node.local.database.read() as uow:
        tables = {
            table.name: sorted(
                (tuple(row) for row in uow.connection.execute(select(table))), key=repr
            )
            for table in metadata.sorted_tables
        }
        store = LogStore(uow.connection)
        return Trace(
            tables=tables, entries=store.list_entries(first=0, count=store.count_entries())
        )


@dataclass(kw_only=True)
class Scene:
    """Alpha asks beta about the subject, on whom beta has a year of invoices."""

    federation: TestFederation
    consumer: TestNode
    provider: TestNode
    granted: dict[bytes, Consent] = field(default_factory=dict)

    @property
    def now_s(self) -> int:
        return self.federation.clock.now_ms() // 1000

    def grant(self, change: Callable[[Consent], Consent] = lambda consent: consent) -> Consent:
        """Build a consent of the present moment."""
        return change(build_consent(now_s=NOW_S))

    def hold(self, consent: Consent, *, key: SigningKey = SUBJECT_KEY) -> bytes:
        """Put a consent into the provider's table, whatever it says and whoever signed it."""
        token = sign_consent(consent, key=key)
        held = HeldConsent(
            hash=hash_consent(token),
            token=token,
            subject=str(SUBJECT),
            salt=SUBJECT_SALT,
            consumer=consent.consumer,
            provider=consent.provider,
            bundle=consent.bundle,
            state=ConsentState.ACTIVE,
            seq=0,
            uses=0,
            window_start_s=0,
            window_uses=0,
            exp=consent.exp,
            delivered=False,
        )
        with self.provider.local.database.write() as uow:
            SharingStore(uow.connection).add_consent(held, at_ms=self.now_s * 1000)
        self.granted[held.hash] = consent
        return held.hash

    def hold_at_consumer(self, consent: Consent) -> tuple[HeldConsent, DeliveredConsent]:
        """Have the consumer take in a consent as its subject hands it over."""
        delivered = deliver(consent)
        return self.consumer.consents.hold([delivered])[0], delivered

    def count_use(self, consent: bytes) -> None:
        """Count a use as if it had been asked for now."""
        held = self.find(consent)
        start_s = window_start(self.granted[consent].frequency, now_s=self.now_s)
        used = replace(held, uses=held.uses + 1, window_start_s=start_s, window_uses=1)
        with self.provider.local.database.write() as uow:
            SharingStore(uow.connection).store_uses([used])

    def change_state(
        self,
        consent: bytes,
        state: ConsentState,
        *,
        seq: int = 1,
        key: SigningKey = SUBJECT_KEY,
        by: str = "subject",
    ) -> HeldConsent:
        """Have the provider take over a signed status, the subject's where none else is named."""
        token = sign_state(consent, state=state, seq=seq, key=key, now_s=self.now_s, by=by)
        return self.provider.consents.submit_status(token).result(timeout=10)

    def find(self, consent: bytes) -> HeldConsent:
        found = self.provider.consents.find(consent)
        assert found is not None

        return found

    def query(self, consent: bytes, /, **changes: JsonValue) -> Forgery:
        """Return a right query under a consent; changes are members of its body."""
        return Forgery(body=query_body(consent, **changes), consents=(consent,))

    def forge(self, forgery: Forgery) -> bytes:
        """Have the consumer make the message for the provider."""
        return forge_bytes(self.consumer, forgery, audience=self.provider.member_id)

    def send(self, forgery: Forgery) -> Reply:
        """Make a message and have it answered."""
        return self.provider.answer(self.forge(forgery))

    def open(self, reply: Reply, raw: bytes) -> Envelope:
        """Verify a reply as the consumer does: signed, bound to its request, proven logged."""
        request = parse_message(raw, bytes_max=MESSAGE_BYTES_MAX)
        envelope, _ = open_reply(
            reply.message,
            request=parse_envelope(split_compact(request.env).payload),
            request_hash=hash_envelope(request.env),
            registry=self.consumer.registry.newest,
            find_registry=self.consumer.registry.find,
            now_s=self.now_s,
        )
        return envelope

    def provider_entries(self) -> list[Entry]:
        """Return the provider's log, read entry by entry."""
        return [parse_entry(entry) for entry in observe(self.provider).entries]

    def drain(self) -> None:
        """Use up what the provider lets the consumer ask now."""
        now_ms = self.federation.clock.now_ms()
        while self.provider.buckets.take_token(self.consumer.member_id, now_ms=now_ms):
            pass


def build_scene(
    folder: Path,
    *,
    member_count: int = 2,
    invoices: int = 12,
    defers: bool = False,
    accepts_unkeyed: bool = False,
) -> Scene:
    """Start a federation whose provider knows the subject."""
    federation = TestFederation(
        folder=folder, member_count=member_count, defers=defers, accepts_unkeyed=accepts_unkeyed
    )
    provider = federation.nodes[1]
    if invoices:
        content = write_invoices(SUBJECT, count=invoices).encode()
        provider.local.records.import_file(content, file_name="invoices.csv")
    return Scene(federation=federation, consumer=federation.nodes[0], provider=provider)


def query_body(consent: bytes, /, **changes: JsonValue) -> bytes:
    """Write the body of a query."""
    assert len(consent) == HASH_BYTES

    body: JsonObject = {
        "v": 1,
        "kind": "query",
        "consent": encode_b64u(consent),
        "purpose": "P1",
        "metrics": [section.value for section in Section],
        "last_months": 12,
    }
    return canonical_json({**body, **changes})


def write_put(*delivered: DeliveredConsent) -> Forgery:
    """Return a message that hands consents over."""
    body = ConsentPutBody(v=1, kind="consent-put", consents=list(delivered))
    return Forgery(
        op="consent.put",
        content_type=CONSENT_PUT_CONTENT_TYPE,
        body=body.to_bytes(),
        consents=tuple(hash_consent(one.token) for one in delivered),
    )


def deliver(
    consent: Consent,
    *,
    key: SigningKey = SUBJECT_KEY,
    subject: SubjectId = SUBJECT,
    salt: bytes = SUBJECT_SALT,
) -> DeliveredConsent:
    """Sign a consent and put its opening beside it."""
    return DeliveredConsent(
        token=sign_consent(consent, key=key), subject=str(subject), salt=encode_b64u(salt)
    )


def shift(consent: Consent, *, nbf: int, exp: int) -> Consent:
    """Return the consent for another time."""
    return replace(consent, nbf=nbf, exp=exp)
