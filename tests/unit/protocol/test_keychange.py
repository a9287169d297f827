from dataclasses import replace
from typing import Any

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.enrolment import PossessionError
from protocol.errors import (
    IdentifierError,
    MalformedError,
    ProtocolError,
    SchemaError,
    SignatureInvalidError,
    UnknownKeyError,
)
from protocol.jws import WrongTypeError, sign_compact, split_compact
from protocol.keychange import (
    KEYCHANGE_TYP,
    KeyChange,
    SignedKeyChange,
    open_key_change,
    sign_key_change,
)
from protocol.keys import PublicKey, SigningKey, WeakKeyError
from protocol.limits import KEY_CHANGE_AHEAD_S_MAX, KEY_OVERLAP_S
from protocol.strict_json import JsonObject, canonical_json, parse_object

NOW_S = 1_790_000_000
OLD = SigningKey(sha256(b"key change: old"))
NEW = SigningKey(sha256(b"key change: new"))
OTHER = SigningKey(sha256(b"key change: other"))
LOW_ORDER = PublicKey(b"\x01" + bytes(31))

CHANGE = KeyChange(
    member="alpha.example",
    use="message",
    old=OLD.kid,
    new=NEW.public,
    iat=NOW_S,
    nbf=NOW_S + 600,
    reason="routine",
)
LOG_CHANGE = replace(CHANGE, use="log", reason="year", origin="alpha.example/chengxin/log/2")


def find_old(_change: KeyChange) -> PublicKey:
    return OLD.public


def open_change(*tokens: str) -> SignedKeyChange:
    return open_key_change(tokens, find_key=find_old)


def claims(change: KeyChange = CHANGE) -> JsonObject:
    return parse_object(split_compact(sign_key_change(change, old=OLD, new=NEW)[0]).payload)


def sign(changed: JsonObject, *, typ: str = KEYCHANGE_TYP) -> list[str]:
    return [sign_compact(canonical_json(changed), key=key, typ=typ) for key in (OLD, NEW)]


@pytest.mark.parametrize("change", [CHANGE, LOG_CHANGE], ids=["message", "log"])
def test_change_reads_back_and_is_named_by_its_payload(change: KeyChange) -> None:
    tokens = sign_key_change(change, old=OLD, new=NEW)

    opened = open_change(*tokens)

    assert opened.change == change
    assert opened.hash == sha256(split_compact(tokens[0]).payload)


def test_old_key_counts_on_for_thirty_days_beside_the_new_one() -> None:
    assert CHANGE.old_ends_at == CHANGE.nbf + KEY_OVERLAP_S == CHANGE.nbf + 30 * 86_400


def test_the_old_key_is_looked_up_by_the_whole_claim() -> None:
    asked: list[KeyChange] = []

    def refuse(change: KeyChange) -> PublicKey:
        asked.append(change)
        raise UnknownKeyError("nobody has it")

    with pytest.raises(UnknownKeyError):
        open_key_change(sign_key_change(CHANGE, old=OLD, new=NEW), find_key=refuse)

    assert asked == [CHANGE]


TOKENS = sign_key_change(CHANGE, old=OLD, new=NEW)
LATER = sign_key_change(replace(CHANGE, iat=NOW_S + 1), old=OLD, new=NEW)


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param((), id="none"),
        pytest.param(TOKENS[:1], id="old-alone"),
        pytest.param((*TOKENS, TOKENS[1]), id="three"),
        pytest.param((TOKENS[0], LATER[1]), id="two-payloads"),
    ],
)
def test_anything_but_both_signatures_over_one_payload_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(PossessionError):
        open_change(*tokens)


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(TOKENS[::-1], id="new-key-first"),
        pytest.param((TOKENS[0], TOKENS[0]), id="old-key-twice"),
        pytest.param(sign_key_change(CHANGE, old=OTHER, new=NEW), id="not-the-old-key"),
        pytest.param(sign_key_change(CHANGE, old=OLD, new=OTHER), id="not-the-new-key"),
    ],
)
def test_a_signature_by_another_key_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(SignatureInvalidError):
        open_change(*tokens)


def test_a_header_that_names_another_key_is_refused() -> None:
    # The signature is the old key's; the header is not looked at to find it, but it must not lie.
    change = replace(CHANGE, old=OTHER.kid)

    with pytest.raises(PossessionError):
        open_change(*sign_key_change(change, old=OLD, new=NEW))


def test_a_new_key_of_low_order_is_refused() -> None:
    with pytest.raises(WeakKeyError):
        open_change(*sign(claims() | {"new": LOW_ORDER.jwk}))


def test_a_statement_of_another_kind_is_refused() -> None:
    with pytest.raises(WrongTypeError):
        open_change(*sign(claims(), typ="cx-enrolment+jws"))


@pytest.mark.parametrize("name", sorted(claims(LOG_CHANGE)))
def test_a_change_that_lacks_a_claim_is_refused(name: str) -> None:
    held = claims(LOG_CHANGE)

    with pytest.raises(SchemaError):
        open_change(*sign({other: value for other, value in held.items() if other != name}))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"v": 2}, SchemaError, id="version"),
        pytest.param({"member": "Alpha"}, IdentifierError, id="member"),
        pytest.param({"use": "consent"}, SchemaError, id="use"),
        pytest.param({"new": {"crv": "Ed25519"}}, MalformedError, id="new"),
        pytest.param({"new": OLD.public.jwk}, SchemaError, id="same-key"),
        pytest.param({"nbf": NOW_S - 1}, SchemaError, id="nbf-before-iat"),
        pytest.param({"nbf": NOW_S + KEY_CHANGE_AHEAD_S_MAX + 1}, SchemaError, id="nbf-far"),
        pytest.param({"reason": "routine"}, SchemaError, id="reason-of-the-other-use"),
        pytest.param({"origin": "beta.example/log/2"}, SchemaError, id="origin-of-another"),
        pytest.param({"origin": "alpha.example/a+b"}, MalformedError, id="origin-no-key-name"),
        pytest.param({"more": 1}, SchemaError, id="unknown-claim"),
    ],
)
def test_a_log_change_with_a_wrong_claim_is_refused(
    changed: dict[str, Any], error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        open_change(*sign(claims(LOG_CHANGE) | changed))


def test_a_message_key_has_no_origin() -> None:
    with pytest.raises(SchemaError, match="origin"):
        open_change(*sign(claims() | {"origin": "alpha.example/chengxin/log/2"}))


def test_the_old_key_is_named_by_its_thumbprint() -> None:
    assert claims()["old"] == OLD.kid != encode_b64u(OLD.public.raw)
