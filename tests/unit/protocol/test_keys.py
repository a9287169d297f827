import pytest

from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, SignatureInvalidError
from protocol.keys import (
    PublicKey,
    SigningKey,
    WeakKeyError,
    check_enrolment_point,
    parse_public_jwk,
)
from protocol.strict_json import JsonValue

SEED = bytes(range(32))
KEY = SigningKey(SEED)
MESSAGE = b"an invoice is not evidence, a signature is"


def test_a_signature_verifies_under_its_key() -> None:
    KEY.public.verify(MESSAGE, KEY.sign(MESSAGE))


def test_signing_is_deterministic() -> None:
    assert SigningKey(SEED).sign(MESSAGE) == KEY.sign(MESSAGE)


def test_a_signature_does_not_verify_under_another_key() -> None:
    other = SigningKey(bytes(32))

    with pytest.raises(SignatureInvalidError):
        other.public.verify(MESSAGE, KEY.sign(MESSAGE))


def test_a_signature_does_not_verify_for_another_message() -> None:
    with pytest.raises(SignatureInvalidError):
        KEY.public.verify(MESSAGE + b".", KEY.sign(MESSAGE))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    # Cut or lengthened, it would shift bytes between signature and message.
    signature = (KEY.sign(MESSAGE) + b"\x00")[:length]

    with pytest.raises(SignatureInvalidError, match="64 bytes"):
        KEY.public.verify(MESSAGE, signature)


def test_a_byte_moved_from_the_message_to_the_signature_is_refused() -> None:
    with pytest.raises(SignatureInvalidError):
        KEY.public.verify(MESSAGE[1:], KEY.sign(MESSAGE) + MESSAGE[:1])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        SigningKey(bytes(length))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        PublicKey(bytes(length))


def test_a_key_pair_never_shows_its_secret() -> None:
    shown = repr(KEY) + str(KEY)

    assert repr(SEED)[2:-1] not in shown
    assert SEED.hex() not in shown
    assert encode_b64u(SEED) not in shown
    assert KEY.seed == SEED


def test_equal_seeds_give_equal_pairs() -> None:
    assert SigningKey(SEED) == KEY
    assert SigningKey(bytes(32)) != KEY


def test_the_pair_and_its_public_half_have_one_name() -> None:
    assert KEY.kid == KEY.public.kid
    assert len(KEY.kid) == 43


def test_a_public_key_survives_its_jwk() -> None:
    assert parse_public_jwk(KEY.public.jwk) == KEY.public


def test_the_jwk_holds_nothing_but_the_required_members() -> None:
    assert set(KEY.public.jwk) == {"crv", "kty", "x"}


X = encode_b64u(KEY.public.raw)


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param([], id="no object"),
        pytest.param("x", id="a text"),
        pytest.param({}, id="empty"),
        pytest.param({"crv": "Ed25519", "kty": "OKP"}, id="x missing"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": X, "d": X}, id="a private key"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": X, "alg": "EdDSA"}, id="decorated"),
        pytest.param({"crv": "X25519", "kty": "OKP", "x": X}, id="another curve"),
        pytest.param({"crv": "Ed25519", "kty": "EC", "x": X}, id="another kind"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": 1}, id="x is no text"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": X + "="}, id="padded"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": X[:-2]}, id="too short"),
        pytest.param({"crv": "Ed25519", "kty": "OKP", "x": X + "AAAA"}, id="too long"),
    ],
)
def test_another_jwk_is_refused(jwk: JsonValue) -> None:
    with pytest.raises(MalformedError):
        parse_public_jwk(jwk)


def test_a_proper_key_may_be_enrolled() -> None:
    check_enrolment_point(KEY.public)


LOW_ORDER_POINTS_HEX = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)


@pytest.mark.parametrize("point_hex", LOW_ORDER_POINTS_HEX)
def test_a_point_of_low_order_is_not_enrolled(point_hex: str) -> None:
    with pytest.raises(WeakKeyError):
        check_enrolment_point(PublicKey(bytes.fromhex(point_hex)))


def test_bytes_that_are_no_point_are_not_enrolled() -> None:
    with pytest.raises(WeakKeyError):
        check_enrolment_point(PublicKey(b"\x02" + bytes(31)))
