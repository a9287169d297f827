"""One message and its reply between two nodes: refused for its form, repeated, or the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.http.problems import status_of
from node.sharing.answering import Reply
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry
from protocol.errors import ProtocolError
from protocol.limits import (
    CONSENTS_PER_MESSAGE_MAX,
    ENVELOPE_BYTES_MAX,
    INCLUSION_BYTES_MAX,
    JSON_DEPTH_MAX,
    JSON_INTEGER_MAX,
    JTI_BYTES,
    MESSAGE_BYTES_MAX,
)
from protocol.problems import PROBLEMS
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from schemas.exchange import ProblemBody
from tests.support.exchanges import (
    Scene,
    build_scene,
    deliver,
    observe,
    query_body,
    write_invoices,
    write_put,
)
from tests.support.forging import Forgery, forge, outer_members
from tests.support.nodes import OTHER_SUBJECT, OTHER_SUBJECT_KEY

JTI = b"\x2a" * JTI_BYTES
HASH = encode_b64u(b"\x11" * 32)


@pytest.fixture
def consent(scene: Scene) -> bytes:
    return scene.hold(scene.grant())


def refuse(scene: Scene, raw: bytes, *, code: str) -> None:
    """Send and check that an unsigned problem is all that comes of it."""
    before = observe(scene.provider)

    with pytest.raises(ProtocolError) as refusal:
        scene.provider.answer(raw)

    assert (refusal.value.code, status_of(refusal.value)) == (code, PROBLEMS[code].status)
    assert observe(scene.provider) == before


def refuse_logged(scene: Scene, raw: bytes, *, code: str) -> Reply:
    """Send and check that a signed, logged problem is all that comes of it."""
    before = observe(scene.provider)

    reply = scene.provider.answer(raw)

    assert reply.code == code
    assert scene.open(reply, raw).st == code
    after = observe(scene.provider)
    assert after.entries[:-1] == before.entries
    entry = after.last
    assert isinstance(entry, ExchangeEntry)
    assert (entry.code, entry.use) == (code, 0)
    assert after.tables["consent"] == before.tables["consent"]
    return reply


WRONG_CLAIMS: dict[str, list[JsonValue]] = {
    "v": ["1", -1, True],
    "iss": ["", 1, "x" * 254, "al\npha"],
    "aud": ["", 1, "x" * 254],
    "jti": ["", encode_b64u(b"short"), "=" * 22, 7],
    "iat": ["1", -1, True],
    "exp": ["1", -1],
    "op": ["ask", "", 1],
    "bd": [encode_b64u(b"short"), 1],
    "blen": ["1", -1],
    "bct": ["", 1, "x" * 129],
    "reg": [1, {}, {"seq": 0, "hash": HASH}, {"seq": 1, "hash": HASH, "more": 1}],
    "n": ["1", -1],
    "head": [1, {}, {"size": -1, "root": HASH}, {"size": 1, "root": HASH, "more": 1}],
    "consents": [1, ["x"], [HASH, HASH], [1]],
    "st": ["200"],
    "req": [HASH],
    "unknown": [1],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_CLAIMS.items() for value in values]
)
def test_a_claim_of_another_form_is_malformed(
    scene: Scene, consent: bytes, name: str, value: JsonValue
) -> None:
    forgery = replace(scene.query(consent), claims=lambda claims: claims.update({name: value}))

    refuse(scene, scene.forge(forgery), code="malformed")


@pytest.mark.parametrize("name", [*WRONG_CLAIMS][:-3])
def test_a_missing_claim_is_malformed(scene: Scene, consent: bytes, name: str) -> None:
    def drop(claims: JsonObject) -> None:
        del claims[name]

    refuse(scene, scene.forge(replace(scene.query(consent), claims=drop)), code="malformed")


# Of the right form and not what was meant, and what the receiver says to it.
OTHER_CLAIMS: list[tuple[str, JsonValue, str]] = [
    ("v", 0, "unsupported-version"),
    ("v", 2, "unsupported-version"),
    ("iss", "beta.example", "wrong-issuer"),
    ("aud", "alpha.example", "wrong-audience"),
    ("iat", JSON_INTEGER_MAX, "life-too-long"),
    ("exp", 1, "life-too-long"),
    ("op", "consent.put", "wrong-type"),
    ("bd", HASH, "body-mismatch"),
    ("blen", 1, "body-mismatch"),
    ("bct", "application/json", "schema"),
    ("reg", {"seq": 1, "hash": HASH}, "registry-unknown"),
    ("reg", {"seq": 2, "hash": HASH}, "registry-unknown"),
    ("n", 7, "bad-inclusion"),
    ("consents", [], "schema"),
    ("consents", [HASH], "schema"),
]


@pytest.mark.parametrize(("name", "value", "code"), OTHER_CLAIMS)
def test_a_claim_that_says_something_else_is_refused(
    scene: Scene, consent: bytes, name: str, value: JsonValue, code: str
) -> None:
    forgery = replace(scene.query(consent), claims=lambda claims: claims.update({name: value}))
    raw = scene.forge(forgery)

    if code in {"unsupported-version", "wrong-issuer", "wrong-audience", "wrong-type"}:
        refuse(scene, raw, code=code)
    else:
        refuse_logged(scene, raw, code=code)


def test_a_message_id_that_its_log_entry_does_not_name_is_refused(
    scene: Scene, consent: bytes
) -> None:
    other: JsonValue = encode_b64u(JTI)
    forgery = replace(scene.query(consent), claims=lambda claims: claims.update(jti=other))

    refuse_logged(scene, scene.forge(forgery), code="bad-inclusion")


def test_the_proof_of_another_message_is_refused(scene: Scene, consent: bytes) -> None:
    other = forge(scene.consumer, scene.query(consent), audience="beta.example")
    forgery = replace(scene.query(consent), inclusion=other.inclusion)

    refuse_logged(scene, scene.forge(forgery), code="bad-inclusion")


def write_outer(scene: Scene, consent: bytes) -> dict[str, str]:
    return outer_members(forge(scene.consumer, scene.query(consent), audience="beta.example"))


@pytest.mark.parametrize("name", ["env", "body", "salt", "inclusion"])
def test_a_missing_member_of_the_message_is_malformed(
    scene: Scene, consent: bytes, name: str
) -> None:
    outer = write_outer(scene, consent)
    del outer[name]

    refuse(scene, canonical_json({**outer}), code="malformed")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("env", 1),
        ("env", "ä.ö.ü"),
        ("env", "one.two"),
        ("body", "***"),
        ("salt", encode_b64u(bytes(16))),
        ("inclusion", []),
        ("unknown", "x"),
    ],
)
def test_a_member_of_another_form_is_malformed(
    scene: Scene, consent: bytes, name: str, value: JsonValue
) -> None:
    outer: JsonObject = {**write_outer(scene, consent)}
    outer[name] = value

    refuse(scene, canonical_json(outer), code="malformed")


def test_too_much_of_anything_is_too_large(scene: Scene, consent: bytes) -> None:
    outer: JsonObject = {**write_outer(scene, consent)}

    for raw in (
        b" " * (MESSAGE_BYTES_MAX + 1),
        canonical_json({**outer, "env": "x" * (ENVELOPE_BYTES_MAX + 1)}),
        canonical_json({**outer, "inclusion": "x" * (INCLUSION_BYTES_MAX + 1)}),
    ):
        refuse(scene, raw, code="too-large")


def test_a_message_of_exactly_the_limit_is_read(scene: Scene, consent: bytes) -> None:
    raw = scene.forge(scene.query(consent))

    reply = scene.provider.answer(raw + b" " * (MESSAGE_BYTES_MAX - len(raw)))

    assert reply.code == "full"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b'{"env":"x","env":"y","body":"","salt":"","inclusion":""}',
        b'{"env":' + b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1) + b"}",
        b'{"env":1.5,"body":"","salt":"","inclusion":""}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_malformed(scene: Scene, raw: bytes) -> None:
    refuse(scene, raw, code="malformed")


DEEP = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "member twice": lambda raw: raw[:-1] + b',"v":1}',
    "deep": lambda raw: raw[:-1] + b',"x":' + DEEP + b"}",
    "fraction": lambda raw: raw[:-1] + b',"x":1.0}',
    "null": lambda raw: raw[:-1] + b',"x":null}',
    "cut": lambda raw: raw[:-1],
    "list": lambda _raw: b"[]",
    "not UTF-8": lambda _raw: b"\xff",
    "unknown member": lambda raw: raw[:-1] + b',"x":1}',
}


@pytest.mark.parametrize("name", SPOILED)
def test_claims_outside_the_subset_are_malformed(scene: Scene, consent: bytes, name: str) -> None:
    forgery = replace(scene.query(consent), payload=SPOILED[name])

    refuse(scene, scene.forge(forgery), code="malformed")


@pytest.mark.parametrize("name", SPOILED)
def test_a_body_outside_the_subset_breaks_its_schema(
    scene: Scene, consent: bytes, name: str
) -> None:
    forgery = Forgery(body=SPOILED[name](query_body(consent)), consents=(consent,))

    refuse_logged(scene, scene.forge(forgery), code="schema")


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"kind": "consent-put"},
        {"consent": "x"},
        {"purpose": ""},
        {"purpose": 1},
        {"metrics": []},
        {"metrics": ["salary"]},
        {"metrics": "delay"},
        {"last_months": 6},
        {"last_months": "12"},
        {"unknown": 1},
    ],
)
def test_a_member_of_the_body_that_is_wrong_breaks_its_schema(
    scene: Scene, consent: bytes, changes: dict[str, JsonValue]
) -> None:
    body = query_body(consent, **changes)

    refuse_logged(scene, scene.forge(Forgery(body=body, consents=(consent,))), code="schema")


@pytest.mark.parametrize("op", ["answer", "problem", "ack"])
def test_a_reply_is_no_request(scene: Scene, consent: bytes, op: str) -> None:
    def add_reply_claims(claims: JsonObject) -> None:
        claims.update(req=HASH, st="200")

    forgery = replace(scene.query(consent), op=op, claims=add_reply_claims)

    refuse_logged(scene, scene.forge(forgery), code="schema")


@pytest.mark.parametrize("op", ["push", "correct", "poll", "erase"])
def test_an_operation_that_is_not_answered_here_breaks_the_schema(
    scene: Scene, consent: bytes, op: str
) -> None:
    refuse_logged(scene, scene.forge(replace(scene.query(consent), op=op)), code="schema")


def test_a_refusal_may_name_a_hundred_consents(scene: Scene, consent: bytes) -> None:
    many = tuple(bytes([index]) * 32 for index in range(CONSENTS_PER_MESSAGE_MAX))
    forgery = replace(scene.query(consent), consents=many)

    refuse_logged(scene, scene.forge(forgery), code="schema")


def test_the_same_bytes_get_the_same_bytes_and_are_counted_once(
    scene: Scene, consent: bytes
) -> None:
    raw = scene.forge(scene.query(consent))
    first = scene.provider.answer(raw)
    before = observe(scene.provider)

    again = [scene.provider.answer(raw) for _ in range(3)]

    assert [reply.message.to_bytes() for reply in again] == [first.message.to_bytes()] * 3
    assert {(reply.status, reply.code) for reply in again} == {(200, "full")}
    assert observe(scene.provider) == before
    assert scene.find(consent).uses == 1


def test_a_stored_answer_is_repeated_whatever_has_happened_since(
    scene: Scene, consent: bytes
) -> None:
    raw = scene.forge(scene.query(consent))
    first = scene.provider.answer(raw)
    scene.drain()
    scene.federation.clock.advance_s(3_600)
    scene.drain()

    again = scene.provider.answer(raw)

    assert again.message == first.message
    assert scene.find(consent).uses == 1


def test_a_refusal_is_repeated_too(scene: Scene) -> None:
    raw = scene.forge(scene.query(b"\x99" * 32))
    first = scene.provider.answer(raw)
    size = scene.provider.writer.state.edge.size

    again = scene.provider.answer(raw)

    assert (again.message, again.status) == (first.message, 403)
    assert scene.provider.writer.state.edge.size == size


def test_the_same_bytes_at_once_are_decided_once(scene: Scene, consent: bytes) -> None:
    raw = scene.forge(scene.query(consent))
    size = scene.provider.writer.state.edge.size

    async def send_all() -> list[Reply]:
        return await asyncio.gather(*(scene.provider.answering.answer(raw) for _ in range(8)))

    replies = asyncio.run(send_all())

    assert len({reply.message.to_bytes() for reply in replies}) == 1
    assert scene.find(consent).uses == 1
    assert scene.provider.writer.state.edge.size == size + 1


def test_a_message_id_used_for_another_message_is_refused_each_time(
    scene: Scene, consent: bytes
) -> None:
    scene.send(replace(scene.query(consent), jti=JTI))
    other = scene.forge(replace(scene.query(consent, last_months=3), jti=JTI))

    first = refuse_logged(scene, other, code="replay-mismatch")
    second = refuse_logged(scene, other, code="replay-mismatch")

    assert first.status == 409
    assert first.message != second.message
    assert scene.find(consent).uses == 1


def test_two_messages_of_one_id_at_once_are_one_answer_and_one_refusal(
    scene: Scene, consent: bytes
) -> None:
    raws = [
        scene.forge(replace(scene.query(consent, metrics=[*metrics]), jti=JTI))
        for metrics in (["delay"], ["delay", "money"])
    ]

    async def send_all() -> list[Reply]:
        return await asyncio.gather(*(scene.provider.answering.answer(raw) for raw in raws))

    codes = sorted(reply.code for reply in asyncio.run(send_all()))

    assert codes == ["full", "replay-mismatch"]
    assert scene.find(consent).uses == 1


def test_the_message_ids_of_two_members_do_not_meet(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, member_count=3)
    consent = scene.hold(scene.grant())
    other = scene.hold(scene.grant(lambda given: replace(given, consumer="gamma.example")))
    gamma = Scene(
        federation=scene.federation, consumer=scene.federation.nodes[2], provider=scene.provider
    )

    codes = [
        scene.send(replace(scene.query(consent), jti=JTI)).code,
        gamma.send(replace(gamma.query(other), jti=JTI)).code,
    ]

    scene.federation.close()
    assert codes == ["full", "full"]


def test_a_quota_refusal_is_logged_once_a_minute_and_is_no_stored_answer(
    scene: Scene, consent: bytes
) -> None:
    raw = scene.forge(scene.query(consent))
    scene.drain()
    first = refuse_logged(scene, raw, code="quota")
    before = observe(scene.provider)

    second = scene.provider.answer(raw)

    assert ProblemBody.from_bytes(second.message.body).retry_after == 1
    assert (first.status, second.status, second.code) == (429, 429, "quota")
    assert (second.message.inclusion, scene.open(second, raw).n) == ("", 0)
    assert observe(scene.provider) == before
    scene.federation.clock.advance_s(60)
    scene.drain()
    assert scene.provider.answer(raw).message.inclusion != ""
    scene.federation.clock.advance_s(1)
    assert scene.provider.answer(raw).code == "full"
    assert scene.find(consent).uses == 1


def test_nothing_to_tell_and_nothing_that_may_be_told_look_the_same(scene: Scene) -> None:
    # The other subject has two invoices: a class at most, and this consent does not name it.
    content = write_invoices(OTHER_SUBJECT, count=2).encode()
    nothing = build_scene(scene.federation.folder / "nothing", invoices=0)
    scene.provider.local.records.import_file(content, file_name="two.csv")
    commitment = scene.federation.registry.subjects[1].commitment
    withheld = scene.grant(lambda given: replace(given, subject=commitment))
    delivered = deliver(withheld, key=OTHER_SUBJECT_KEY, subject=OTHER_SUBJECT)

    bodies = []
    for told, held in (
        (scene, delivered),
        (nothing, deliver(nothing.grant())),
    ):
        assert told.send(write_put(held)).code == "held"
        name = hash_consent(held.token)
        raw = told.forge(told.query(name, metrics=["delay", "money"]))
        reply = told.provider.answer(raw)
        assert (reply.code, reply.status) == ("no-answer", 404)
        assert told.find(name).uses == 1
        bodies.append((reply.message.body, len(reply.message.to_bytes())))

    nothing.federation.close()
    assert bodies[0] == bodies[1]
