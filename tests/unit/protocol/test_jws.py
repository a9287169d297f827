import json
from collections.abc import Callable

import pytest

from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, SignatureInvalidError, TooLargeError, UnknownKeyError
from protocol.jws import Header, WrongTypeError, open_compact, sign_compact, split_compact
from protocol.keys import PublicKey, SigningKey

KEY = SigningKey(bytes(range(32)))
TYP = "cx-query+jws"
PAYLOAD = b'{"op":"query"}'


def _find_key(kid: str) -> PublicKey:
    if kid != KEY.kid:
        raise UnknownKeyError("no such key")
    return KEY.public


def _sign_raw(header: bytes, payload: bytes = PAYLOAD) -> str:
    """Sign what our own signer would never write."""
    signing_input = f"{encode_b64u(header)}.{encode_b64u(payload)}"
    return f"{signing_input}.{encode_b64u(KEY.sign(signing_input.encode()))}"


def _header(**changes: object) -> bytes:
    members = {"alg": "Ed25519", "kid": KEY.kid, "typ": TYP} | changes
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def test_what_is_signed_opens() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ=TYP)

    assert open_compact(token, typ=TYP, find_key=_find_key) == (
        PAYLOAD,
        Header(kid=KEY.kid, typ=TYP),
    )


def test_an_empty_payload_opens() -> None:
    token = sign_compact(b"", key=KEY, typ=TYP)

    assert open_compact(token, typ=TYP, find_key=_find_key)[0] == b""


def test_the_payload_is_bytes_and_need_not_be_json() -> None:
    token = sign_compact(b"\xff\x00", key=KEY, typ=TYP)

    assert open_compact(token, typ=TYP, find_key=_find_key)[0] == b"\xff\x00"


def test_a_signature_for_one_kind_is_not_accepted_for_another() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ="cx-consent+jws")

    with pytest.raises(WrongTypeError, match="cx-consent"):
        open_compact(token, typ=TYP, find_key=_find_key)


def test_the_signature_is_checked_before_the_kind() -> None:
    # Check order 3 of the receiver: a stranger learns nothing about what would have been accepted.
    token = sign_compact(PAYLOAD, key=KEY, typ="cx-consent+jws")
    forged = token.rpartition(".")[0] + "." + encode_b64u(bytes(64))

    with pytest.raises(SignatureInvalidError):
        open_compact(forged, typ=TYP, find_key=_find_key)


def test_a_key_that_the_caller_does_not_find_is_the_callers_error() -> None:
    token = sign_compact(PAYLOAD, key=SigningKey(bytes(32)), typ=TYP)

    with pytest.raises(UnknownKeyError):
        open_compact(token, typ=TYP, find_key=_find_key)


def test_a_signature_by_another_key_under_this_kid_is_refused() -> None:
    signing_input = sign_compact(PAYLOAD, key=KEY, typ=TYP).rpartition(".")[0]
    signature = SigningKey(bytes(32)).sign(signing_input.encode())

    with pytest.raises(SignatureInvalidError):
        open_compact(f"{signing_input}.{encode_b64u(signature)}", typ=TYP, find_key=_find_key)


def test_the_base_of_these_headers_is_accepted() -> None:
    assert open_compact(_sign_raw(_header()), typ=TYP, find_key=_find_key)[0] == PAYLOAD


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(_header(alg="none"), id="alg none"),
        pytest.param(_header(alg="EdDSA"), id="the deprecated name of the algorithm"),
        pytest.param(_header(alg="HS256"), id="a symmetric algorithm"),
        pytest.param(_header(alg=["Ed25519"]), id="alg is a list"),
        pytest.param(_header(kid=1), id="kid is a number"),
        pytest.param(_header(typ=True), id="typ is no text"),
        pytest.param(_header(crit=[]), id="crit"),
        pytest.param(_header(b64=False), id="b64"),
        pytest.param(_header(jwk=KEY.public.jwk), id="an embedded key"),
        pytest.param(_header(jku="https://evil.example"), id="an address for keys"),
        pytest.param(_header(cty="json"), id="a content type"),
        pytest.param(b'{"alg":"Ed25519","typ":"cx-query+jws"}', id="kid missing"),
        pytest.param(b"{}", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"", id="nothing"),
        pytest.param(_header()[:-1] + b',"typ":"cx-query+jws"}', id="a member twice"),
        pytest.param(b'{"alg":"none",' + _header()[1:], id="alg twice"),
        pytest.param(_header() + b" ", id="white space"),
        pytest.param(_header().replace(b"query", b"\\u0071uery"), id="a needless escape"),
    ],
)
def test_a_well_signed_token_with_another_header_is_refused(header: bytes) -> None:
    with pytest.raises(MalformedError):
        open_compact(_sign_raw(header), typ=TYP, find_key=_find_key)


def test_a_long_header_is_refused() -> None:
    with pytest.raises(TooLargeError, match="header"):
        open_compact(_sign_raw(_header(typ="x" * 512)), typ=TYP, find_key=_find_key)


def test_a_token_of_the_allowed_length_opens_and_a_longer_one_is_refused() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ=TYP)

    assert open_compact(token, typ=TYP, find_key=_find_key, bytes_max=len(token))
    with pytest.raises(TooLargeError):
        open_compact(token, typ=TYP, find_key=_find_key, bytes_max=len(token) - 1)


def test_the_limit_of_a_token_is_the_envelopes_unless_told_otherwise() -> None:
    token = sign_compact(bytes(13_000), key=KEY, typ=TYP)

    with pytest.raises(TooLargeError):
        open_compact(token, typ=TYP, find_key=_find_key)
    assert open_compact(token, typ=TYP, find_key=_find_key, bytes_max=20_000)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _token: "", id="nothing"),
        pytest.param(lambda token: ".." + token, id="two parts more"),
        pytest.param(lambda token: token + ".", id="one part more"),
        pytest.param(lambda token: token.rpartition(".")[0], id="no signature"),
        pytest.param(lambda token: token.rpartition(".")[0] + ".", id="an empty signature"),
        pytest.param(lambda token: token + "AA", id="a longer signature"),
        pytest.param(lambda token: token + "==", id="a padded signature"),
        pytest.param(lambda token: token.replace(".", "..", 1), id="an empty part between"),
        pytest.param(lambda token: token.replace(".", "é.", 1), id="not ASCII"),
        pytest.param(lambda token: token + "\n", id="a line break after it"),
        pytest.param(lambda token: " " + token, id="a space before it"),
        pytest.param(lambda token: "[" + token + "]", id="brackets around it"),
    ],
)
def test_another_form_is_refused(change: Callable[[str], str]) -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ=TYP)

    with pytest.raises(MalformedError):
        open_compact(change(token), typ=TYP, find_key=_find_key)


def test_a_payload_from_another_token_is_refused() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ=TYP)
    other = sign_compact(PAYLOAD + b" ", key=KEY, typ=TYP)
    header, _, signature = token.split(".")

    with pytest.raises(SignatureInvalidError):
        open_compact(f"{header}.{other.split('.')[1]}.{signature}", typ=TYP, find_key=_find_key)


def test_a_token_can_be_taken_apart_unverified() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ=TYP)

    split = split_compact(token)

    assert split.header == Header(kid=KEY.kid, typ=TYP)
    assert split.payload == PAYLOAD
    assert split.signing_input.decode() == token.rpartition(".")[0]
    KEY.public.verify(split.signing_input, split.signature)


def test_the_kind_named_in_an_error_is_shown_without_its_control_characters() -> None:
    token = sign_compact(PAYLOAD, key=KEY, typ="a\nb")

    with pytest.raises(WrongTypeError) as caught:
        open_compact(token, typ=TYP, find_key=_find_key)

    assert "\n" not in str(caught.value)
