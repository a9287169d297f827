"""JOSE vectors: what is ours verifies (RFC 8037), everything else is refused by its form."""

import json
from pathlib import Path

import pytest

from protocol.encoding import decode_b64u
from protocol.errors import MalformedError
from protocol.jws import open_compact, split_compact
from protocol.keys import PublicKey, SigningKey, parse_public_jwk


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "vectors"


def test_the_key_of_rfc_8037_has_the_thumbprint_of_rfc_8037() -> None:
    # Appendices A.1 and A.3.
    key = PublicKey(decode_b64u("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))

    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_signature_of_rfc_8037_is_made_and_verifies(vectors: Path) -> None:
    case = json.loads((vectors / "jose/curve25519/jws.json").read_text())
    jwk = case["input"]["key"]
    key = SigningKey(decode_b64u(jwk["d"]))
    signing_input = case["signing"]["sig-input"].encode()
    signature = decode_b64u(case["signing"]["sig"])

    assert key.public == PublicKey(decode_b64u(jwk["x"]))
    assert key.sign(signing_input) == signature
    key.public.verify(signing_input, signature)


def test_the_token_of_rfc_8037_is_refused_since_its_header_is_not_ours(vectors: Path) -> None:
    case = json.loads((vectors / "jose/curve25519/jws.json").read_text())
    key = PublicKey(decode_b64u(case["input"]["key"]["x"]))

    with pytest.raises(MalformedError, match="exactly alg, kid and typ"):
        open_compact(case["output"]["compact"], typ="cx-query+jws", find_key=lambda _kid: key)


def test_a_private_or_decorated_jwk_is_refused(vectors: Path) -> None:
    case = json.loads((vectors / "jose/curve25519/jws.json").read_text())

    with pytest.raises(MalformedError):
        parse_public_jwk(case["input"]["key"])


def test_no_token_of_the_cookbook_is_accepted(vectors: Path) -> None:
    cases = [
        json.loads(path.read_text())
        for folder in ("jose/jws", "jose/rfc7797")
        for path in sorted((vectors / folder).glob("*.json"))
    ]
    tokens = [case["output"]["compact"] for case in cases if "compact" in case["output"]]

    assert len(cases) == 10
    assert len(tokens) == 6
    for token in tokens:
        with pytest.raises(MalformedError):
            split_compact(token)


@pytest.mark.parametrize(
    ("name", "count"), [("json_web_signature_test.json", 401), ("json_web_key_test.json", 26)]
)
def test_no_token_of_wycheproof_is_accepted_valid_or_not(
    vectors: Path, name: str, count: int
) -> None:
    # None of them is signed with Ed25519: another algorithm must fail by its form, before any key.
    document = json.loads((vectors / "wycheproof" / name).read_text())
    tokens = [test["jws"] for group in document["testGroups"] for test in group["tests"]]

    assert len(tokens) == count
    for token in tokens:
        with pytest.raises(MalformedError):
            split_compact(token)


def test_no_key_of_wycheproof_is_accepted(vectors: Path) -> None:
    document = json.loads((vectors / "wycheproof/json_web_key_test.json").read_text())
    keys = [
        key
        for group in document["testGroups"]
        for key in group.get("private", group.get("public"))["keys"]
    ]

    assert len(keys) == 28
    for key in keys:
        with pytest.raises(MalformedError):
            parse_public_jwk(key)
