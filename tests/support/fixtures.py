"""Builds the byte fixtures of version 1 from fixed seeds: the same code gives the same bytes.

What is built follows the specification and uses ``protocol`` alone. tests/conformance/fixtures/v1
holds the result; scripts/generate_fixtures.py writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from protocol.encoding import encode_b64u
from protocol.entry import (
    ExchangeEntry,
    format_entry,
)
from protocol.message import Envelope, WireMessage, digest_body, seal_envelope
from protocol.receipt import RECEIPT_CONTENT_TYPE, format_receipt
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.support.federation import Federation
from tests.support.federation_parts import (
    METRICS,
    PROBLEM_TYPE,
    SUBJECT,
    SUBJECT_SALT,
    Asked,
    Record,
)
from tests.support.fixture_parts import (
    ALPHA,
    BETA,
    build_entries,
    build_log_texts,
    build_statements,
)

TYPE = "application/vnd.chengxin.{}+json"
SUMMARY: JsonObject = {
    "v": 1,
    "kind": "payment-behaviour-summary",
    "formula": "pbs-1",
    "tier": "full",
    "subject": str(SUBJECT),
    "window": {"first": "2025-06", "last": "2026-05", "as_of": "2026-06-05"},
    "contributors": 1,
    "relation": {"years": "1-3", "last_sale": "<=3m"},
    "index": {"value": 65, "weighting": "amount"},
    "overdue_now": {"as_of": "2026-06-30", "oldest": "none"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body and its operation."""

    op: str
    content: JsonObject
    bct: str
    code: str = ""
    use: int = 0
    st: str = "200"


def build_fixtures() -> dict[str, bytes]:
    """Return every fixture by its path."""
    federation = Federation(ALPHA, BETA)
    consent = federation.consent(ALPHA, BETA)
    token = federation.members[ALPHA].consents[0]
    files = {
        f"message/{name}.json": raw
        for name, raw in build_messages(federation, token=token, consent=consent).items()
    }
    files |= {f"entry/{name}.json": raw for name, raw in build_entries().items()}
    files |= {f"statement/{name}": raw for name, raw in build_statements(federation).items()}
    files |= {f"log/{name}": raw for name, raw in build_log_texts(federation).items()}
    for member in (ALPHA, BETA):
        exported = federation.export(member)
        files |= {f"bundle/{member}/{path}": raw for path, raw in exported.items()}
    return files


def build_messages(federation: Federation, *, token: str, consent: bytes) -> dict[str, bytes]:
    """Return a message of each operation and, of its replies, one of each kind."""
    name = encode_b64u(consent)
    delivered: JsonObject = {
        "token": token, "subject": str(SUBJECT), "salt": encode_b64u(SUBJECT_SALT),
    }  # fmt: skip
    query: JsonObject = {
        "v": 1, "kind": "query", "consent": name, "purpose": "P1", "metrics": list(METRICS),
        "last_months": 12,
    }  # fmt: skip
    held: JsonObject = {"consent": name, "state": "active", "seq": 0}
    put, put_held = run(
        federation,
        Body(op="consent.put", content=write("consent-put", consents=[delivered]), bct=of("put")),
        Body(op="answer", content=write("consent-held", consents=[held]), bct="held", code="held"),
        consents=(consent,),
    )
    asked, answer = run(
        federation,
        Body(op="query", content=query, bct=of("query")),
        Body(op="answer", content=SUMMARY, bct=of("summary"), code="full", use=1),
        consents=(consent,),
        purpose="P1",
    )
    refused, problem = run(
        federation,
        Body(op="query", content={**query, "purpose": "P2"}, bct=of("query")),
        Body(op="problem", content=PROBLEM, bct=PROBLEM_TYPE, code=REFUSED, st=REFUSED),
        consents=(consent,),
        purpose="P2",
    )
    receipt, receipt_held = run(
        federation,
        Body(
            op="receipt",
            content=parse_object(format_receipt([answer.msg_hash])),
            bct=RECEIPT_CONTENT_TYPE,
        ),
        Body(
            op="answer",
            content=write("receipt-held", answers=1),
            bct=of("receipt-held"),
            code="receipt",
        ),
    )
    messages = {
        "consent-put": put, "consent-put.answer": put_held, "query": asked, "query.answer": answer,
        "query-refused": refused, "query-refused.problem": problem, "receipt": receipt,
        "receipt.answer": receipt_held,
    }  # fmt: skip
    written = {label: message.to_bytes() for label, message in messages.items()}
    # The others stand in logs of their own: the bundles hold what every auditor of version 1 reads.
    return written | build_later_messages(consent, asked=asked, answer=answer)


PROBLEM: JsonObject = {
    "type": "urn:chengxin:problem:purpose-mismatch",
    "title": "The consent was given for another purpose",
    "status": 403,
    "detail": "the consent names another purpose",
    "code": "purpose-mismatch",
    "source": "caller",
}
REFUSED = "purpose-mismatch"


def build_later_messages(
    consent: bytes, *, asked: WireMessage, answer: WireMessage
) -> dict[str, bytes]:
    """Return push, correct, erase, poll, their replies, a deferred answer and a batch."""
    name = encode_b64u(consent)
    item: JsonObject = {"consent": name, "metrics": ["index"], "last_months": 12}
    changed: JsonObject = {"consent": name, "changed": ["index"], "summary": SUMMARY}
    superseded: JsonObject = {
        "supersedes": encode_b64u(answer.msg_hash), "consent": name, "reason": "records-corrected",
    }  # fmt: skip
    told: JsonObject = {"consent": name, "code": "full", "summary": SUMMARY}
    bodies: dict[str, tuple[Body, Body]] = {
        "push": (
            Body(op="push", content=write("push", **changed), bct=of("push")),
            Body(op="ack", content={}, bct=of("ack"), code="200"),
        ),
        "correct": (
            Body(op="correct", content=write("correct", **superseded), bct=of("correct")),
            Body(op="ack", content={}, bct=of("ack"), code="200"),
        ),
        "erase": (
            Body(
                op="erase",
                content=write("erase", basis="request", answers=[encode_b64u(answer.msg_hash)]),
                bct=of("erase"),
            ),
            Body(op="ack", content={}, bct=of("ack"), code="200"),
        ),
        "poll": (
            Body(
                op="poll",
                content=write("poll", request=encode_b64u(asked.msg_hash)),
                bct=of("poll"),
            ),
            Body(
                op="answer",
                content=write("accepted", poll_after_s=60),
                bct=of("accepted"),
                code="accepted",
                st="202",
            ),
        ),
        "query-batch": (
            Body(
                op="query",
                content=write("query-batch", purpose="P1", items=[item]),
                bct=of("query-batch"),
            ),
            Body(
                op="answer",
                content=write("summary-batch", items=[told]),
                bct=of("summary-batch"),
                code="batch",
                use=1,
            ),
        ),
    }
    written: dict[str, bytes] = {}
    for label, (request, reply) in bodies.items():
        named = () if request.op in {"erase", "poll"} else (consent,)
        sent, came = run(Federation(ALPHA, BETA), request, reply, consents=named)
        written[label] = sent.to_bytes()
        written[f"{label}.{reply.op}"] = came.to_bytes()
    return written


def run(
    federation: Federation,
    request: Body,
    reply: Body,
    *,
    consents: tuple[bytes, ...] = (),
    purpose: str = "-",
) -> tuple[WireMessage, WireMessage]:
    """Play one exchange from alpha to beta and return both messages."""
    asked = federation.request(
        ALPHA,
        BETA,
        op=request.op,
        body=canonical_json(request.content),
        purpose=purpose,
        consents=consents,
        change=lambda envelope: replace(envelope, bct=request.bct),
    )
    content = reply.content or write("ack", of=encode_b64u(asked.request.msg_hash))
    decide(federation, asked, replace(reply, content=content))
    federation.receive(asked)
    assert asked.answer is not None

    return asked.request, asked.answer


def decide(federation: Federation, asked: Asked, body: Body) -> None:
    """Have beta answer, with a body of its own."""
    request, member = asked.envelope, federation.members[BETA]
    raw, salt = canonical_json(body.content), federation.random(32)
    envelope = Envelope(
        iss=BETA,
        aud=ALPHA,
        jti=request.jti,
        iat=federation.now_s,
        exp=federation.now_s + 300,
        op=body.op,
        bd=digest_body(raw, salt=salt),
        blen=len(raw),
        bct=of(body.bct),
        reg=federation.reference(),
        n=member.next_n(ALPHA),
        head=member.log.head(),
        consents=request.consents,
        req=asked.request.msg_hash,
        st=body.st,
    )
    message = WireMessage(
        env=seal_envelope(envelope, key=member.key), body=raw, salt=salt, inclusion=""
    )
    entry = ExchangeEntry(
        at_ms=federation.now_s * 1000,
        xid=request.jti,
        peer=ALPHA,
        peer_n=request.n,
        n=envelope.n,
        op=request.op,
        msg=asked.request.msg_hash,
        ans=message.msg_hash,
        code=body.code,
        use=body.use,
        consents=request.consents,
        head=request.head,
        codes=("full",) * len(request.consents) if body.code == "batch" else (),
    )
    index = member.log.append(format_entry(entry))
    asked.reply = envelope
    asked.answer = replace(message, inclusion=member.log.prove(index))
    member.heads[ALPHA] = asked.request.inclusion.partition("\n\n")[2]
    member.records.append(Record(side="in", request=asked.request, answer=asked.answer))


def of(name: str) -> str:
    """Return the media type of a body."""
    if "/" in name:
        return name
    return TYPE.format({"put": "consent-put", "held": "consent-held"}.get(name, name))


def write(kind: str, **members: object) -> JsonObject:
    """Return a body of version 1."""
    body: JsonObject = parse_object(json.dumps({"v": 1, "kind": kind, **members}).encode())
    return body
