"""Witnessing: the request, the decision in its order, the cosignature."""

import pytest

from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.cosignature import (
    AddCheckpointRequest,
    ForkedRootError,
    LogUnsignedError,
    StaleSizeError,
    UnknownOriginError,
    WitnessProofError,
    WitnessRefusalError,
    WitnessRequestError,
    adopt_cosignatures,
    build_add_checkpoint,
    cosign_checkpoint,
    decide_cosign,
    parse_add_checkpoint,
)
from protocol.encoding import sha256
from protocol.keys import SigningKey
from protocol.merkle import EMPTY_ROOT, build_consistency, leaf_hash
from protocol.note import (
    NoteMalformedError,
    NoteSignatureError,
    NoteUnsignedError,
    SignatureKind,
    VerifierKey,
    parse_note,
)
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes

ORIGIN = "cx.alpha.example/log/2026a"
LOG = SigningKey(sha256(b"cosignature test: log"))
OTHER = SigningKey(sha256(b"cosignature test: other"))
WITNESS = SigningKey(sha256(b"cosignature test: witness"))
LOG_KEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=LOG.public)
WITNESS_KEY = VerifierKey(
    name="hub.example/witness/1", kind=SignatureKind.COSIGNATURE_V1, public=WITNESS.public
)

LEAVES = [leaf_hash(bytes([number])) for number in range(7)]
EDGE = EMPTY_EDGE.extend(LEAVES)[0]
NODES = TileNodes(edge=EDGE, cache=TileCache(lambda _level, _index, _width: b""))


def root_at(size: int) -> bytes:
    return EMPTY_EDGE.extend(LEAVES[:size])[0].root


def head(size: int, *, root: bytes | None = None, key: SigningKey = LOG) -> str:
    value = root_at(size) if root is None else root
    return sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=value), key=key)


def ask(
    old_size: int, new_size: int, *, note: str | None = None, proof: list[bytes] | None = None
) -> AddCheckpointRequest:
    if proof is None:
        proof = build_consistency(old_size, new_size, NODES.read_node) if old_size else []
    return build_add_checkpoint(old_size=old_size, proof=proof, note=note or head(new_size))


def decide(
    request: AddCheckpointRequest,
    *,
    known_size: int = 3,
    log_keys: tuple[VerifierKey, ...] = (LOG_KEY,),
    known_root: bytes | None = None,
) -> Checkpoint:
    return decide_cosign(
        request,
        log_keys=log_keys,
        known_size=known_size,
        known_root=root_at(known_size) if known_root is None else known_root,
    )


def test_request_reads_back() -> None:
    request = ask(3, 7)

    assert request.text.startswith("old 3\n")
    assert parse_add_checkpoint(request.text.encode()) == request


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="no-utf-8"),
        pytest.param(b"old 0\n\n" + b"x" * 200_000, id="too-large"),
        pytest.param(ask(3, 7).text.replace("old 3", "old 03").encode(), id="leading-zero"),
        pytest.param(ask(3, 7).text.replace("old 3", "old -3").encode(), id="negative"),
        pytest.param(ask(3, 7).text.replace("old 3", "new 3").encode(), id="no-old"),
        pytest.param(ask(3, 7).text.replace("=\n", "\n", 1).encode(), id="bad-hash"),
        pytest.param(ask(3, 7).text.replace("\n\n", "\n", 1).encode(), id="no-empty-line"),
        pytest.param(b"old 3\n" + b"A" * 43 + b"=\n" * 64 + b"\n", id="too-many-hashes"),
        pytest.param(ask(3, 7).text[:-1].encode(), id="cut-note"),
        pytest.param(b"old 0\n\ntext\n\n" + head(3).split("\n\n")[1].encode(), id="no-checkpoint"),
    ],
)
def test_malformed_request_is_answered_400(raw: bytes) -> None:
    with pytest.raises(WitnessRequestError) as caught:
        parse_add_checkpoint(raw)

    assert caught.value.status == 400


def test_parts_that_make_no_request_are_not_sent() -> None:
    with pytest.raises(WitnessRequestError):
        build_add_checkpoint(old_size=-1, proof=[], note=head(3))
    with pytest.raises(WitnessRequestError):
        build_add_checkpoint(old_size=1, proof=[b"short"], note=head(3))
    with pytest.raises(WitnessRequestError):
        build_add_checkpoint(old_size=1, proof=[], note=f"{head(1)}\n{head(3)}")


@pytest.mark.parametrize(("old_size", "new_size"), [(0, 0), (0, 7), (1, 7), (3, 7), (7, 7)])
def test_log_that_only_appends_is_cosigned(old_size: int, new_size: int) -> None:
    checkpoint = decide(ask(old_size, new_size), known_size=old_size)

    assert checkpoint == Checkpoint(origin=ORIGIN, size=new_size, root=root_at(new_size))


def test_cosignature_is_adopted_into_the_note() -> None:
    checkpoint = decide(ask(3, 7))
    line = cosign_checkpoint(checkpoint, name=WITNESS_KEY.name, key=WITNESS, now_s=1234).line

    note, verified = adopt_cosignatures(head(7), answer=line.encode(), keys=[WITNESS_KEY])

    assert note == head(7) + line
    assert [(each.key, each.at_s) for each in verified] == [(WITNESS_KEY, 1234)]


def test_lines_of_unknown_witnesses_are_not_adopted() -> None:
    checkpoint = decide(ask(3, 7))
    ours = cosign_checkpoint(checkpoint, name=WITNESS_KEY.name, key=WITNESS, now_s=1).line
    foreign = cosign_checkpoint(checkpoint, name="foreign.example/w", key=OTHER, now_s=1).line

    note, _ = adopt_cosignatures(head(7), answer=(foreign + ours).encode(), keys=[WITNESS_KEY])

    assert note == head(7) + ours
    with pytest.raises(NoteUnsignedError):
        adopt_cosignatures(head(7), answer=foreign.encode(), keys=[WITNESS_KEY])


def test_cosignature_of_another_head_is_not_adopted() -> None:
    checkpoint = decide(ask(3, 6))
    line = cosign_checkpoint(checkpoint, name=WITNESS_KEY.name, key=WITNESS, now_s=1).line

    with pytest.raises(NoteSignatureError):
        adopt_cosignatures(head(7), answer=line.encode(), keys=[WITNESS_KEY])


def test_answer_of_another_form_is_not_adopted() -> None:
    with pytest.raises(NoteMalformedError):
        adopt_cosignatures(head(7), answer=b"<html>", keys=[WITNESS_KEY])


def test_log_that_is_not_watched_is_answered_404() -> None:
    stranger = VerifierKey(name="other.example", kind=SignatureKind.ED25519, public=LOG.public)
    for keys in ((), (stranger,)):
        with pytest.raises(UnknownOriginError) as caught:
            decide(ask(3, 7), log_keys=keys)
        assert caught.value.status == 404


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(head(7, key=OTHER), id="another-key"),
        pytest.param(head(6).replace("\n6\n", "\n7\n"), id="changed-checkpoint"),
    ],
)
def test_checkpoint_that_the_log_did_not_sign_is_answered_403(note: str) -> None:
    with pytest.raises(LogUnsignedError) as caught:
        decide(ask(3, 7, note=note))

    assert caught.value.status == 403


def test_witness_key_of_the_same_name_does_not_speak_for_the_log() -> None:
    key = VerifierKey(name=ORIGIN, kind=SignatureKind.COSIGNATURE_V1, public=LOG.public)
    line = cosign_checkpoint(parse(head(7)), name=ORIGIN, key=LOG, now_s=1).line
    note = f"{parse(head(7)).text}\n{line}"

    with pytest.raises(LogUnsignedError):
        decide(ask(3, 7, note=note), log_keys=(key,))


def parse(note: str) -> Checkpoint:
    size = int(parse_note(note).text.split("\n")[1])
    return Checkpoint(origin=ORIGIN, size=size, root=root_at(size))


def test_old_size_above_the_new_one_is_answered_400() -> None:
    with pytest.raises(WitnessRequestError) as caught:
        decide(ask(5, 3, proof=[]), known_size=5)

    assert caught.value.status == 400


@pytest.mark.parametrize("known_size", [0, 2, 5])
def test_request_from_another_size_is_answered_409_with_the_size(known_size: int) -> None:
    with pytest.raises(StaleSizeError) as caught:
        decide(ask(3, 7), known_size=known_size)

    assert (caught.value.status, caught.value.body) == (409, f"{known_size}\n")


@pytest.mark.parametrize(
    ("request_", "known_size"),
    [
        pytest.param(ask(3, 7, proof=[]), 3, id="no-proof"),
        pytest.param(ask(3, 7, proof=[LEAVES[0]] * 3), 3, id="wrong-proof"),
        pytest.param(ask(0, 7, proof=[LEAVES[0]]), 0, id="proof-from-nothing"),
        pytest.param(ask(0, 0, note=head(0, root=LEAVES[0])), 0, id="empty-tree-with-a-root"),
        pytest.param(
            ask(3, 3, note=head(3, root=LEAVES[0]), proof=[LEAVES[0]]), 3, id="proof-of-one-size"
        ),
        pytest.param(ask(3, 7, note=head(7, root=LEAVES[0])), 3, id="fork"),
    ],
)
def test_log_that_does_not_provably_append_is_answered_422(
    request_: AddCheckpointRequest, known_size: int
) -> None:
    with pytest.raises(WitnessProofError) as caught:
        decide(request_, known_size=known_size)

    assert caught.value.status == 422


def test_two_roots_at_one_size_are_answered_409() -> None:
    with pytest.raises(ForkedRootError) as caught:
        decide(ask(3, 3, note=head(3, root=LEAVES[0])))

    assert caught.value.status == 409


def test_history_that_was_rewritten_is_answered_422() -> None:
    with pytest.raises(WitnessProofError):
        decide(ask(3, 7), known_root=EMPTY_ROOT)


def test_each_refusal_has_its_code_and_status() -> None:
    leaves = WitnessRefusalError.__subclasses__()

    assert {leaf.status for leaf in leaves} == {400, 403, 404, 409, 422}
    assert len({leaf.code for leaf in leaves}) == len(leaves)
