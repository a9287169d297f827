"""Ed25519 vectors: Wycheproof, CCTV's edge cases, the signature of RFC 9421 and a forgery."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError, SignatureInvalidError
from protocol.jws import open_compact
from protocol.keys import PublicKey, WeakKeyError, check_enrolment_point, parse_public_jwk
from protocol.strict_json import canonical_json


def is_verified(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(message, signature)
    except SignatureInvalidError:
        return False
    return True


def is_enrolled(key: PublicKey) -> bool:
    try:
        check_enrolment_point(key)
    except WeakKeyError:
        return False
    return True


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> Path:
    return shared_dir / "vectors"


@pytest.fixture(scope="module")
def edge_cases(vectors: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((vectors / "cctv/ed25519vectors.json").read_text())
    return cases


def test_every_wycheproof_signature_is_judged_as_wycheproof_says(vectors: Path) -> None:
    document = json.loads((vectors / "wycheproof/ed25519_test.json").read_text())
    count = 0

    for group in document["testGroups"]:
        key = PublicKey(bytes.fromhex(group["publicKey"]["pk"]))
        check_enrolment_point(key)
        for test in group["tests"]:
            verified = is_verified(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            assert verified == (test["result"] == "valid"), test["tcId"]
            count += 1

    assert count == document["numberOfTests"] == 151


def test_no_edge_case_key_with_a_low_order_part_or_a_second_spelling_is_enrolled(
    edge_cases: list[dict[str, Any]],
) -> None:
    refused = {"low_order_A", "low_order_component_A", "non_canonical_A"}

    assert len(edge_cases) == 914
    for case in edge_cases:
        key = PublicKey(bytes.fromhex(case["key"]))
        assert is_enrolled(key) == refused.isdisjoint(case["flags"] or ()), case["number"]


def test_under_an_enrolled_key_no_edge_case_signature_verifies(
    edge_cases: list[dict[str, Any]],
) -> None:
    count = 0
    for case in edge_cases:
        key = PublicKey(bytes.fromhex(case["key"]))
        if not is_enrolled(key):
            continue
        verified = is_verified(key, case["msg"].encode(), bytes.fromhex(case["sig"]))
        assert verified == (not case["flags"]), case["number"]
        count += 1

    assert count == 28


def test_without_the_enrolment_check_forty_three_edge_cases_would_verify(
    edge_cases: list[dict[str, Any]],
) -> None:
    # The figure of the module docstring of protocol.keys; it changes with libsodium's strictness.
    verified = [
        case["number"]
        for case in edge_cases
        if is_verified(
            PublicKey(bytes.fromhex(case["key"])),
            case["msg"].encode(),
            bytes.fromhex(case["sig"]),
        )
    ]

    assert len(verified) == 43


def test_the_low_order_key_of_the_forgery_is_not_enrolled(vectors: Path) -> None:
    forgery = json.loads((vectors / "derived/ed25519_low_order_jws.json").read_text())

    with pytest.raises(WeakKeyError):
        check_enrolment_point(parse_public_jwk(forgery["jwk"]))


def test_the_forgery_is_refused_even_under_its_low_order_key(vectors: Path) -> None:
    forgery = json.loads((vectors / "derived/ed25519_low_order_jws.json").read_text())
    key = parse_public_jwk(forgery["jwk"])

    for token in forgery["jws_examples"]:
        signing_input, _, signature_b64u = token.rpartition(".")
        with pytest.raises(SignatureInvalidError):
            key.verify(signing_input.encode(), decode_b64u(signature_b64u))
        with pytest.raises(MalformedError):
            open_compact(token, typ="cx-query+jws", find_key=lambda _kid: key)


def test_the_forgery_in_our_own_form_is_refused(vectors: Path) -> None:
    forgery = json.loads((vectors / "derived/ed25519_low_order_jws.json").read_text())
    key = parse_public_jwk(forgery["jwk"])
    header = canonical_json({"alg": "Ed25519", "kid": key.kid, "typ": "cx-query+jws"})
    token = f"{encode_b64u(header)}.{encode_b64u(b'{}')}.{forgery['signature_b64u']}"

    with pytest.raises(SignatureInvalidError):
        open_compact(token, typ="cx-query+jws", find_key=lambda _kid: key)


def test_the_ed25519_signature_of_rfc_9421_verifies(vectors: Path) -> None:
    folder = vectors / "rfc9421"
    pem = (folder / "test-key-ed25519.pub").read_text()
    der = base64.b64decode("".join(line for line in pem.split() if len(line) > 20))
    signed = (folder / "b26_request_signed.txt").read_text()
    signature = re.search(r"sig-b26=:([^:]+):", signed)
    assert signature is not None

    PublicKey(der[-32:]).verify(
        (folder / "b26_request_sigbase.txt").read_bytes(), base64.b64decode(signature[1])
    )
