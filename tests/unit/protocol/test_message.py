"""Messages: outer form, envelope, and a body that can be erased."""

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.errors import (
    MalformedError,
    SchemaError,
    SignatureInvalidError,
    TooLargeError,
    UnsupportedVersionError,
)
from protocol.jws import WrongTypeError, sign_compact
from protocol.keys import SigningKey
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, INCLUSION_BYTES_MAX
from protocol.message import (
    ANSWERED,
    OPERATIONS,
    Envelope,
    LogHead,
    RegistryReference,
    WireMessage,
    check_body,
    digest_body,
    format_envelope,
    hash_envelope,
    message_typ,
    open_envelope,
    parse_envelope,
    parse_message,
    seal_envelope,
)
from protocol.problems import BodyMismatchError
from protocol.strict_json import JsonObject, canonical_json, parse_object

KEY = SigningKey(sha256(b"message test"))
BODY, SALT = b'{"v":1}', sha256(b"salt")
REQUEST = Envelope(
    iss="alpha.example",
    aud="beta.example",
    jti=bytes(range(16)),
    iat=1_790_000_000,
    exp=1_790_000_300,
    op="query",
    bd=digest_body(BODY, salt=SALT),
    blen=len(BODY),
    bct="application/json",
    reg=RegistryReference(seq=2, hash=sha256(b"registry")),
    n=7,
    head=LogHead(size=3, root=sha256(b"root")),
    consents=(sha256(b"consent"),),
)
REPLY = Envelope(
    iss="beta.example",
    aud="alpha.example",
    jti=REQUEST.jti,
    iat=1_790_000_001,
    exp=1_790_000_301,
    op="answer",
    bd=REQUEST.bd,
    blen=REQUEST.blen,
    bct=REQUEST.bct,
    reg=REQUEST.reg,
    n=3,
    head=REQUEST.head,
    req=sha256(b"request"),
    st=ANSWERED,
)
MESSAGE = WireMessage(env=seal_envelope(REQUEST, key=KEY), body=BODY, salt=SALT, inclusion="p")
LIMIT = 100_000


def read(raw: bytes) -> WireMessage:
    return parse_message(raw, bytes_max=LIMIT)


def changed(**members: object) -> bytes:
    value = parse_object(MESSAGE.to_bytes())
    value.update(members)  # type: ignore[arg-type]  # wrong on purpose
    return canonical_json(value)


# --- outer form


def test_a_message_reads_back_byte_for_byte() -> None:
    assert read(MESSAGE.to_bytes()) == MESSAGE
    assert read(MESSAGE.to_bytes()).to_bytes() == MESSAGE.to_bytes()


def test_a_message_is_named_by_its_envelope_alone() -> None:
    erased = WireMessage(env=MESSAGE.env, body=b"", salt=bytes(32), inclusion="")

    assert MESSAGE.msg_hash == erased.msg_hash == sha256(MESSAGE.env.encode())
    assert hash_envelope(MESSAGE.env) == MESSAGE.msg_hash


def test_a_message_over_its_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        parse_message(b"x" * 11, bytes_max=10)


@pytest.mark.parametrize("name", ["env", "body", "salt", "inclusion"])
def test_a_message_with_a_member_missing_or_of_another_kind_is_refused(name: str) -> None:
    value = parse_object(MESSAGE.to_bytes())
    del value[name]

    with pytest.raises(MalformedError):
        read(canonical_json(value))
    with pytest.raises(MalformedError):
        read(changed(**{name: 1}))


@pytest.mark.parametrize(
    "raw",
    [
        changed(more=""),
        changed(env="é"),
        changed(body="="),
        changed(salt=encode_b64u(bytes(31))),
        b"[]",
    ],
    ids=["unknown-member", "no-ascii", "no-base64url", "short-salt", "list"],
)
def test_a_message_of_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        read(raw)


def test_a_proof_over_its_limit_is_refused() -> None:
    with pytest.raises(TooLargeError):
        read(changed(inclusion="x" * (INCLUSION_BYTES_MAX + 1)))


# --- envelope


@pytest.mark.parametrize("envelope", [REQUEST, REPLY], ids=["request", "reply"])
def test_an_envelope_opens_to_what_was_sealed(envelope: Envelope) -> None:
    env = seal_envelope(envelope, key=KEY)

    assert open_envelope(env, op=envelope.op, find_key=lambda _: KEY.public) == envelope


def test_an_envelope_of_another_operation_is_refused_by_its_typ() -> None:
    with pytest.raises(WrongTypeError):
        open_envelope(MESSAGE.env, op="push", find_key=lambda _: KEY.public)


def test_a_typ_that_lies_about_the_operation_is_refused() -> None:
    payload = canonical_json(format_envelope(REQUEST))
    env = sign_compact(payload, key=KEY, typ=message_typ("push"))

    with pytest.raises(SchemaError, match=r"env\.op"):
        open_envelope(env, op="push", find_key=lambda _: KEY.public)


def test_an_envelope_under_another_key_is_refused() -> None:
    other = SigningKey(sha256(b"another"))

    with pytest.raises(SignatureInvalidError):
        open_envelope(MESSAGE.env, op="query", find_key=lambda _: other.public)


def test_every_operation_has_a_typ_of_its_own() -> None:
    assert len({message_typ(op) for op in OPERATIONS}) == len(OPERATIONS)
    assert message_typ("consent.put") == "cx-consent-put+jws"


@pytest.mark.parametrize("envelope", [REQUEST, REPLY], ids=["request", "reply"])
def test_an_envelope_with_a_claim_missing_is_refused(envelope: Envelope) -> None:
    claims = format_envelope(envelope)
    for name in claims:
        rest = {key: value for key, value in claims.items() if key != name}

        with pytest.raises(SchemaError):
            parse_envelope(canonical_json(rest))


WRONG_CLAIMS: list[JsonObject] = [
    {"more": 1},
    {"iss": ""},
    {"aud": "x" * 254},
    {"jti": encode_b64u(bytes(15))},
    {"iat": -1},
    {"exp": "soon"},
    {"op": "gossip"},
    {"bd": "x"},
    {"blen": -1},
    {"bct": "a\nb"},
    {"reg": {"seq": 0, "hash": encode_b64u(bytes(32))}},
    {"reg": {"seq": 1, "hash": encode_b64u(bytes(32)), "more": 1}},
    {"n": -1},
    {"head": {"size": -1, "root": encode_b64u(bytes(32))}},
    {"head": {"size": 1, "root": encode_b64u(bytes(32)), "more": 1}},
    {"consents": [encode_b64u(sha256(b"c"))] * 2},
    {"consents": [encode_b64u(bytes(31))]},
    {"consents": [encode_b64u(sha256(bytes([n]))) for n in range(CONSENTS_PER_MESSAGE_MAX + 1)]},
    {"req": encode_b64u(bytes(32)), "st": "200"},
]


@pytest.mark.parametrize("change", WRONG_CLAIMS, ids=range(len(WRONG_CLAIMS)))
def test_an_envelope_with_a_wrong_claim_is_refused(change: JsonObject) -> None:
    with pytest.raises((SchemaError, MalformedError)):
        parse_envelope(canonical_json(format_envelope(REQUEST) | change))


@pytest.mark.parametrize("st", ["201", "", "gossip"])
def test_a_reply_with_an_unknown_state_is_refused(st: str) -> None:
    with pytest.raises(SchemaError):
        parse_envelope(canonical_json(format_envelope(REPLY) | {"st": st}))


@pytest.mark.parametrize("st", ["202", "no-answer", "consent-missing"])
def test_a_reply_may_state_a_code_of_the_problem_table(st: str) -> None:
    assert parse_envelope(canonical_json(format_envelope(REPLY) | {"st": st})).st == st


def test_another_version_is_refused_as_such() -> None:
    with pytest.raises(UnsupportedVersionError):
        parse_envelope(canonical_json(format_envelope(REQUEST) | {"v": 2}))


# --- body


def test_body_and_salt_of_the_envelope_are_accepted() -> None:
    check_body(REQUEST, body=BODY, salt=SALT)


@pytest.mark.parametrize(
    ("body", "salt"), [(b'{"v":2}', SALT), (BODY, bytes(32)), (BODY + b" ", SALT), (b"", SALT)]
)
def test_another_body_or_salt_is_refused(body: bytes, salt: bytes) -> None:
    with pytest.raises(BodyMismatchError):
        check_body(REQUEST, body=body, salt=salt)


def test_the_digest_of_a_body_has_a_domain_of_its_own() -> None:
    assert digest_body(BODY, salt=SALT) == sha256(b"cx/body/v1\n" + SALT + BODY)
    assert digest_body(b"x" + BODY, salt=SALT) != digest_body(BODY, salt=SALT)
