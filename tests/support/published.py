"""Continues the story of docs/protocol/vectors.json: later answers, a batch, and what is told.

What is built follows the specification and uses ``protocol`` alone; keys, snapshot, subject and the
logs so far are those of the file. scripts/generate_fixtures.py writes the result into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.consent import hash_consent, open_consent, sign_consent
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.entry import ExchangeEntry, KnownKind, RequestEntry, ResponseEntry, format_entry
from protocol.keys import SigningKey
from protocol.log_proof import format_log_proof
from protocol.manifest import FanOutManifest, ManifestItem, sign_manifest
from protocol.merkle import build_inclusion, leaf_hash
from protocol.message import (
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    digest_body,
    seal_envelope,
)
from protocol.purpose import TEMPLATES
from protocol.strict_json import JsonObject, canonical_json, parse_object
from protocol.tile import EMPTY_EDGE, RightEdge, TileCache, TileNodes

Vectors = dict[str, Any]
ALPHA, BETA = "alpha.example", "beta.example"
START_S = 1_790_000_140
TYPE = "application/vnd.chengxin.{}+json"


@dataclass(kw_only=True)
class Party:
    """A member of the story: keys, log, and its next number for the other."""

    member: str
    key: SigningKey
    log_key: SigningKey
    origin: str
    entries: list[bytes]
    n: int
    first: int = field(init=False)

    def __post_init__(self) -> None:
        self.first = len(self.entries)

    @property
    def edge(self) -> RightEdge:
        return EMPTY_EDGE.extend([leaf_hash(entry) for entry in self.entries])[0]

    @property
    def head(self) -> LogHead:
        return LogHead(size=len(self.entries), root=self.edge.root)

    @property
    def checkpoint(self) -> str:
        head = self.head
        checkpoint = Checkpoint(origin=self.origin, size=head.size, root=head.root)
        return sign_checkpoint(checkpoint, key=self.log_key)

    def log(self, entry: KnownKind) -> bytes:
        """Append an entry and return it."""
        self.entries.append(format_entry(entry))
        return self.entries[-1]

    def prove_last(self) -> str:
        """Return the proof of the newest entry; so few have no full tile."""
        nodes = TileNodes(edge=self.edge, cache=TileCache(lambda *_: b""))
        index = len(self.entries) - 1
        hashes = build_inclusion(index, len(self.entries), nodes.read_node)
        return format_log_proof(
            index=index, hashes=hashes, note=self.checkpoint, extra=self.entries[index]
        )


@dataclass(kw_only=True)
class Told:
    """What one message says."""

    op: str
    body: JsonObject
    kind: str
    consents: tuple[bytes, ...] = ()
    purpose: str = "-"
    st: str = "200"
    code: str = ""
    use: int = 0
    codes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Story:
    """The exchanges so far, and what they have left."""

    vectors: Vectors
    now_s: int = START_S
    messages: dict[str, JsonObject] = field(default_factory=dict)
    hashes: dict[str, bytes] = field(default_factory=dict)
    parties: dict[str, Party] = field(init=False)

    def __post_init__(self) -> None:
        seeds = {row["name"]: decode_b64u(row["seed"]) for row in self.vectors["keys"]}
        self.parties = {
            member: Party(
                member=member,
                key=SigningKey(seeds[f"{name} message"]),
                log_key=SigningKey(seeds[f"{name} log"]),
                origin=self.vectors["logs"][name]["origin"],
                entries=[entry.encode() for entry in self.vectors["logs"][name]["entries"]],
                n=n,
            )
            for member, name, n in ((ALPHA, "alpha", 5), (BETA, "beta", 4))
        }

    def exchange(self, name: str, asked: Told, reply_name: str, reply: Told, *, by: str) -> None:
        """Have one member send and the other answer."""
        self.now_s += 1
        sender, receiver = self.parties[by], self.parties[BETA if by == ALPHA else ALPHA]
        jti = sha256(f"vectors: jti of {name}".encode())[:16]
        request = self._seal(name, asked, sender=sender, receiver=receiver, jti=jti)
        envelope, env = request
        msg = sha256(env.encode())
        entry = sender.log(
            RequestEntry(
                at_ms=self.now_s * 1000,
                xid=jti,
                peer=receiver.member,
                n=envelope.n,
                op=asked.op,
                msg=msg,
                purpose=asked.purpose,
                consents=asked.consents,
            )
        )
        self._keep(name, asked, request, entry=entry, inclusion=sender.prove_last())
        if reply.op == "ack":
            reply = replace(reply, body=write("ack", of=encode_b64u(msg)))
        answer = self._seal(reply_name, reply, sender=receiver, receiver=sender, jti=jti, req=msg)
        replied, ans = answer[0], sha256(answer[1].encode())
        entry = receiver.log(
            ExchangeEntry(
                at_ms=self.now_s * 1000 + 3,
                xid=jti,
                peer=sender.member,
                peer_n=envelope.n,
                n=replied.n,
                op=asked.op,
                msg=msg,
                ans=ans,
                code=reply.code,
                use=reply.use,
                consents=replied.consents,
                head=envelope.head,
                codes=reply.codes,
            )
        )
        self._keep(reply_name, reply, answer, entry=entry, inclusion=receiver.prove_last())
        sender.log(
            ResponseEntry(
                at_ms=self.now_s * 1000 + 7,
                xid=jti,
                peer=receiver.member,
                peer_n=replied.n,
                msg=msg,
                ans=ans,
                code=replied.st or "",
                head=replied.head,
            )
        )

    def _seal(
        self,
        name: str,
        told: Told,
        *,
        sender: Party,
        receiver: Party,
        jti: bytes,
        req: bytes | None = None,
    ) -> tuple[Envelope, str]:
        body, registry = canonical_json(told.body), self.vectors["registry"]
        envelope = Envelope(
            iss=sender.member,
            aud=receiver.member,
            jti=jti,
            iat=self.now_s,
            exp=self.now_s + 300,
            op=told.op,
            bd=digest_body(body, salt=salt_of(name)),
            blen=len(body),
            bct=TYPE.format(told.kind),
            reg=RegistryReference(seq=1, hash=decode_b64u(registry["hash"])),
            n=sender.n,
            head=sender.head,
            consents=told.consents,
            req=req,
            st=None if req is None else told.st,
        )
        sender.n += 1
        return envelope, seal_envelope(envelope, key=sender.key)

    def _keep(
        self,
        name: str,
        told: Told,
        sealed: tuple[Envelope, str],
        *,
        entry: bytes,
        inclusion: str,
    ) -> None:
        envelope, env = sealed
        body = canonical_json(told.body)
        message = WireMessage(env=env, body=body, salt=salt_of(name), inclusion=inclusion)
        self.hashes[name] = message.msg_hash
        self.messages[name] = {
            "message": message.to_bytes().decode(),
            "msg_hash": encode_b64u(message.msg_hash),
            "body": body.decode(),
            "bd": encode_b64u(envelope.bd),
            "entry": entry.decode(),
            "leaf": encode_b64u(leaf_hash(entry)),
        }


def salt_of(name: str) -> bytes:
    """Return a fixed salt, as no implementation may choose one."""
    return sha256(f"vectors: salt of {name}".encode())


def build_later(vectors: Vectors) -> JsonObject:
    """Return the section ``later`` of the vectors."""
    tokens = {name: sign_again(vectors, purpose=code) for name, code in CONSENTS.items()}
    story = Story(vectors=vectors)
    renewed, standing = (hash_consent(tokens[name]) for name in CONSENTS)
    revoked = decode_b64u(vectors["consent"]["hash"])
    summary = parse_object(vectors["messages"]["answer"]["body"].encode())
    watched: JsonObject = {name: value for name, value in summary.items() if name != "relation"}
    tell_later(story, renewed, summary)
    tell_batch(story, (renewed, revoked), summary)
    manifest = sign_fan_out(story, renewed)
    tell_unasked(story, renewed=renewed, standing=standing, summary=summary, watched=watched)
    return {
        "now": story.now_s + 1,
        "consents": {
            name: {"token": token, "hash": encode_b64u(hash_consent(token))}
            for name, token in tokens.items()
        },
        "messages": {**story.messages},
        "manifest": {"token": manifest, "payload": read_payload(manifest)},
        "logs": {
            party.member.partition(".")[0]: {
                "origin": party.origin,
                "entries": [entry.decode() for entry in party.entries],
                "root": encode_b64u(party.head.root),
                "checkpoint": party.checkpoint,
            }
            for party in story.parties.values()
        },
    }


CONSENTS = {"renewed": "P1", "standing": "P3"}


def sign_again(vectors: Vectors, *, purpose: str) -> str:
    """Return a consent like the one of the file, for a purpose, as its subject signs it."""
    (seed,) = (row["seed"] for row in vectors["keys"] if row["name"] == "subject")
    key, template = SigningKey(decode_b64u(seed)), TEMPLATES[purpose]
    first = open_consent(vectors["consent"]["token"], find_key=lambda _kid: key.public)
    consent = replace(
        first,
        id=f"{purpose} once more",
        iat=START_S,
        nbf=START_S,
        purpose=replace(
            first.purpose,
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=template.text,
        ),
        ops=template.ops,
        metrics=tuple(name for name in first.metrics if name in template.metrics),
    )
    return sign_consent(consent, key=key)


def write(kind: str, **members: Any) -> JsonObject:  # noqa: ANN401  members of any kind
    """Return a body of version 1."""
    return {"v": 1, "kind": kind, **members}


def tell_later(story: Story, consent: bytes, summary: JsonObject) -> None:
    """Ask, be put off, and poll twice."""
    name = encode_b64u(consent)
    query = write(
        "query", consent=name, purpose="P1", metrics=["relation", "delay"], last_months=12,
        deferred=True,
    )  # fmt: skip
    accepted = Told(
        op="answer", body=write("accepted", poll_after_s=1), kind="accepted", st="202",
        code="accepted",
    )  # fmt: skip
    story.exchange(
        "deferred_query",
        Told(op="query", body=query, kind="query", consents=(consent,), purpose="P1"),
        "accepted",
        replace(accepted, consents=(consent,), use=1),
        by=ALPHA,
    )
    poll = write("poll", request=encode_b64u(story.hashes["deferred_query"]))
    story.exchange(
        "early_poll", Told(op="poll", body=poll, kind="poll"), "accepted_again", accepted, by=ALPHA
    )
    answer = Told(op="answer", body=summary, kind="summary", code="full")
    story.exchange(
        "poll", Told(op="poll", body=poll, kind="poll"), "polled_answer", answer, by=ALPHA
    )


def tell_batch(story: Story, consents: tuple[bytes, ...], summary: JsonObject) -> None:
    """Ask under a consent that holds and under one that was withdrawn."""
    names, codes = [encode_b64u(one) for one in consents], ("full", "consent-revoked")
    items = [{"consent": one, "metrics": ["relation", "delay"], "last_months": 12} for one in names]
    told = [
        {"consent": names[0], "code": codes[0], "summary": summary},
        {"consent": names[1], "code": codes[1]},
    ]
    story.exchange(
        "query_batch",
        Told(
            op="query",
            body=write("query-batch", purpose="P1", items=items),
            kind="query-batch",
            consents=consents,
            purpose="P1",
        ),
        "summary_batch",
        Told(
            op="answer",
            body=write("summary-batch", items=told),
            kind="summary-batch",
            consents=consents,
            code="batch",
            use=1,
            codes=codes,
        ),
        by=ALPHA,
    )


def sign_fan_out(story: Story, consent: bytes) -> str:
    """Return alpha's manifest: one member put it off, another was not reached."""
    items = (
        ManifestItem(
            peer=BETA,
            consent=consent,
            outcome="202",
            msg=story.hashes["deferred_query"],
            ans=story.hashes["accepted"],
        ),
        ManifestItem(peer="gamma.example", consent=bytes(32), outcome="consent-missing"),
    )
    manifest = FanOutManifest(
        id=sha256(b"vectors: manifest")[:16],
        iss=ALPHA,
        iat=START_S + 2,
        deadline=START_S + 20,
        purpose="P1",
        items=items,
    )
    return sign_manifest(manifest, key=story.parties[ALPHA].key)


def tell_unasked(
    story: Story, *, renewed: bytes, standing: bytes, summary: JsonObject, watched: JsonObject
) -> None:
    """Push, correct and state an erasure."""
    wrong = encode_b64u(story.hashes["polled_answer"])
    push = write("push", consent=encode_b64u(standing), changed=["delay"], summary=watched)
    correct = write(
        "correct", supersedes=wrong, consent=encode_b64u(renewed), reason="records-corrected",
        summary={**summary, "relation": {"years": "1-3", "last_sale": "<=3m"}},
    )  # fmt: skip
    erase = write("erase", basis="corrected", answers=[wrong])
    for op, body, consents, by in (
        ("push", push, (standing,), BETA),
        ("correct", correct, (renewed,), BETA),
        ("erase", erase, (), ALPHA),
    ):
        purpose = "P3" if op == "push" else "-"
        told = Told(op=op, body=body, kind=op, consents=consents, purpose=purpose)
        ack = Told(op="ack", body={}, kind="ack", consents=consents, code=op)
        story.exchange(op, told, f"{op}_ack", ack, by=by)


def read_payload(token: str) -> str:
    """Return the payload of a token as it is signed."""
    return decode_b64u(token.split(".")[1]).decode()
