"""Makes the bundles of two members as loaded nodes would: signed, logged, proven, in batches."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256 as digest
from pathlib import Path
from typing import BinaryIO

from protocol import bundle as bundles
from protocol.bundle import Manifest, MessageCopy
from protocol.consent import Consent, Purpose, Span, commit_subject, hash_consent, sign_consent
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import encode_b64u
from protocol.entry import (
    ExchangeEntry,
    GenesisEntry,
    RequestEntry,
    ResponseEntry,
)
from protocol.identifiers import parse_subject_id
from protocol.keys import SigningKey
from protocol.log_policy import format_log_policy
from protocol.message import (
    ANSWERED,
    Envelope,
    RegistryReference,
    WireMessage,
    digest_body,
    seal_envelope,
)
from protocol.note import SignatureKind, VerifierKey, add_signatures, format_vkey
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
from scripts.benches.verify_logs import Log, write_file

NOW_S = 1_790_000_000
USES_PER_CONSENT = 100
METRICS = ("delay", "trend")
SUBJECT = parse_subject_id("sim:0200756072")
YEAR_S = 366 * 86_400
QUERY_TYPE = "application/vnd.chengxin.query+json"
SUMMARY_TYPE = "application/vnd.chengxin.summary+json"
HELD_TYPE = "application/vnd.chengxin.receipt-held+json"
SUMMARY = canonical_json(
    {
        "v": 1,
        "kind": "summary",
        "delay": {"mix": [40, 35, 15, 5, 5], "trend": "stable", "worst": "31-60"},
        "months": 12,
        "note": "x" * 500,  # as long as a summary is
    }
)


def make_key(name: str) -> SigningKey:
    """Return the same key for the same name in every run."""
    return SigningKey(digest(f"bench: {name}".encode()).digest())


HUB_KEY, WITNESS_KEY, SUBJECT_KEY = make_key("hub"), make_key("witness"), make_key("subject")
WITNESS = VerifierKey(
    name="hub.example/chengxin/witness/1",
    kind=SignatureKind.COSIGNATURE_V1,
    public=WITNESS_KEY.public,
)


class _Random:
    """Fixed octets in order, so that two runs make the same bundles."""

    def __init__(self) -> None:
        self._count = 0

    def take(self, count: int) -> bytes:
        self._count += 1
        return digest(self._count.to_bytes(8, "big")).digest()[:count]


@dataclass(slots=True)
class Member:
    """One node and its bundle."""

    name: str
    key: SigningKey
    log: Log
    messages: BinaryIO
    peer_note: str = ""
    n: int = 0

    def next_n(self) -> int:
        """Return the next own number."""
        self.n += 1
        return self.n

    def entry(self) -> MemberEntry:
        """Return what the registry says of the member."""
        return MemberEntry(
            member=self.name,
            name=self.name,
            endpoints={"v1": f"https://{self.name}/v1"},
            roles=("consumer", "provider"),
            status="active",
            log_origin=self.log.origin,
            keys=(_key_entry(self.key, "message"), _key_entry(self.log.key, "log")),
        )


def make_bundles(place: Path, *, exchanges: int, batch: int) -> list[Path]:
    """Make the bundles of a consumer and a provider; return their folders."""
    members = [_make_member(name, place) for name in ("alpha.example", "beta.example")]
    _Maker(members[0], members[1], exchanges=exchanges, batch=batch).run()
    return [member.log.folder for member in members]


class _Maker:
    """Makes exchanges in batches, then closes both bundles."""

    def __init__(self, consumer: Member, provider: Member, *, exchanges: int, batch: int) -> None:
        self._consumer = consumer
        self._provider = provider
        self._exchanges = exchanges
        self._batch = batch
        self._random = _Random()
        self._salt = self._random.take(32)
        self._registry = _make_registry((consumer, provider), salt=self._salt)
        self._reference = RegistryReference(seq=1, hash=hash_registry_payload(self._registry))
        self._consents: list[tuple[str, bytes]] = []
        self._now_s = NOW_S

    def run(self) -> None:
        for member in (self._consumer, self._provider):
            genesis = GenesisEntry(at_ms=NOW_S * 1000, member=member.name, origin=member.log.origin)
            member.log.append([genesis])
        done = 0
        while done < self._exchanges:
            count = min(self._batch, self._exchanges - done)
            answers = self._exchange("query", [self._query(done + one) for one in range(count)])
            self._exchange("receipt", [(format_receipt(answers), ())])
            done += count
            self._now_s += 1
        for member in (self._consumer, self._provider):
            self._close(member)

    def _query(self, number: int) -> tuple[bytes, tuple[bytes, ...]]:
        if number // USES_PER_CONSENT >= len(self._consents):
            self._consents.append(self._sign_consent(len(self._consents)))
        name = self._consents[number // USES_PER_CONSENT][1]
        body = {
            "v": 1,
            "kind": "query",
            "consent": encode_b64u(name),
            "purpose": "P1",
            "metrics": list(METRICS),
            "last_months": 12,
        }
        return canonical_json(body), (name,)  # type: ignore[arg-type]  # strings, a number, a list

    def _exchange(self, op: str, bodies: list[tuple[bytes, tuple[bytes, ...]]]) -> list[bytes]:
        """Ask, decide and receive a batch; return the answers' hashes."""
        consumer, provider = self._consumer, self._provider
        at_ms = self._now_s * 1000
        content_type = QUERY_TYPE if op == "query" else RECEIPT_CONTENT_TYPE
        asked = [
            self._seal(consumer, provider.name, op, body, content_type, consents=consents)
            for body, consents in bodies
        ]
        placed = consumer.log.append(
            [
                RequestEntry(
                    at_ms=at_ms,
                    xid=envelope.jti,
                    peer=provider.name,
                    n=envelope.n,
                    op=op,
                    msg=message.msg_hash,
                    purpose="P1" if op == "query" else "-",
                    consents=envelope.consents,
                )
                for envelope, message in asked
            ]
        )
        requests = [
            _prove(message, consumer.log, index, raw)
            for (_, message), (index, raw) in zip(asked, placed, strict=True)
        ]
        provider.peer_note = consumer.log.note
        body, body_type = (SUMMARY, SUMMARY_TYPE) if op == "query" else (b"{}", HELD_TYPE)
        answered = [
            self._seal(
                provider, consumer.name, "answer", body, body_type, asked=envelope, req=message
            )
            for envelope, message in asked
        ]
        placed = provider.log.append(
            [
                ExchangeEntry(
                    at_ms=at_ms,
                    xid=envelope.jti,
                    peer=consumer.name,
                    peer_n=envelope.n,
                    n=reply.n,
                    op=op,
                    msg=message.msg_hash,
                    ans=answer.msg_hash,
                    code="full" if op == "query" else "receipt",
                    use=int(op == "query"),
                    consents=envelope.consents,
                    head=envelope.head,
                )
                for (envelope, message), (reply, answer) in zip(asked, answered, strict=True)
            ]
        )
        answers = [
            _prove(answer, provider.log, index, raw)
            for (_, answer), (index, raw) in zip(answered, placed, strict=True)
        ]
        consumer.peer_note = provider.log.note
        consumer.log.append(
            [
                ResponseEntry(
                    at_ms=at_ms,
                    xid=envelope.jti,
                    peer=provider.name,
                    peer_n=reply.n,
                    msg=message.msg_hash,
                    ans=answer.msg_hash,
                    code=ANSWERED,
                    head=reply.head,
                )
                for (envelope, message), (reply, answer) in zip(asked, answered, strict=True)
            ]
        )
        for request, answer in zip(requests, answers, strict=True):
            for member, side in ((consumer, "out"), (provider, "in")):
                line = bundles.format_message_record(
                    side=side, request=_copy(request), answer=_copy(answer)
                )
                member.messages.write(line)
        return [answer.msg_hash for answer in answers]

    def _seal(
        self,
        member: Member,
        peer: str,
        op: str,
        body: bytes,
        content_type: str,
        *,
        consents: tuple[bytes, ...] = (),
        asked: Envelope | None = None,
        req: WireMessage | None = None,
    ) -> tuple[Envelope, WireMessage]:
        salt = self._random.take(32)
        envelope = Envelope(
            iss=member.name,
            aud=peer,
            jti=self._random.take(16) if asked is None else asked.jti,
            iat=self._now_s,
            exp=self._now_s + 300,
            op=op,
            bd=digest_body(body, salt=salt),
            blen=len(body),
            bct=content_type,
            reg=self._reference,
            n=member.next_n(),
            head=member.log.head,
            consents=consents if asked is None else asked.consents,
            req=None if req is None else req.msg_hash,
            st=None if req is None else ANSWERED,
        )
        env = seal_envelope(envelope, key=member.key)
        return envelope, WireMessage(env=env, body=body, salt=salt, inclusion="")

    def _sign_consent(self, number: int) -> tuple[str, bytes]:
        template = TEMPLATES["P1"]
        consent = Consent(
            id=f"consent-{number}",
            iat=NOW_S - 3600,
            nbf=NOW_S - 3600,
            exp=NOW_S + 30 * 86_400,
            basis="subject-consent",
            basis_ref="form 7",
            subject=commit_subject(SUBJECT, salt=self._salt),
            consumer=self._consumer.name,
            provider=self._provider.name,
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
            frequency=Span(unit="day", n=USES_PER_CONSENT),
            max_uses=min(USES_PER_CONSENT, template.uses_max),
            data_life=Span(unit="month", n=3),
            derive=("rating",),
            notice_uri="https://hub.example/notice",
            notice_hash=digest(b"notice").digest(),
            notice_language="en",
            jurisdiction="CN",
            storage="CN",
            withdraw="https://hub.example/withdraw",
            bundle="bundle-1",
        )
        token = sign_consent(consent, key=SUBJECT_KEY)
        return token, hash_consent(token)

    def _close(self, member: Member) -> None:
        log, folder = member.log, member.log.folder
        member.messages.close()
        log.finish()
        signature = cosign_checkpoint(
            log.checkpoint(), name=WITNESS.name, key=WITNESS_KEY, now_s=self._now_s
        )
        manifest = Manifest(
            member=member.name,
            origin=log.origin,
            exported_at_s=self._now_s,
            size=log.edge.size,
            root=log.edge.root,
            redacted=False,
        )
        peer = self._provider.name if member is self._consumer else self._consumer.name
        note = add_signatures(log.note, [signature])
        policy = bundles.build_policy(log=log.vkey, witnesses=[WITNESS])
        tokens = sign_registry(self._registry, keys=[HUB_KEY])
        consents = [
            bundles.format_consent(token=token, subject=str(SUBJECT), salt=self._salt)
            for token, _ in self._consents
        ]
        write_file(folder / bundles.MANIFEST_FILE, bundles.format_manifest(manifest))
        write_file(folder / bundles.POLICY_FILE, format_log_policy(policy))
        write_file(folder / bundles.CHECKPOINT_FILE, note.encode())
        write_file(folder / bundles.REGISTRY_FILE, bundles.format_snapshot(seq=1, tokens=tokens))
        write_file(folder / bundles.CONSENTS_FILE, b"".join(consents))
        write_file(folder / bundles.STATUSES_FILE, b"")
        write_file(folder / bundles.WITNESSED_FILE, bundles.format_witnessed(note))
        head = bundles.format_head(peer=peer, checkpoint=member.peer_note)
        write_file(folder / bundles.HEADS_FILE, head)


def _make_member(name: str, place: Path) -> Member:
    folder = place / name.partition(".")[0]
    folder.mkdir()
    log = Log(name, folder, make_key(f"log of {name}"))
    messages = (folder / bundles.MESSAGES_FILE).open("wb")
    return Member(name, make_key(f"messages of {name}"), log, messages)


def _make_registry(members: tuple[Member, ...], *, salt: bytes) -> Registry:
    return Registry(
        seq=1,
        prev=FIRST_PREVIOUS,
        hash=bytes(32),
        iat=NOW_S - 60,
        exp=NOW_S - 60 + 86_400,
        hub="hub.example",
        simulated=True,
        threshold=1,
        witness_vkey=format_vkey(WITNESS),
        hub_keys=(_key_entry(HUB_KEY, "hub"),),
        members=tuple(member.entry() for member in members),
        subjects=(
            SubjectEntry(
                commitment=commit_subject(SUBJECT, salt=salt),
                verified="register",
                keys=(_key_entry(SUBJECT_KEY, "consent"),),
            ),
        ),
    )


def _key_entry(key: SigningKey, use: str) -> KeyEntry:
    return KeyEntry(key=key.public, use=use, nbf=NOW_S - YEAR_S, exp=NOW_S + YEAR_S)


def _prove(message: WireMessage, log: Log, index: int, raw: bytes) -> WireMessage:
    inclusion = log.prove(index, raw)
    return WireMessage(env=message.env, body=message.body, salt=message.salt, inclusion=inclusion)


def _copy(message: WireMessage) -> MessageCopy:
    return MessageCopy(
        env=message.env, inclusion=message.inclusion, body=message.body, salt=message.salt
    )
