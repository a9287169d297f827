"""What a question asked of its consent, as far as body and logs show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from protocol.audit.evidence import Case
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.consent import Consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError, SchemaError
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, HASH_BYTES
from protocol.purpose import METRICS
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, parse_object

PURPOSE_CHARACTERS_MAX = 8
_KINDS = frozenset({"query", "query-batch", "push"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownQuery:
    """Purpose, metrics, range; what is not shown is the consent's own, and ``lines`` say so."""

    purpose: str
    metrics: Sequence[str]
    last_months: int
    lines: tuple[Evidence, ...] = ()


def read_query(case: Case, *, consent: Consent, name: bytes) -> ShownQuery:
    """Return what was asked, from a body that is the signed one, else from the asker's log."""
    logged = {known.entry.purpose for known in case.asked}
    purpose = next(iter(sorted(logged)), consent.purpose.code)
    for one in case.requests:
        envelope = one.opened.verified
        if envelope is None or one.copy.body is None:
            continue
        try:
            body = case.verify_shown_body(one.copy, envelope)
            shown = parse_query(body, name=name, last_months=consent.last_months, purpose=purpose)
        except ProtocolError as err:
            return _stand_in(consent, purpose, _fail(err.code, err.detail, one.place))
        if logged and shown.purpose not in logged:
            detail = "the asker logged another purpose than it asked for"
            return _stand_in(consent, purpose, _fail("purpose-mismatch", detail, one.place))
        return shown
    shown_in = "its purpose is in the asker's log" if logged else "its purpose is not shown either"
    line = Evidence(
        outcome=Outcome.NOT_SHOWN,
        code="query-not-shown",
        text=f"metrics and range of the question are erased or redacted; {shown_in}",
    )
    return _stand_in(consent, purpose, line)


def compare_batch(case: Case, codes: Sequence[str]) -> tuple[Evidence, ...]:
    """Compare the codes that a log states of a batch with those of an answer that is shown."""
    for one in case.answers:
        envelope = one.opened.verified
        if envelope is None or one.copy.body is None:
            continue
        try:
            body = case.verify_shown_body(one.copy, envelope)
            answered = _parse_summary_batch(body)
        except ProtocolError as err:
            return (_fail(err.code, err.detail, one.place),)
        if answered != list(zip(envelope.consents, codes, strict=False)):
            detail = "the log states other outcomes than the answer has"
            return (_fail("batch-mismatch", detail, one.place),)
        return ()
    return ()


def _stand_in(consent: Consent, purpose: str, line: Evidence) -> ShownQuery:
    return ShownQuery(
        purpose=purpose,
        metrics=consent.metrics,
        last_months=consent.last_months,
        lines=(line,),
    )


@lru_cache(maxsize=4096)  # Under one consent the same is asked again and again.
def parse_query(body: bytes, *, name: bytes, last_months: int, purpose: str) -> ShownQuery:
    """Read what a question asks under one consent; a push states neither purpose nor range.

    Raises:
        ProtocolError: It asks nothing under it, or not in the form of a question.
    """
    whole = parse_object(body)
    reader = ShapeReader(whole, what="query")
    reader.integer("v", low=1, high=1)
    kind = reader.choice("kind", _KINDS)
    if kind == "query":
        reader.choice("consent", {encode_b64u(name)})
        return _take_query(reader, reader)
    if kind == "query-batch":
        return _take_query(reader, _get_item(reader, name=name))
    reader.choice("consent", {encode_b64u(name)})
    return ShownQuery(
        purpose=purpose,
        metrics=reader.texts("changed", count_max=len(METRICS)),
        last_months=last_months,
    )


def _take_query(reader: ShapeReader, item: ShapeReader) -> ShownQuery:
    return ShownQuery(
        purpose=reader.text("purpose", characters_max=PURPOSE_CHARACTERS_MAX),
        metrics=item.texts("metrics", count_max=len(METRICS)),
        last_months=item.integer("last_months", low=1),
    )


def _get_item(reader: ShapeReader, *, name: bytes) -> ShapeReader:
    for value in reader.items("items", count_max=CONSENTS_PER_MESSAGE_MAX):
        item = ShapeReader(value, what="query.items")
        if item.take("consent") == encode_b64u(name):
            return item
    raise SchemaError("query.items: none names the consent")


def _parse_summary_batch(body: bytes) -> list[tuple[bytes, str]]:
    whole: JsonObject = parse_object(body)
    reader = ShapeReader(whole, what="batch")
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {"summary-batch"})
    answered: list[tuple[bytes, str]] = []
    for value in reader.items("items", count_max=CONSENTS_PER_MESSAGE_MAX):
        item = ShapeReader(value, what="batch.items")
        consent = decode_b64u(item.text("consent"), bytes_exact=HASH_BYTES)
        answered.append((consent, item.text("code", characters_max=64)))
    return answered


def _fail(code: str, detail: str, place: Place) -> Evidence:
    text = f"what was asked does not hold: {detail}"
    return Evidence(outcome=Outcome.FAILS, code=code, text=text, place=place)
