"""Proofs to be checked offline: index, path and checkpoint in one text."""

import pytest

from protocol.checkpoint import Checkpoint, CheckpointOriginError, sign_checkpoint
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import sha256
from protocol.errors import MalformedError, ProtocolError, SignatureInvalidError, TooLargeError
from protocol.keys import SigningKey
from protocol.log_policy import LogPolicy, PolicyLog, PolicyWitness, QuorumError
from protocol.log_proof import (
    LogProof,
    LogProofError,
    format_log_proof,
    parse_log_proof,
    verify_log_proof,
)
from protocol.merkle import InclusionProofError, build_inclusion, leaf_hash
from protocol.note import SignatureKind, VerifierKey, add_signatures
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes

ORIGIN = "cx.alpha.example/log/2026a"
LOG = SigningKey(sha256(b"proof test: log"))
WITNESS = SigningKey(sha256(b"proof test: witness"))
LOG_KEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=LOG.public)
WITNESS_KEY = VerifierKey(
    name="hub.example/witness/1", kind=SignatureKind.COSIGNATURE_V1, public=WITNESS.public
)
POLICY = LogPolicy(
    logs=(PolicyLog(key=LOG_KEY),),
    witnesses=(PolicyWitness(name="hub", key=WITNESS_KEY),),
    groups=(),
    quorum="hub",
)

ENTRIES = [f'{{"n":{number}}}'.encode() for number in range(7)]
EDGE = EMPTY_EDGE.extend([leaf_hash(entry) for entry in ENTRIES])[0]
NODES = TileNodes(edge=EDGE, cache=TileCache(lambda _level, _index, _width: b""))
CHECKPOINT = Checkpoint(origin=ORIGIN, size=len(ENTRIES), root=EDGE.root)
NOTE = sign_checkpoint(CHECKPOINT, key=LOG)
HASHES = build_inclusion(5, 7, NODES.read_node)
PROOF = format_log_proof(index=5, hashes=HASHES, note=NOTE)


@pytest.mark.parametrize("extra", [None, b"", b"out-of-band"])
@pytest.mark.parametrize("hashes", [[], HASHES], ids=["no-hash", "hashes"])
def test_proof_reads_back(extra: bytes | None, hashes: list[bytes]) -> None:
    text = format_log_proof(index=5, hashes=hashes, note=NOTE, extra=extra)

    assert parse_log_proof(text) == LogProof(index=5, hashes=tuple(hashes), note=NOTE, extra=extra)


def test_proof_has_the_form_of_the_specification() -> None:
    lines = format_log_proof(index=5, hashes=HASHES, note=NOTE, extra=b"x").split("\n")

    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra eA==", "index 5"]
    assert lines[3 + len(HASHES)] == ""
    assert lines[4 + len(HASHES)] == ORIGIN


def test_proof_verifies_under_the_log_key_and_under_a_policy() -> None:
    cosigned = add_signatures(
        NOTE, [cosign_checkpoint(CHECKPOINT, name=WITNESS_KEY.name, key=WITNESS, now_s=1)]
    )
    witnessed = format_log_proof(index=5, hashes=HASHES, note=cosigned)

    assert verify_log_proof(PROOF, entry=ENTRIES[5], trust=LOG_KEY) == (5, CHECKPOINT)
    assert verify_log_proof(witnessed, entry=ENTRIES[5], trust=POLICY) == (5, CHECKPOINT)


def test_proof_without_the_quorum_is_refused() -> None:
    with pytest.raises(QuorumError):
        verify_log_proof(PROOF, entry=ENTRIES[5], trust=POLICY)


def test_proof_of_another_entry_is_refused() -> None:
    with pytest.raises(InclusionProofError):
        verify_log_proof(PROOF, entry=ENTRIES[4], trust=LOG_KEY)


def test_proof_at_another_index_is_refused() -> None:
    for index in (4, 7, 2**63 - 1):
        text = PROOF.replace("index 5", f"index {index}")
        with pytest.raises(InclusionProofError):
            verify_log_proof(text, entry=ENTRIES[5], trust=LOG_KEY)


def test_proof_of_another_log_is_refused() -> None:
    other = VerifierKey(name="other.example", kind=SignatureKind.ED25519, public=LOG.public)
    with pytest.raises(SignatureInvalidError):
        verify_log_proof(PROOF, entry=ENTRIES[5], trust=other)


def test_cosignature_alone_proves_nothing_of_a_log() -> None:
    cosignature = cosign_checkpoint(CHECKPOINT, name=WITNESS_KEY.name, key=WITNESS, now_s=1)
    note = f"{CHECKPOINT.text}\n{cosignature.line}"
    with pytest.raises(CheckpointOriginError):
        verify_log_proof(
            format_log_proof(index=5, hashes=HASHES, note=note), entry=ENTRIES[5], trust=WITNESS_KEY
        )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("c2sp.org/tlog-proof@v1", id="header-alone"),
        pytest.param("c2sp.org/tlog-proof@v1\n\n" + NOTE, id="no-index"),
        pytest.param("c2sp.org/tlog-proof@v1\nextra eA==\n\n" + NOTE, id="extra-without-index"),
        pytest.param(PROOF.replace("@v1", "@v2"), id="another-version"),
        pytest.param(PROOF.replace("index 5", "index 05"), id="leading-zero"),
        pytest.param(PROOF.replace("index 5", "index -5"), id="negative"),
        pytest.param(PROOF.replace("index 5", "index five"), id="word"),
        pytest.param(PROOF.replace("index 5", "index  5"), id="two-spaces"),
        pytest.param(PROOF.replace("index 5", "index 5\r"), id="carriage-return"),
        pytest.param(PROOF.replace("index 5", "extra !!\nindex 5"), id="bad-extra"),
        pytest.param(PROOF.replace("index 5", "extra eB==\nindex 5"), id="extra-with-stray-bits"),
        pytest.param(
            PROOF.replace("index 5", "extra eA==\nextra eA==\nindex 5"), id="two-extras"
        ),
        pytest.param(PROOF.replace("index 5", "index 5\nextra eA=="), id="extra-after-index"),
        pytest.param(PROOF.replace("=\n", "\n", 1), id="hash-without-padding"),
        pytest.param(PROOF.replace("=\n", "AAAA=\n", 1), id="hash-too-long"),
        pytest.param(PROOF.replace("index 5", "index 5\n" + "\n".join(["A" * 43 + "="] * 61)),
                     id="too-many-hashes"),
        pytest.param("c2sp.org/tlog-proof@v1\nindex 0\n" + "a" * 1000, id="no-checkpoint"),
    ],
)  # fmt: skip
def test_another_form_is_no_proof(text: str) -> None:
    with pytest.raises(LogProofError):
        parse_log_proof(text)


def test_proof_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLargeError):
        parse_log_proof(PROOF + "x" * 262_144)


def test_parts_that_make_no_proof_are_not_written() -> None:
    with pytest.raises(LogProofError):
        format_log_proof(index=-1, hashes=HASHES, note=NOTE)
    with pytest.raises(LogProofError):
        format_log_proof(index=5, hashes=[HASHES[0]] * 64, note=NOTE)
    with pytest.raises(LogProofError):
        format_log_proof(index=5, hashes=[b"short"], note=NOTE)


def test_every_changed_byte_of_a_proof_is_noticed() -> None:
    raw = PROOF.encode()
    for at in range(len(raw)):
        broken = (raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode(
            "utf-8", "surrogateescape"
        )
        with pytest.raises(ProtocolError):
            verify_log_proof(broken, entry=ENTRIES[5], trust=LOG_KEY)


def test_malformed_proof_has_a_code_of_its_own() -> None:
    assert issubclass(LogProofError, MalformedError)
    assert LogProofError.code == "log-proof-invalid"
