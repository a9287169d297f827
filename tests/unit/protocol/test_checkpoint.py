"""Checkpoints: three lines, signed by the key that is named as the origin."""

import pytest

from protocol.checkpoint import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointOriginError,
    format_hash_lines,
    open_checkpoint,
    parse_checkpoint,
    parse_decimal,
    parse_hash_lines,
    sign_checkpoint,
)
from protocol.encoding import sha256
from protocol.errors import MalformedError
from protocol.keys import SigningKey
from protocol.note import (
    Note,
    NoteSignatureError,
    NoteUnsignedError,
    SignatureKind,
    VerifierKey,
    cosign_text,
    format_note,
    sign_text,
)

ORIGIN = "cx.alpha.example/log/2026a"
KEY = SigningKey(sha256(b"checkpoint test: log"))
VKEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=KEY.public)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=42, root=sha256(b"root"))
ROOT_B64 = CHECKPOINT.text.split("\n")[2]


def test_checkpoint_reads_back() -> None:
    assert parse_checkpoint(CHECKPOINT.text) == CHECKPOINT
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, key=KEY), vkey=VKEY) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"{ORIGIN}\n42\n", id="no-root"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64}", id="no-newline"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64}\nextension\n", id="extension-line"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64}\n\n", id="empty-line"),
        pytest.param(f"\n42\n{ROOT_B64}\n", id="no-origin"),
        pytest.param(f"an origin\n42\n{ROOT_B64}\n", id="space-in-the-origin"),
        pytest.param(f"{ORIGIN}\n042\n{ROOT_B64}\n", id="leading-zero"),
        pytest.param(f"{ORIGIN}\n-1\n{ROOT_B64}\n", id="negative"),
        pytest.param(f"{ORIGIN}\n\n{ROOT_B64}\n", id="no-size"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64[:-1]}\n", id="no-padding"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64[4:]}\n", id="short-root"),
        pytest.param(f"{ORIGIN}\n42\n{ROOT_B64[:-2]}{chr(ord(ROOT_B64[-2]) + 1)}=\n", id="bits"),
    ],
)
def test_another_form_is_no_checkpoint(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint(text)


@pytest.mark.parametrize("text", ["0", "1", "9223372036854775807"])
def test_decimal_reads_back(text: str) -> None:
    assert str(parse_decimal(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "00", "01", "+1", "-1", " 1", "1 ", "1\n", "1_0", "0x1", "\u0661", "9223372036854775808"],
)
def test_any_other_number_is_refused(text: str) -> None:
    with pytest.raises(CheckpointMalformedError):
        parse_decimal(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        pytest.param(Checkpoint(origin="two\nlines", size=1, root=b"\0" * 32), id="origin"),
        pytest.param(Checkpoint(origin=ORIGIN, size=-1, root=b"\0" * 32), id="size"),
        pytest.param(Checkpoint(origin=ORIGIN, size=1, root=b"\0" * 31), id="root"),
        pytest.param(Checkpoint(origin=ORIGIN, size=2**63, root=b"\0" * 32), id="large-size"),
    ],
)
def test_values_that_make_no_checkpoint_are_not_signed(checkpoint: Checkpoint) -> None:
    with pytest.raises(MalformedError):
        sign_checkpoint(checkpoint, key=KEY)


def test_checkpoint_of_another_key_is_refused() -> None:
    other = SigningKey(sha256(b"checkpoint test: other"))

    with pytest.raises(NoteUnsignedError):
        open_checkpoint(sign_checkpoint(CHECKPOINT, key=other), vkey=VKEY)


def test_changed_checkpoint_is_refused() -> None:
    note = sign_checkpoint(CHECKPOINT, key=KEY).replace("\n42\n", "\n43\n")

    with pytest.raises(NoteSignatureError):
        open_checkpoint(note, vkey=VKEY)


def test_key_named_otherwise_than_the_origin_does_not_sign_for_it() -> None:
    name = "cx.beta.example/log/2026a"
    vkey = VerifierKey(name=name, kind=SignatureKind.ED25519, public=KEY.public)
    signature = sign_text(CHECKPOINT.text, name=name, key=KEY)
    note = format_note(Note(text=CHECKPOINT.text, signatures=(signature,)))

    with pytest.raises(CheckpointOriginError):
        open_checkpoint(note, vkey=vkey)


def test_cosignature_does_not_stand_for_the_log() -> None:
    vkey = VerifierKey(name=ORIGIN, kind=SignatureKind.COSIGNATURE_V1, public=KEY.public)
    signature = cosign_text(CHECKPOINT.text, name=ORIGIN, key=KEY, at_s=1)
    note = format_note(Note(text=CHECKPOINT.text, signatures=(signature,)))

    with pytest.raises(CheckpointOriginError):
        open_checkpoint(note, vkey=vkey)


def test_hash_lines_read_back_and_are_bounded() -> None:
    hashes = tuple(sha256(bytes([number])) for number in range(63))
    lines = format_hash_lines(hashes).split("\n")[:-1]

    assert parse_hash_lines(lines) == hashes
    with pytest.raises(CheckpointMalformedError):
        parse_hash_lines([*lines, lines[0]])
    with pytest.raises(MalformedError):
        parse_hash_lines([lines[0][4:]])
