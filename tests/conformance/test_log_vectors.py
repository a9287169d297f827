"""Public vectors of the log formats, from ../shared/vectors/log (its README names the sources).

Some sources keep their cases inside Go tests, which the folder does not always carry. Those of
x/mod are read where Debian's golang-golang-x-mod-dev has them; the others skip and say which file
they miss.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from protocol.encoding import sha256
from protocol.errors import MalformedError, ProtocolError, SignatureInvalidError
from protocol.keys import PublicKey
from protocol.log_policy import LogPolicyError, parse_log_policy
from protocol.merkle import (
    EMPTY_ROOT,
    ConsistencyProofError,
    InclusionProofError,
    build_consistency,
    build_inclusion,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from protocol.note import SignatureKind, parse_note, parse_vkey, verify_note
from protocol.tile import (
    EMPTY_EDGE,
    TileCache,
    TileNodes,
    TilePathError,
    encode_bundle,
    parse_bundle,
    parse_tile_path,
    tile_path,
)

# The log's public key, as transparency-dev/tessera@1811ae1a testdata/build_log.sh publishes it.
TESSERA_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
X_MOD = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
# Its roots at one size are placeholders that are no hashes; we refuse them, Go's tlog does too.
PLACEHOLDER_ROOTS = "sizes-are-equal-one-and-proof-is-empty.json"


@pytest.fixture(scope="session")
def log_vectors(shared_dir: Path) -> Path:
    return shared_dir / "vectors/log"


def need(path: Path, *, installed: Path | None = None) -> str:
    if not path.is_file() and installed is not None and installed.is_file():
        path = installed
    if not path.is_file():
        pytest.skip(f"{path.name} of {path.parent.name} is not among the shared vectors")
    return path.read_text("utf-8")


# --- transparency-dev/merkle


def probes(log_vectors: Path, kind: str) -> Iterator[tuple[str, dict[str, object], list[bytes]]]:
    folder = log_vectors / "transparency-dev_merkle/testdata" / kind
    for path in sorted(folder.rglob("*.json")):
        probe = json.loads(path.read_bytes())
        yield path.name, probe, [base64.b64decode(value) for value in probe["proof"] or []]


def unbase64(value: object) -> bytes:
    assert isinstance(value, str)
    return base64.b64decode(value)


def as_int(value: object) -> int:
    assert isinstance(value, int)
    return value


def test_inclusion_probes_agree(log_vectors: Path) -> None:
    count, disagree = 0, []
    for name, probe, proof in probes(log_vectors, "inclusion"):
        count += 1
        try:
            verify_inclusion(
                index=as_int(probe["leafIdx"]),
                size=as_int(probe["treeSize"]),
                leaf=unbase64(probe["leafHash"]),
                proof=proof,
                root=unbase64(probe["root"]),
            )
            refused = False
        except InclusionProofError:
            refused = True
        if refused != probe["wantErr"]:
            disagree.append(name)

    assert (count, disagree) == (98, [])


def test_consistency_probes_agree_but_for_the_one_without_hashes(log_vectors: Path) -> None:
    count, disagree = 0, []
    for name, probe, proof in probes(log_vectors, "consistency"):
        count += 1
        try:
            verify_consistency(
                old_size=as_int(probe["size1"]),
                new_size=as_int(probe["size2"]),
                old_root=unbase64(probe["root1"]),
                new_root=unbase64(probe["root2"]),
                proof=proof,
            )
            refused = False
        except ConsistencyProofError:
            refused = True
        if refused != probe["wantErr"]:
            disagree.append(name)

    assert (count, disagree) == (98, [PLACEHOLDER_ROOTS])


# --- transparency-dev/tessera


def tessera_log(log_vectors: Path) -> Path:
    return log_vectors / "tessera/testdata/log"


def tessera_checkpoint(log_vectors: Path, size: int) -> Checkpoint:
    note = (tessera_log(log_vectors) / f"checkpoint.{size}").read_text("utf-8")
    return open_checkpoint(note, vkey=parse_vkey(TESSERA_VKEY))


def tessera_leaves(log_vectors: Path) -> list[bytes]:
    path = tessera_log(log_vectors) / tile_path(None, 0, 15)
    return [leaf_hash(entry) for entry in parse_bundle(path.read_bytes(), width=15)]


def test_sixteen_checkpoints_of_one_log_open_and_have_our_roots(log_vectors: Path) -> None:
    leaves = tessera_leaves(log_vectors)

    for size in range(16):
        checkpoint = tessera_checkpoint(log_vectors, size)
        edge, _ = EMPTY_EDGE.extend(leaves[:size])

        assert checkpoint == Checkpoint(
            origin="example.com/log/testdata", size=size, root=edge.root
        )
    assert tessera_checkpoint(log_vectors, 0).root == EMPTY_ROOT


def test_the_state_of_another_log_is_its_newest_checkpoint(log_vectors: Path) -> None:
    state = json.loads((tessera_log(log_vectors) / ".state/treeState").read_bytes())
    note = (tessera_log(log_vectors) / "checkpoint").read_text("utf-8")

    newest = open_checkpoint(note, vkey=parse_vkey(TESSERA_VKEY))

    assert newest == tessera_checkpoint(log_vectors, 15)
    assert (state["size"], unbase64(state["root"])) == (newest.size, newest.root)


def test_changed_checkpoint_of_another_log_is_refused(log_vectors: Path) -> None:
    note = (tessera_log(log_vectors) / "checkpoint.8").read_text("utf-8")

    with pytest.raises(SignatureInvalidError):
        open_checkpoint(note.replace("\n8\n", "\n9\n"), vkey=parse_vkey(TESSERA_VKEY))


def test_tiles_and_bundles_of_another_log_are_ours_byte_for_byte(log_vectors: Path) -> None:
    leaves = tessera_leaves(log_vectors)
    edge = EMPTY_EDGE
    for width in range(1, 16):
        edge, _ = edge.extend([leaves[width - 1]])
        bundle = (tessera_log(log_vectors) / tile_path(None, 0, width)).read_bytes()
        tile = (tessera_log(log_vectors) / tile_path(0, 0, width)).read_bytes()

        assert encode_bundle(parse_bundle(bundle, width=width)) == bundle
        assert edge.partial_tile(0) == tile


def test_every_proof_between_heads_of_another_log_verifies(log_vectors: Path) -> None:
    leaves = tessera_leaves(log_vectors)
    edge, _ = EMPTY_EDGE.extend(leaves)
    nodes = TileNodes(edge=edge, cache=TileCache(lambda _level, _index, _width: b""))
    heads = [tessera_checkpoint(log_vectors, size) for size in range(16)]

    for new in heads[1:]:
        for old in heads[1 : new.size + 1]:
            verify_consistency(
                old_size=old.size,
                new_size=new.size,
                old_root=old.root,
                new_root=new.root,
                proof=build_consistency(old.size, new.size, nodes.read_node),
            )
        for index in range(new.size):
            verify_inclusion(
                index=index,
                size=new.size,
                leaf=leaves[index],
                proof=build_inclusion(index, new.size, nodes.read_node),
                root=new.root,
            )


# --- C2SP/CCTV


def test_libsodium_accepts_exactly_43_of_the_914_edge_cases(log_vectors: Path) -> None:
    cases = json.loads((log_vectors / "cctv/ed25519/ed25519vectors.json").read_bytes())
    accepted = []
    for case in cases:
        try:
            key = PublicKey(bytes.fromhex(case["key"]))
            key.verify(case["msg"].encode(), bytes.fromhex(case["sig"]))
        except SignatureInvalidError:
            continue
        accepted.append(set(case["flags"] or []))

    assert (len(cases), len(accepted)) == (914, 43)
    # What it accepts has no point of low order and no second spelling of one.
    assert not set.union(*accepted) & {
        "low_order_A",
        "low_order_R",
        "non_canonical_A",
        "non_canonical_R",
        "low_order_residue",
    }


# --- sigstore-python


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("a.dsse.staging-rekor-v2.txt.sigstore.json", 4_026_478),
        ("staging-rekor-v2.txt.sigstore.json", 645),
        ("bundle_v3.txt.sigstore", 25_901_137),
    ],
)
def test_inclusion_in_the_logs_of_sigstore_verifies_and_of_another_entry_does_not(
    log_vectors: Path, name: str, index: int
) -> None:
    path = log_vectors / "sigstore-python/test/assets" / name
    (logged,) = json.loads(path.read_bytes())["verificationMaterial"]["tlogEntries"]
    proof = logged["inclusionProof"]
    entry, root = unbase64(logged["canonicalizedBody"]), unbase64(proof["rootHash"])
    size, hashes = int(proof["treeSize"]), [unbase64(value) for value in proof["hashes"]]

    verify_inclusion(index=index, size=size, leaf=leaf_hash(entry), proof=hashes, root=root)
    with pytest.raises(InclusionProofError):
        verify_inclusion(index=index, size=size, leaf=leaf_hash(b""), proof=hashes, root=root)

    origin, stated, *_ = parse_note(proof["checkpoint"]["envelope"]).text.split("\n")
    if " " in origin:  # Rekor 1 puts a number into the origin; no key can be named like that.
        with pytest.raises(MalformedError):
            parse_checkpoint(parse_note(proof["checkpoint"]["envelope"]).text)
    else:
        head = parse_checkpoint(parse_note(proof["checkpoint"]["envelope"]).text)
        assert (head.size, head.root) == (size, root)
    assert (int(proof["logIndex"]), int(stated)) == (index, size)


# --- golang/mod sumdb


def test_notes_of_sumdb_are_judged_alike(log_vectors: Path) -> None:
    source = need(log_vectors / "sumdb/note/note_test.go", installed=X_MOD / "note/note_test.go")
    vkeys = dict.fromkeys(re.findall(r'"((?:PeterNeumann|EnochRoot)\+[0-9a-f]{8}\+[^"]+)"', source))
    signature_lines = dict.fromkeys(re.findall(r'"(\u2014 [A-Za-z]+ [A-Za-z0-9+/=]+)\\n"', source))
    text = re.search(r"text := `([^`]+)`", source)
    good = [vkey for vkey in vkeys if is_vkey(vkey)]
    assert text is not None

    note = parse_note(f"{text[1]}\n" + "".join(f"{line}\n" for line in signature_lines))
    for vkey in good:
        assert verify_note(note, [parse_vkey(vkey)])
    assert len(good) == len(signature_lines) == 2
    assert len(vkeys) > len(good)  # The others have a wrong length or type under a fitting id.


def is_vkey(text: str) -> bool:
    try:
        parse_vkey(text)
    except MalformedError:
        return False
    return True


def test_tile_paths_of_sumdb_are_judged_alike(log_vectors: Path) -> None:
    source = need(log_vectors / "sumdb/tlog/tlog_test.go", installed=X_MOD / "tlog/tlog_test.go")
    table = re.search(r"var tilePaths = .*?\n}\n", source, re.DOTALL)
    assert table is not None
    rows = re.findall(r'{"(tile/[^"]+)", Tile{(.*?)}}', table[0])
    assert rows

    # Go's own paths have the height as a first element, where C2SP's are always of height 8.
    for path, tile in rows:
        ours = re.sub(r"^tile/[0-9]+/", "tile/", path).replace("tile/data/", "tile/entries/")
        width = int(path.partition(".p/")[2] or 256)
        if tile:
            level, index = (int(value) for value in tile.split(", ")[1:3])
            assert tile_path(None if level < 0 else level, index, width) == ours
            assert parse_tile_path(ours).index == index
        else:
            with pytest.raises(TilePathError):
                parse_tile_path(ours)


# --- transparency-dev/formats


def test_cosignature_keys_of_formats_are_judged_alike(log_vectors: Path) -> None:
    source = need(log_vectors / "formats/note/note_cosigv1_test.go")
    keys = re.findall(r'pubK:\s+"([^"]+)"', source)
    kinds = {}
    for vkey in keys:
        try:
            kinds[vkey.split("+")[0]] = parse_vkey(vkey).kind
        except MalformedError:
            continue

    # Of the good ones, the third is an ML-DSA key, which we do not speak.
    assert kinds == {
        "TEST": SignatureKind.ED25519,
        "remora.n621.de": SignatureKind.COSIGNATURE_V1,
    }


def test_policies_of_formats_that_break_the_specification_are_refused(log_vectors: Path) -> None:
    source = need(log_vectors / "formats/witness/witness_policy_test.go")
    bad = source[source.index("func TestParsePolicy_Errors") :]
    policies = re.findall(r"policy:\s*(?:\"((?:[^\"\\]|\\.)*)\"|`([^`]*)`)", bad)
    assert policies

    for quoted, raw in policies:
        text = quoted.replace("\\n", "\n") or raw
        with pytest.raises((LogPolicyError, ProtocolError)):
            parse_log_policy(f"{text}\n".encode())


def test_example_of_the_signed_note_specification_has_its_key_id() -> None:
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    material = base64.b64decode(vkey.split("+", 2)[2])

    assert parse_vkey(vkey).key_id == sha256(b"example.com/foo\n", material)[:4]
