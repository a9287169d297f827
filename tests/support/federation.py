"""A federation in memory, on `protocol` alone: a hub, members, a customer, exchanges, bundles.

It follows the protocol honestly; a test makes it misbehave through the parts that it exposes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from protocol import bundle as bundles
from protocol.bundle import Bundle, Manifest, parse_bundle_files
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    commit_subject,
    hash_consent,
    sign_consent,
    sign_status,
)
from protocol.encoding import sha256
from protocol.entry import (
    ConsentEntry,
    ExchangeEntry,
    GenesisEntry,
    RequestEntry,
    ResponseEntry,
    format_entry,
)
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_LIFE_S
from protocol.log_policy import format_log_policy
from protocol.message import (
    ANSWERED,
    Envelope,
    RegistryReference,
    WireMessage,
    digest_body,
    seal_envelope,
)
from protocol.note import format_vkey
from protocol.problems import PROBLEMS
from protocol.receipt import RECEIPT_CONTENT_TYPE, format_receipt
from protocol.registry import (
    FIRST_PREVIOUS,
    Registry,
    SubjectEntry,
    hash_registry_payload,
    sign_registry,
)
from protocol.strict_json import canonical_json
from tests.support.federation_parts import (
    HUB,
    HUB_KEY,
    METRICS,
    NOW_S,
    PROBLEM_TYPE,
    QUERY_TYPE,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_SALT,
    SUMMARY_TYPE,
    WITNESS,
    Asked,
    Log,
    Member,
    Record,
    build_consent,
    copy_of,
    key_entry,
    make_key,
    note_of,
    query_body,
)

__all__ = [
    "HUB_KEY",
    "METRICS",
    "NOW_S",
    "SUBJECT",
    "SUBJECT_KEY",
    "SUBJECT_SALT",
    "WITNESS",
    "Asked",
    "Federation",
    "build_consent",
    "key_entry",
    "make_key",
    "query_body",
]


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
        body: bytes | None = None,
    ) -> None:
        """Have the provider decide a request, log it and seal the answer."""
        request = asked.envelope
        member = self.members[request.aud]
        if body is None:
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
        if member.key_changes:
            files[bundles.KEY_CHANGES_FILE] = b"".join(
                map(bundles.format_key_change, member.key_changes)
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
