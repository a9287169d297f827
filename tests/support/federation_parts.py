"""Parts of a federation in memory: keys, logs, members and what a customer signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocol.bundle import MessageCopy
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.consent import (
    Consent,
    Purpose,
    Span,
    commit_subject,
)
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.identifiers import parse_subject_id
from protocol.keys import SigningKey
from protocol.log_proof import format_log_proof
from protocol.merkle import build_inclusion, leaf_hash
from protocol.message import (
    Envelope,
    LogHead,
    WireMessage,
)
from protocol.note import SignatureKind, VerifierKey, add_signatures
from protocol.purpose import TEMPLATES
from protocol.registry import (
    KeyEntry,
    MemberEntry,
)
from protocol.strict_json import canonical_json
from protocol.tile import EMPTY_EDGE, RightEdge, TileCache, TileNodes

NOW_S = 1_790_000_000
HUB = "hub.example"
SUBJECT = parse_subject_id("sim:0200756072")
SUBJECT_SALT = sha256(b"federation: subject salt")
YEAR_S = 366 * 86_400

QUERY_TYPE = "application/vnd.chengxin.query+json"
SUMMARY_TYPE = "application/vnd.chengxin.summary+json"
PROBLEM_TYPE = "application/problem+json"
METRICS = ("delay", "trend")


def make_key(name: str) -> SigningKey:
    """Return the same key for the same name in every run."""
    return SigningKey(sha256(b"federation: ", name.encode()))


HUB_KEY = make_key("hub")
WITNESS_KEY = make_key("witness")
SUBJECT_KEY = make_key("subject")
WITNESS = VerifierKey(
    name=f"{HUB}/chengxin/witness/1",
    kind=SignatureKind.COSIGNATURE_V1,
    public=WITNESS_KEY.public,
)


def key_entry(key: SigningKey, use: str) -> KeyEntry:
    return KeyEntry(key=key.public, use=use, nbf=NOW_S - YEAR_S, exp=NOW_S + YEAR_S)


@dataclass(slots=True, kw_only=True)
class Log:
    """A member's log."""

    member: str
    key: SigningKey
    entries: list[bytes] = field(default_factory=list)
    number: int = 1

    @property
    def origin(self) -> str:
        return f"{self.member}/chengxin/log/{self.number}"

    @property
    def vkey(self) -> VerifierKey:
        return VerifierKey(name=self.origin, kind=SignatureKind.ED25519, public=self.key.public)

    def append(self, entry: bytes) -> int:
        self.entries.append(entry)
        return len(self.entries) - 1

    def nodes(self, size: int) -> TileNodes:
        edge, full = EMPTY_EDGE.extend([leaf_hash(entry) for entry in self.entries[:size]])
        tiles = {(tile.level, tile.index): tile.data for tile in full}
        return TileNodes(edge=edge, cache=TileCache(lambda level, index, _: tiles[level, index]))

    def edge(self) -> RightEdge:
        return self.nodes(len(self.entries)).edge

    def head(self) -> LogHead:
        return LogHead(size=len(self.entries), root=self.edge().root)

    def checkpoint(self) -> Checkpoint:
        head = self.head()
        return Checkpoint(origin=self.origin, size=head.size, root=head.root)

    def signed(self) -> str:
        return sign_checkpoint(self.checkpoint(), key=self.key)

    def cosigned(self) -> str:
        signature = cosign_checkpoint(
            self.checkpoint(), name=WITNESS.name, key=WITNESS_KEY, now_s=NOW_S
        )
        return add_signatures(self.signed(), [signature])

    def prove(self, index: int) -> str:
        size = len(self.entries)
        hashes = build_inclusion(index, size, self.nodes(size).read_node)
        return format_log_proof(
            index=index, hashes=hashes, note=self.signed(), extra=self.entries[index]
        )


@dataclass(slots=True, kw_only=True)
class Record:
    """A request with its answer, as one side keeps it."""

    side: str
    request: WireMessage
    answer: WireMessage | None = None


@dataclass(slots=True, kw_only=True)
class Member:
    """One node."""

    member: str
    key: SigningKey
    log: Log
    records: list[Record] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    consents: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    key_changes: list[tuple[str, ...]] = field(default_factory=list)

    def next_n(self, peer: str) -> int:
        self.counters[peer] = self.counters.get(peer, 0) + 1
        return self.counters[peer]

    def entry(self) -> MemberEntry:
        return MemberEntry(
            member=self.member,
            name=self.member,
            endpoints={"v1": f"https://{self.member}/v1"},
            roles=("consumer", "provider"),
            status="active",
            log_origin=self.log.origin,
            keys=(key_entry(self.key, "message"), key_entry(self.log.key, "log")),
        )


@dataclass(slots=True, kw_only=True)
class Asked:
    """What one exchange left behind."""

    request: WireMessage
    envelope: Envelope
    answer: WireMessage | None = None
    reply: Envelope | None = None


def build_consent(consumer: str, provider: str) -> Consent:
    """Return what the customer signs, unless a test changes it."""
    template = TEMPLATES["P1"]
    return Consent(
        id=f"{consumer}-{provider}"[:64],
        iat=NOW_S - 3600,
        nbf=NOW_S - 3600,
        exp=NOW_S + 30 * 86_400,
        basis="subject-consent",
        basis_ref="form 7",
        subject=commit_subject(SUBJECT, salt=SUBJECT_SALT),
        consumer=consumer,
        provider=provider,
        purpose=Purpose(
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=template.text,
        ),
        ops=("query",),
        metrics=METRICS,
        last_months=12,
        k_min=5,
        frequency=Span(unit="day", n=3),
        max_uses=5,
        data_life=Span(unit="month", n=3),
        derive=("rating",),
        notice_uri="https://hub.example/notice",
        notice_hash=sha256(b"notice"),
        notice_language="en",
        jurisdiction="CN",
        storage="CN",
        withdraw="https://hub.example/withdraw",
        bundle="bundle-1",
    )


def query_body(
    consent: bytes, *, purpose: str = "P1", metrics: Sequence[str] = METRICS, last_months: int = 12
) -> bytes:
    """Return the body of a question."""
    return canonical_json(
        {
            "v": 1,
            "kind": "query",
            "consent": encode_b64u(consent),
            "purpose": purpose,
            "metrics": list(metrics),
            "last_months": last_months,
        }
    )


def copy_of(message: WireMessage, *, redacted: bool) -> MessageCopy:
    """Return a message as a bundle holds it."""
    if redacted:
        return MessageCopy(env=message.env, inclusion=message.inclusion)
    return MessageCopy(
        env=message.env, inclusion=message.inclusion, body=message.body, salt=message.salt
    )


def note_of(inclusion: str) -> str:
    """Return the signed checkpoint in a proof."""
    return inclusion.partition("\n\n")[2]
