"""What a question asked of its consent, as far as body and logs show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.audit.evidence import Case
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.consent import Consent
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.message import check_body
from protocol.purpose import METRICS
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

PURPOSE_CHARACTERS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownQuery:
    """Purpose, metrics, range; what is not shown is the consent's own, and ``lines`` say so."""

    purpose: str
    metrics: Sequence[str]
    last_months: int
    lines: tuple[Evidence, ...] = ()


def find_query(case: Case, *, consent: Consent, name: bytes) -> ShownQuery:
    """Return what was asked, from a body that is the signed one, else from the asker's log."""
    logged = {known.entry.purpose for known in case.asked}
    purpose = next(iter(sorted(logged)), consent.purpose.code)
    for one in case.requests:
        envelope, body, salt = one.opened.verified, one.copy.body, one.copy.salt
        if envelope is None or body is None or salt is None:
            continue
        try:
            check_body(envelope, body=body, salt=salt)
            shown = _parse_query(body, name=name)
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


def _stand_in(consent: Consent, purpose: str, line: Evidence) -> ShownQuery:
    return ShownQuery(
        purpose=purpose,
        metrics=consent.metrics,
        last_months=consent.last_months,
        lines=(line,),
    )


def _parse_query(body: bytes, *, name: bytes) -> ShownQuery:
    reader = ShapeReader(parse_object(body), what="query")
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {"query"})
    reader.choice("consent", {encode_b64u(name)})
    return ShownQuery(
        purpose=reader.text("purpose", characters_max=PURPOSE_CHARACTERS_MAX),
        metrics=reader.texts("metrics", count_max=len(METRICS)),
        last_months=reader.integer("last_months", low=1),
    )


def _fail(code: str, detail: str, place: Place) -> Evidence:
    text = f"what was asked does not hold: {detail}"
    return Evidence(outcome=Outcome.FAILS, code=code, text=text, place=place)
