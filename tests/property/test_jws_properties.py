import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError, UnknownKeyError
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey

KEY = SigningKey(bytes(range(32)))
TYP = "cx-answer+jws"
ORACLE_KEY = OKPKey.import_key(
    {"kty": "OKP", "crv": "Ed25519", "x": encode_b64u(KEY.public.raw), "d": encode_b64u(KEY.seed)}
)
TOKEN = sign_compact(b'{"v":1}', key=KEY, typ=TYP)

payloads = st.binary(max_size=200)


def find_key(kid: str) -> PublicKey:
    if kid != KEY.kid:
        raise UnknownKeyError("no such key")
    return KEY.public


@given(payloads, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40))
def test_what_is_signed_opens_and_joserfc_verifies_it(payload: bytes, typ: str) -> None:
    token = sign_compact(payload, key=KEY, typ=typ)

    opened, header = open_compact(token, typ=typ, find_key=find_key)
    judged = joserfc_jws.deserialize_compact(token, ORACLE_KEY, algorithms=["Ed25519"])

    assert opened == payload == judged.payload
    assert judged.protected == {"alg": "Ed25519", "kid": header.kid, "typ": header.typ}


@given(payloads)
def test_joserfc_signs_the_same_token(payload: bytes) -> None:
    header = {"alg": "Ed25519", "kid": KEY.kid, "typ": TYP}

    theirs = joserfc_jws.serialize_compact(header, payload, ORACLE_KEY, algorithms=["Ed25519"])

    assert theirs == sign_compact(payload, key=KEY, typ=TYP)


@pytest.mark.parametrize("index", range(len(TOKEN)))
def test_a_token_with_one_character_changed_never_opens(index: int) -> None:
    # Every character of base64url, the separator, and one that is foreign.
    for character in "".join(sorted(set(TOKEN))) + "-_.=é":
        if character == TOKEN[index]:
            continue
        changed = TOKEN[:index] + character + TOKEN[index + 1 :]

        with pytest.raises(ProtocolError):
            open_compact(changed, typ=TYP, find_key=find_key)


@pytest.mark.parametrize("index", range(len(TOKEN)))
def test_a_token_with_one_character_missing_or_doubled_never_opens(index: int) -> None:
    for changed in (TOKEN[:index] + TOKEN[index + 1 :], TOKEN[: index + 1] + TOKEN[index:]):
        with pytest.raises(ProtocolError):
            open_compact(changed, typ=TYP, find_key=find_key)


@given(st.integers(0, 2), st.data())
def test_a_token_with_one_bit_of_its_decoded_parts_changed_never_opens(
    part: int, data: st.DataObject
) -> None:
    parts = [decode_b64u(text) for text in TOKEN.split(".")]
    bit = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    changed = bytearray(parts[part])
    changed[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(changed)

    with pytest.raises(ProtocolError):
        open_compact(".".join(map(encode_b64u, parts)), typ=TYP, find_key=find_key)


@settings(max_examples=300)
@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_any_text_is_refused_with_our_error(token: str) -> None:
    with pytest.raises(ProtocolError):
        open_compact(token, typ=TYP, find_key=find_key)
