"""What our code writes, judged by a Go verifier that shares no code with it: ../shared/goverify."""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.checkpoint import Checkpoint, format_hash_lines, sign_checkpoint
from protocol.cosignature import build_add_checkpoint, cosign_checkpoint
from protocol.encoding import sha256
from protocol.keys import SigningKey
from protocol.log_policy import (
    LogPolicy,
    PolicyGroup,
    PolicyLog,
    PolicyWitness,
    format_log_policy,
)
from protocol.log_proof import format_log_proof
from protocol.merkle import build_consistency, build_inclusion, leaf_hash
from protocol.note import SignatureKind, VerifierKey, add_signatures
from protocol.tile import (
    EMPTY_EDGE,
    RightEdge,
    TileCache,
    TileNodes,
    encode_bundle,
    list_tiles,
    tile_path,
)
from tests.support.second_opinion import GoverifyAbsentError, ask_goverify, build_goverify

ORIGIN = "cx.alpha.example/log/2026a"
SIZE = 70_000
OLD_SIZE = 66_666
LOG = SigningKey(sha256(b"goverify test: log"))
WITNESSES = [SigningKey(sha256(b"goverify test: witness", bytes([number]))) for number in (0, 1)]
ENTRIES = [f'{{"n":{number},"v":1}}'.encode() for number in range(SIZE)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
POLICY = LogPolicy(
    logs=(PolicyLog(key=VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=LOG.public)),),
    witnesses=tuple(
        PolicyWitness(
            name=f"hub{number}",
            key=VerifierKey(
                name=f"hub{number}.example/witness/1",
                kind=SignatureKind.COSIGNATURE_V1,
                public=witness.public,
            ),
        )
        for number, witness in enumerate(WITNESSES)
    ),
    groups=(PolicyGroup(name="hubs", threshold=1, members=("hub0", "hub1")),),
    quorum="hubs",
)

Goverify = Callable[..., str]


@pytest.fixture(scope="module")
def goverify() -> Goverify:
    try:
        build_goverify()
    except GoverifyAbsentError as err:
        pytest.skip(str(err))
    return ask_goverify


@pytest.fixture(scope="module")
def nodes() -> TileNodes:
    edge, full = EMPTY_EDGE.extend(LEAVES)
    tiles = {(tile.level, tile.index): tile.data for tile in full}
    return TileNodes(edge=edge, cache=TileCache(lambda level, index, _: tiles[level, index]))


def edge_at(size: int) -> RightEdge:
    return EMPTY_EDGE.extend(LEAVES[:size])[0]


def head(size: int, *, witnesses: int = 1, root: bytes | None = None) -> str:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root or edge_at(size).root)
    cosignatures = [
        cosign_checkpoint(
            checkpoint, name=f"hub{number}.example/witness/1", key=key, now_s=1_790_000_000
        )
        for number, key in enumerate(WITNESSES[:witnesses])
    ]
    return add_signatures(sign_checkpoint(checkpoint, key=LOG), cosignatures)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.write_bytes(format_log_policy(POLICY))
    return path


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Written = Callable[[str, str | bytes], Path]


@pytest.fixture
def log(tmp_path: Path, nodes: TileNodes) -> Path:
    folder = tmp_path / "log"
    for tile in list_tiles(SIZE):
        assert tile.level is not None
        data = {tile.path: nodes.read_tile(tile.level, tile.index, tile.width)}
        if tile.level == 0:
            first = tile.index * 256
            data[tile_path(None, tile.index, tile.width)] = encode_bundle(
                ENTRIES[first : first + tile.width]
            )
        for path, content in data.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    (folder / "checkpoint").write_text(head(SIZE), "utf-8")
    return folder


def test_whole_log_of_70000_entries_is_accepted(
    goverify: Goverify, policy: Path, log: Path
) -> None:
    assert goverify("log", policy, log).startswith(f"OK: {ORIGIN}: 70000 entries, 277 hash tiles")


@pytest.mark.parametrize(
    "path", ["tile/entries/100", "tile/0/100", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
)
def test_log_with_one_changed_byte_is_refused(
    goverify: Goverify, policy: Path, log: Path, path: str
) -> None:
    raw = bytearray((log / path).read_bytes())
    raw[-1] ^= 1
    (log / path).write_bytes(raw)

    assert goverify("log", policy, log).startswith("REFUSED: ")


@pytest.mark.parametrize("witnesses", [1, 2])
def test_checkpoint_with_the_quorum_is_accepted(
    goverify: Goverify, policy: Path, written: Written, witnesses: int
) -> None:
    checkpoint = written("checkpoint", head(SIZE, witnesses=witnesses))

    assert goverify("checkpoint", policy, checkpoint).startswith(f"OK: {ORIGIN} 70000 ")


def test_checkpoint_without_the_quorum_is_refused(
    goverify: Goverify, policy: Path, written: Written
) -> None:
    checkpoint = written("checkpoint", head(SIZE, witnesses=0))

    assert goverify("checkpoint", policy, checkpoint) == "REFUSED: witness quorum not met"


@pytest.mark.parametrize("place", [(0, None), (65_535, b""), (65_536, b"aside"), (SIZE - 1, None)])
def test_inclusion_proof_is_accepted(
    goverify: Goverify,
    policy: Path,
    written: Written,
    nodes: TileNodes,
    place: tuple[int, bytes | None],
) -> None:
    index, extra = place
    text = format_log_proof(
        index=index,
        hashes=build_inclusion(index, SIZE, nodes.read_node),
        note=head(SIZE),
        extra=extra,
    )
    proof = written("proof", text)

    assert goverify("proof", policy, written("entry", ENTRIES[index]), proof).startswith("OK: ")
    assert goverify("proof", policy, written("entry", b"other"), proof).startswith("REFUSED: ")


@pytest.mark.parametrize("old_size", [0, 1, 256, 65_536, OLD_SIZE, SIZE])
def test_consistency_proof_is_accepted(
    goverify: Goverify, policy: Path, written: Written, nodes: TileNodes, old_size: int
) -> None:
    hashes = build_consistency(old_size, SIZE, nodes.read_node) if old_size else []
    old, new = written("old", head(old_size)), written("new", head(SIZE))
    lines = written("lines", format_hash_lines(hashes))

    assert goverify("consistency", policy, old, new, lines).startswith("OK: ")


def test_fork_is_refused(
    goverify: Goverify, policy: Path, written: Written, nodes: TileNodes
) -> None:
    hashes = build_consistency(OLD_SIZE, SIZE, nodes.read_node)
    old = written("old", head(OLD_SIZE, root=sha256(b"another history")))
    lines = written("lines", format_hash_lines(hashes))

    answer = goverify("consistency", policy, old, written("new", head(SIZE)), lines)

    assert answer.startswith("REFUSED: ")


@pytest.mark.parametrize("old_size", [0, OLD_SIZE, SIZE])
def test_witness_request_is_accepted(
    goverify: Goverify, policy: Path, written: Written, nodes: TileNodes, old_size: int
) -> None:
    proof = build_consistency(old_size, SIZE, nodes.read_node) if old_size else []
    request = build_add_checkpoint(old_size=old_size, proof=proof, note=head(SIZE, witnesses=0))
    old, body = written("old", head(old_size)), written("body", request.text)

    assert goverify("witnessreq", policy, old, body).startswith("OK: a witness at ")
    other = written("other", head(1))
    assert goverify("witnessreq", policy, other, body).startswith("REFUSED: 409")
