"""A federation in memory, on `protocol` alone: a hub, members, a customer, exchanges, bundles.

It follows the protocol honestly; a test makes it misbehave through the parts that it exposes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from protocol import bundle as bundles
from protocol.bundle import Bundle, Manifest, MessageCopy, parse_bundle_files
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    Purpose,
    Span,
    commit_subject,
    hash_consent,
    sign_consent,
    sign_status,
)
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.entry import (
    ConsentEntry,
    ExchangeEntry,
    GenesisEntry,
    RequestEntry,
    ResponseEntry,
    format_entry,
)
from protocol.identifiers import parse_subject_id
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_LIFE_S
from protocol.log_policy import format_log_policy
from protocol.log_proof import format_log_proof
from protocol.merkle import build_inclusion, leaf_hash
from protocol.message import (
    ANSWERED,
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    digest_body,
    seal_envelope,
)
from protocol.note import SignatureKind, VerifierKey, add_signatures, format_vkey
from protocol.problems import PROBLEMS
from protocol.purpose import TEMPLATES
from protocol.receipt import RECEIPT_CONTENT_TYPE, format_receipt
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
    hash_registry_payload,
    sign_registry,
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

    @property
    def origin(self) -> str:
        return f"{self.member}/chengxin/log/1"

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


class Federation:
    """A hub, members and one customer; its clock stands still until a test moves it."""

    def __init__(self, *names: str) -> None:
        self.now_s = NOW_S
        self._random = 0
        self.members = {name: self._make_member(name) for name in names}
        self.snapshots: list[tuple[Registry, tuple[str, ...]]] = []
        self.publish()

    @property
    def registry(self) -> Registry:
        return self.snapshots[-1][0]

    def random(self, count: int) -> bytes:
        self._random += 1
        return sha256(b"federation: random", self._random.to_bytes(8, "big"))[:count]

    def publish(
        self,
        change: Callable[[Registry], Registry] = lambda registry: registry,
        *,
        keys: Sequence[SigningKey] = (HUB_KEY,),
    ) -> Registry:
        """Sign the next snapshot after a change to it, and return it."""
        seq = len(self.snapshots) + 1
        draft = Registry(
            seq=seq,
            prev=self.registry.hash if self.snapshots else FIRST_PREVIOUS,
            hash=bytes(32),
            iat=self.now_s - 60,
            exp=self.now_s - 60 + REGISTRY_LIFE_S,
            hub=HUB,
            simulated=True,
            threshold=1,
            witness_vkey=format_vkey(WITNESS),
            hub_keys=(key_entry(HUB_KEY, "hub"),),
            members=tuple(member.entry() for member in self.members.values()),
            subjects=(
                SubjectEntry(
                    commitment=commit_subject(SUBJECT, salt=SUBJECT_SALT),
                    verified="register",
                    keys=(key_entry(SUBJECT_KEY, "consent"),),
                ),
            ),
        )
        changed = change(draft)
        tokens = sign_registry(changed, keys=keys)
        registry = replace(changed, hash=hash_registry_payload(changed))
        self.snapshots.append((registry, tokens))
        return registry

    def consent(
        self, consumer: str, provider: str, change: Callable[[Consent], Consent] = lambda one: one
    ) -> bytes:
        """Have the customer sign a consent, hand it to both, and return its hash."""
        token = sign_consent(change(build_consent(consumer, provider)), key=SUBJECT_KEY)
        for name in (consumer, provider):
            self.members[name].consents.append(token)
        return hash_consent(token)

    def set_state(self, consent: bytes, *, provider: str, state: ConsentState, seq: int = 1) -> str:
        """Have the customer sign a change of state, and the provider log it."""
        status = ConsentStatus(
            consent=consent, seq=seq, state=state, iat=self.now_s, by="subject", reason="withdrawn"
        )
        token = sign_status(status, key=SUBJECT_KEY)
        member = self.members[provider]
        member.statuses.append(token)
        entry = ConsentEntry(
            at_ms=self.now_s * 1000,
            consent=consent,
            seq=seq,
            state=state.value,
            status=sha256(token.encode("ascii")),
        )
        member.log.append(format_entry(entry))
        return token

    def ask(
        self,
        consumer: str,
        provider: str,
        consent: bytes,
        *,
        code: str = "full",
        use: int = 1,
        body: bytes | None = None,
    ) -> Asked:
        """Make one whole query: request, decision with this code, arrival."""
        if body is None:
            body = query_body(consent)
        asked = self.request(
            consumer, provider, op="query", body=body, consents=(consent,), purpose="P1"
        )
        self.decide(asked, code=code, use=use)
        self.receive(asked)
        return asked

    def acknowledge(self, consumer: str, provider: str, *answers: Asked) -> Asked:
        """Send a receipt for answers, all of it."""
        hashes = [asked.answer.msg_hash for asked in answers if asked.answer is not None]
        asked = self.request(
            consumer, provider, op="receipt", body=format_receipt(hashes), purpose="-"
        )
        self.decide(asked, code="receipt", use=0)
        self.receive(asked)
        return asked

    def request(
        self,
        consumer: str,
        provider: str,
        *,
        op: str,
        body: bytes,
        purpose: str,
        consents: tuple[bytes, ...] = (),
        change: Callable[[Envelope], Envelope] = lambda envelope: envelope,
    ) -> Asked:
        """Seal and log a request; it is not sent yet."""
        member = self.members[consumer]
        salt = self.random(32)
        envelope = change(
            Envelope(
                iss=consumer,
                aud=provider,
                jti=self.random(16),
                iat=self.now_s,
                exp=self.now_s + 300,
                op=op,
                bd=digest_body(body, salt=salt),
                blen=len(body),
                bct=RECEIPT_CONTENT_TYPE if op == "receipt" else QUERY_TYPE,
                reg=self.reference(),
                n=member.next_n(provider),
                head=member.log.head(),
                consents=consents,
            )
        )
        env = seal_envelope(envelope, key=member.key)
        message = WireMessage(env=env, body=body, salt=salt, inclusion="")
        entry = RequestEntry(
            at_ms=self.now_s * 1000,
            xid=envelope.jti,
            peer=provider,
            n=envelope.n,
            op=op,
            msg=message.msg_hash,
            purpose=purpose,
            consents=consents,
        )
        index = member.log.append(format_entry(entry))
        message = replace(message, inclusion=member.log.prove(index))
        member.records.append(Record(side="out", request=message))
        return Asked(request=message, envelope=envelope)

    def decide(
        self,
        asked: Asked,
        *,
        code: str,
        use: int,
        change: Callable[[ExchangeEntry], ExchangeEntry] = lambda entry: entry,
        change_reply: Callable[[Envelope], Envelope] = lambda envelope: envelope,
        keep: bool = True,
    ) -> None:
        """Have the provider decide a request, log it and seal the answer."""
        request = asked.envelope
        member = self.members[request.aud]
        body = canonical_json({"code": code})
        salt = self.random(32)
        refused = code in PROBLEMS
        reply = change_reply(
            Envelope(
                iss=request.aud,
                aud=request.iss,
                jti=request.jti,
                iat=self.now_s,
                exp=self.now_s + 300,
                op="problem" if refused else "answer",
                bd=digest_body(body, salt=salt),
                blen=len(body),
                bct=PROBLEM_TYPE if refused else SUMMARY_TYPE,
                reg=self.reference(),
                n=member.next_n(request.iss),
                head=member.log.head(),
                consents=request.consents,
                req=asked.request.msg_hash,
                st=code if refused else ANSWERED,
            )
        )
        env = seal_envelope(reply, key=member.key)
        answer = WireMessage(env=env, body=body, salt=salt, inclusion="")
        entry = change(
            ExchangeEntry(
                at_ms=self.now_s * 1000,
                xid=request.jti,
                peer=request.iss,
                peer_n=request.n,
                n=reply.n,
                op=request.op,
                msg=asked.request.msg_hash,
                ans=answer.msg_hash,
                code=code,
                use=use,
                consents=reply.consents,
                head=request.head,
            )
        )
        index = member.log.append(format_entry(entry))
        member.heads[request.iss] = note_of(asked.request.inclusion)
        if keep:
            asked.answer = replace(answer, inclusion=member.log.prove(index))
            asked.reply = reply
            record = Record(side="in", request=asked.request, answer=asked.answer)
            member.records.append(record)

    def receive(
        self,
        asked: Asked,
        *,
        change: Callable[[ResponseEntry], ResponseEntry] = lambda entry: entry,
    ) -> None:
        """Have the consumer verify and log the answer."""
        if asked.answer is None or asked.reply is None:
            raise ValueError("there is no answer to receive")
        member = self.members[asked.envelope.iss]
        entry = change(
            ResponseEntry(
                at_ms=self.now_s * 1000,
                xid=asked.envelope.jti,
                peer=asked.envelope.aud,
                peer_n=asked.reply.n,
                msg=asked.request.msg_hash,
                ans=asked.answer.msg_hash,
                code=asked.reply.st or "",
                head=asked.reply.head,
            )
        )
        member.log.append(format_entry(entry))
        member.heads[asked.envelope.aud] = note_of(asked.answer.inclusion)
        for record in member.records:
            if record.side == "out" and record.request.env == asked.request.env:
                record.answer = asked.answer

    def reference(self) -> RegistryReference:
        return RegistryReference(seq=self.registry.seq, hash=self.registry.hash)

    def export(self, name: str, *, redacted: bool = False) -> dict[str, bytes]:
        """Return the files of a member's bundle."""
        member = self.members[name]
        log = member.log
        size = len(log.entries)
        nodes = log.nodes(size)
        files = dict(
            bundles.build_log_files(
                size,
                read_tile=nodes.read_tile,
                list_entries=lambda first, count: log.entries[first : first + count],
            )
        )
        manifest = Manifest(
            member=name,
            origin=log.origin,
            exported_at_s=self.now_s,
            size=size,
            root=nodes.edge.root,
            redacted=redacted,
        )
        policy = bundles.build_policy(log=log.vkey, witnesses=[WITNESS])
        files[bundles.MANIFEST_FILE] = bundles.format_manifest(manifest)
        files[bundles.POLICY_FILE] = format_log_policy(policy)
        files[bundles.CHECKPOINT_FILE] = log.cosigned().encode()
        files[bundles.REGISTRY_FILE] = b"".join(
            bundles.format_snapshot(seq=registry.seq, tokens=tokens)
            for registry, tokens in self.snapshots
        )
        subject, salt = (None, None) if redacted else (str(SUBJECT), SUBJECT_SALT)
        files[bundles.CONSENTS_FILE] = b"".join(
            bundles.format_consent(token=token, subject=subject, salt=salt)
            for token in member.consents
        )
        files[bundles.STATUSES_FILE] = b"".join(map(bundles.format_status, member.statuses))
        files[bundles.MESSAGES_FILE] = b"".join(
            bundles.format_message_record(
                side=record.side,
                request=copy_of(record.request, redacted=redacted),
                answer=None if record.answer is None else copy_of(record.answer, redacted=redacted),
            )
            for record in member.records
        )
        files[bundles.HEADS_FILE] = b"".join(
            bundles.format_head(peer=peer, checkpoint=note) for peer, note in member.heads.items()
        )
        return files

    def bundles(self, *names: str, redacted: bool = False) -> list[Bundle]:
        """Return the bundles of these members, of all when none is named."""
        return [
            parse_bundle_files(self.export(name, redacted=redacted), name=name.partition(".")[0])
            for name in names or self.members
        ]

    def _make_member(self, name: str) -> Member:
        log = Log(member=name, key=make_key(f"log of {name}"))
        genesis = GenesisEntry(at_ms=self.now_s * 1000, member=name, origin=log.origin)
        log.append(format_entry(genesis))
        return Member(member=name, key=make_key(f"messages of {name}"), log=log)


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
