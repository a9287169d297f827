"""Copies of others' messages in the bundle of a third party.

An intact copy is evidence, whoever shows it. A broken one says something of the bundle that it is
in and nothing of the exchange: anybody can break a copy of what two others said.
"""

from __future__ import annotations

from protocol.audit.evidence import Cases, ExchangeKey, SeenCopy
from protocol.audit.findings import Finding, Outcome
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry, RequestEntry
from protocol.errors import ProtocolError
from protocol.message import Envelope, check_body


def add_record(
    cases: Cases, key: ExchangeKey, request: SeenCopy, answer: SeenCopy | None
) -> tuple[Finding, ...]:
    """Give the copies of a record to its exchange, or return what is broken in a third party's."""
    if request.holder not in {key.consumer, key.provider}:
        for what, one in (("request", request), ("answer", answer)):
            detail = None if one is None else _find_fault(one, what=what)
            if one is not None and detail is not None:
                return (_describe(key, one, what=what, detail=detail),)
    cases.add_record(key, request, answer)
    return ()


def _describe(key: ExchangeKey, one: SeenCopy, *, what: str, detail: str) -> Finding:
    whose = one.holder or "a member that cannot be told"
    return Finding(
        outcome=Outcome.FAILS,
        code="stranger-broken",
        text=f"the bundle of {whose} holds a broken copy of the {what} of exchange "
        f"{encode_b64u(key.xid)} between {key.consumer} and {key.provider}, which is not "
        f"judged by it: {detail}",
        place=one.place,
        exhibits=(one.copy.env,),
    )


def _find_fault(one: SeenCopy, *, what: str) -> str | None:
    envelope = one.opened.verified
    if envelope is None:
        return "" if one.opened.failure is None else one.opened.failure.detail
    proof = one.proof
    if proof is None or proof.failure is not None:
        return "" if proof is None or proof.failure is None else proof.failure.detail
    if not _is_named(one, what=what):
        return "the proof beside it is of another entry"
    return _find_body_fault(one, envelope)


def _is_named(one: SeenCopy, *, what: str) -> bool:
    entry = None if one.proof is None else one.proof.entry
    if isinstance(entry, RequestEntry):
        return what == "request" and entry.msg == one.opened.msg
    return isinstance(entry, ExchangeEntry) and what == "answer" and entry.ans == one.opened.msg


def _find_body_fault(one: SeenCopy, envelope: Envelope) -> str | None:
    if one.copy.body is None or one.copy.salt is None:
        return None
    try:
        check_body(envelope, body=one.copy.body, salt=one.copy.salt)
    except ProtocolError as err:
        return err.detail
    return None
