"""Check 1 and the forms of bodies: each departure from the form, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.encoding import encode_b64u
from protocol.limits import ENVELOPE_BYTES_MAX, INCLUSION_BYTES_MAX, JSON_DEPTH_MAX
from protocol.strict_json import JsonObject, JsonValue
from tests.conformance.peer.case import CaseList, Run
from tests.conformance.peer.cases.common import (
    get_answered,
    log_as_exchange,
    refuse_signed,
    refuse_unsigned,
)
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import LEFT_OUT, QUERY_TYPE, Draft

CASES = CaseList("form")
Shape = Callable[[Draft], Draft]


def set_fields(**fields: object) -> Shape:
    return lambda draft: replace(draft, **fields)  # type: ignore[arg-type]  # a field's own kind


def set_claims(**claims: JsonValue) -> Shape:
    return lambda draft: replace(draft, claims={**draft.claims, **claims})


def set_outer(**members: JsonValue) -> Shape:
    return lambda draft: replace(draft, outer={**draft.outer, **members})


def change_payload(old: bytes, new: bytes) -> Shape:
    return lambda draft: replace(draft, payload=lambda raw: _replaced(raw, old, new))


def change_header(old: bytes, new: bytes) -> Shape:
    return lambda draft: replace(draft, header=lambda raw: _replaced(raw, old, new))


def _replaced(raw: bytes, old: bytes, new: bytes) -> bytes:
    if old not in raw:
        raise ValueError(f"the kit's own message has no {old!r}")
    return raw.replace(old, new, 1)


def nest(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def add_a_part(token: str) -> str:
    return f"{token}."


def drop_the_signature(token: str) -> str:
    return token.rpartition(".")[0]


def pad_the_signature(token: str) -> str:
    return f"{token}=="


def set_a_stray_bit(token: str) -> str:
    """Spell the last character of the signature with a bit that no byte has."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


def shorten_the_signature(token: str) -> str:
    return token[:-2]


MALFORMED: dict[str, tuple[tuple[str, ...], Shape]] = {
    "a fifth member": (("MSG-1", "GEN-3"), set_outer(extra="x")),
    "no salt": (("MSG-1", "GEN-3"), set_outer(salt=LEFT_OUT)),
    "a salt of 31 bytes": (("MSG-1",), set_outer(salt=encode_b64u(bytes(31)))),
    "an inclusion that is no text": (("MSG-1",), set_outer(inclusion=1)),
    "a body in padded base64": (("GEN-2",), set_outer(body="e30=")),
    "an envelope that is not ASCII": (("MSG-3",), set_fields(token=lambda token: f"é{token}")),
    "a token of four parts": (("KEY-8", "EXC-12"), set_fields(token=add_a_part)),
    "a token of two parts": (("KEY-8", "EXC-12"), set_fields(token=drop_the_signature)),
    "a padded signature": (("KEY-10", "GEN-2"), set_fields(token=pad_the_signature)),
    "a signature with a stray bit": (("KEY-10", "GEN-2"), set_fields(token=set_a_stray_bit)),
    "a signature of 63 bytes": (("KEY-10",), set_fields(token=shorten_the_signature)),
    "alg EdDSA": (("KEY-9",), change_header(b'"Ed25519"', b'"EdDSA"')),
    "alg none": (("KEY-9",), change_header(b'"Ed25519"', b'"none"')),
    "a header with crit": (("KEY-9",), change_header(b'{"alg"', b'{"crit":["b64"],"alg"')),
    "a header with b64": (("KEY-9",), change_header(b',"kid"', b',"b64":false,"kid"')),
    "a header with jwk": (("KEY-9",), change_header(b',"kid"', b',"jwk":{},"kid"')),
    "a header without typ": (("KEY-9",), change_header(b',"typ":"cx-query+jws"', b"")),
    "a header with alg twice": (("KEY-9",), change_header(b'{"alg"', b'{"alg":"none","alg"')),
    "a header with white space": (("KEY-9", "JSN-12"), change_header(b'{"alg"', b'{ "alg"')),
    "an array as payload": (("MSG-5",), set_fields(payload=lambda _raw: b"[]")),
    "a payload that is not UTF-8": (("JSN-2",), change_payload(b'"query"', b'"qu\xffry"')),
    "a payload cut short": (("JSN-2",), set_fields(payload=lambda raw: raw[:-1])),
    "nesting of seventeen levels": (
        ("JSN-3",),
        change_payload(b'"consents":[', b'"x":' + nest(JSON_DEPTH_MAX) + b',"consents":['),
    ),
    "nesting that exhausts a parser": (
        ("JSN-3", "JSN-4"),
        change_payload(b'"consents":[', b'"x":' + nest(5_000) + b',"consents":['),
    ),
    "a claim twice": (("JSN-5",), change_payload(b'"v":1', b'"v":1,"v":1')),
    "a claim twice deep inside": (("JSN-5",), change_payload(b'"seq":', b'"seq":1,"seq":')),
    "a fraction": (("JSN-6",), change_payload(b'"n":', b'"n":0.5,"x":')),
    "an integer with a fraction of nothing": (("JSN-6",), change_payload(b'"v":1', b'"v":1.0')),
    "an exponent": (("JSN-6",), change_payload(b'"v":1', b'"v":1e0')),
    "minus nothing": (("JSN-6",), change_payload(b'"n":', b'"n":-0,"x":')),
    "NaN": (("JSN-6",), change_payload(b'"n":', b'"n":NaN,"x":')),
    "an integer of 2^53": (
        ("JSN-7",),
        change_payload(b'"n":', b'"n":9007199254740992,"x":'),
    ),
    "null": (("JSN-8",), change_payload(b'"v":1', b'"v":1,"x":null')),
    "a name that is not ASCII": (("JSN-9",), change_payload(b'"v":1', '"v":1,"é":1'.encode())),
    "a lone surrogate": (("JSN-10",), change_payload(b'"query"', b'"\\ud800"')),
    "no claim jti": (("MSG-5", "GEN-3"), set_claims(jti=LEFT_OUT)),
    "no claim head": (("MSG-5", "GEN-3"), set_claims(head=LEFT_OUT)),
    "an unknown claim": (("MSG-5", "GEN-3"), set_claims(extra=1)),
    "an unknown member of a claim": (
        ("MSG-5", "GEN-3"),
        change_payload(b'"seq":', b'"extra":1,"seq":'),
    ),
    "a jti of 15 bytes": (("MSG-5",), set_claims(jti=encode_b64u(bytes(15)))),
    "a text as n": (("MSG-5", "GEN-3"), set_claims(n="1")),
    "an operation that is none": (("MSG-5",), set_claims(op="steal")),
    "a control character in a text": (("GEN-4",), set_claims(bct=f"{QUERY_TYPE}\x01")),
    "an empty text": (("GEN-4",), set_claims(bct="")),
    "a request with req": (("MSG-8",), set_claims(req=encode_b64u(bytes(32)))),
    "a request with st": (("MSG-8",), set_claims(st="200")),
    "a reply without req": (("MSG-7",), set_claims(op="answer", st="200")),
}
TOO_LARGE: dict[str, tuple[tuple[str, ...], Shape]] = {
    "a token over its limit": (("KEY-7", "LIM-1"), set_claims(extra="x" * ENVELOPE_BYTES_MAX)),
    "a header part over its limit": (
        ("KEY-9", "LIM-1"),
        change_header(b',"typ"', b',"pad":"' + b"x" * 512 + b'","typ"'),
    ),
    "an inclusion over its limit": (
        ("MSG-2", "LIM-1"),
        set_outer(inclusion="x" * (INCLUSION_BYTES_MAX + 1)),
    ),
}
SCHEMA: dict[str, tuple[tuple[str, ...], Callable[[Granted], JsonObject]]] = {
    "an unknown member": (("EXC-1", "EXC-29"), lambda _one: {"extra": 1}),
    "a subject in the query": (("EXC-1", "EXC-3"), lambda one: {"subject": str(one.customer)}),
    "a member missing": (("EXC-1", "EXC-29"), lambda _one: {"purpose": LEFT_OUT}),
    "another kind": (("EXC-29",), lambda _one: {"kind": "summary"}),
    "no section": (("EXC-29",), lambda _one: {"metrics": []}),
    "a section that is none": (("EXC-29",), lambda _one: {"metrics": ["limit"]}),
    "six months": (("EXC-29",), lambda _one: {"last_months": 6}),
    "another consent than the envelope's": (
        ("EXC-31",),
        lambda _one: {"consent": encode_b64u(bytes(32))},
    ),
}


def _refuse(shape: Shape, code: str) -> Run:
    def run(kit: Kit) -> None:
        draft = kit.write_query(kit.grant())
        refuse_unsigned(kit, shape(draft), code=code)

    return run


def _refuse_body(changes: Callable[[Granted], JsonObject]) -> Run:
    def run(kit: Kit) -> None:
        granted = kit.hold()
        refuse_signed(kit, kit.write_query(granted, **changes(granted)), code="schema")

    return run


for _name, (_rules, _shape) in MALFORMED.items():
    CASES.add(f"{_name} is malformed", (*_rules, "EXC-7"), _refuse(_shape, "malformed"))
for _name, (_rules, _shape) in TOO_LARGE.items():
    CASES.add(f"{_name} is too large", _rules, _refuse(_shape, "too-large"))
for _name, (_rules, _changes) in SCHEMA.items():
    CASES.add(f"{_name} breaks the schema", _rules, _refuse_body(_changes))


@CASES.case("JSN-2", "GEN-5")
def white_space_and_another_order_of_members_are_no_fault(kit: Kit) -> None:
    granted = kit.hold()

    def respell(raw: bytes) -> bytes:
        return b" " + raw.replace(b'"v":1', b'\t"v" : 1\n') + b"\r\n"

    get_answered(kit, replace(kit.write_query(granted), payload=respell))


@CASES.case("JSN-8", "EXC-29")
def a_member_that_is_null_is_not_one_that_is_absent(kit: Kit) -> None:
    granted = kit.hold()
    right = kit.write_query(granted)
    draft = replace(right, body=right.body.replace(b'"kind"', b'"deferred":null,"kind"'))

    refuse_signed(kit, draft, code="schema")


@CASES.case("EXC-27")
def length_and_digest_of_a_body_are_each_looked_at(kit: Kit) -> None:
    right = kit.write_query(kit.hold())
    of_one_length = replace(right, sent_body=right.body[:-1] + b" ")
    of_another = replace(right, claims={"blen": len(right.body) + 1})

    for draft in (of_one_length, of_another):
        refuse_signed(kit, draft, code="body-mismatch")


@CASES.case("EXC-29", "JSN-1")
def a_body_that_is_no_json_breaks_the_schema(kit: Kit) -> None:
    granted = kit.hold()

    refuse_signed(kit, Draft(body=b"{", consents=(granted.hash,)), code="schema")


@CASES.case("EXC-30")
def a_body_of_another_type_breaks_the_schema(kit: Kit) -> None:
    granted = kit.hold()

    draft = replace(kit.write_query(granted), content_type="application/json")
    refuse_signed(kit, draft, code="schema")


@CASES.case("EXC-31")
def an_envelope_that_names_no_consent_breaks_the_schema(kit: Kit) -> None:
    granted = kit.hold()

    refuse_signed(kit, replace(kit.write_query(granted), consents=()), code="schema")


@CASES.case("EXC-32", "GEN-6")
def an_operation_that_nobody_asks_for_breaks_the_schema(kit: Kit) -> None:
    claims: JsonObject = {"req": encode_b64u(bytes(32)), "st": "200"}

    # Logged as a reply has to be: nothing else is wrong with it.
    draft = Draft(body=b"{}", op="ack", claims=claims, entry=log_as_exchange)
    refuse_signed(kit, draft, code="schema")
