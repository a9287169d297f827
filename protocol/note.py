"""C2SP signed note: a text, and under it one line for each signature.

The parser accepts exactly what the formatter writes. A verifier ignores the signatures of keys
that it does not know, and refuses the whole note when a key that it does know fails: name and key
id say which key signed, so such a note was tampered with. Two signature types are spoken: 0x01
(Ed25519 over the text) for a log, 0x04 (``cosignature/v1``, over a time and the text) for a
witness.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from protocol.encoding import sha256
from protocol.errors import MalformedError, SignatureInvalidError, TooLargeError
from protocol.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, PublicKey, SigningKey
from protocol.limits import KEY_NAME_BYTES_MAX, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX

KEY_ID_BYTES = 4
TIMESTAMP_BYTES = 8
TIMESTAMP_S_MAX = 2**63 - 1
SIGNATURE_LINE_START = "\u2014 "  # An em dash: no text line that people write starts with it.

_NOT_IN_NAME = re.compile(r"[\s+\x00-\x1f]")
_NOT_IN_NOTE = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteMalformedError(MalformedError):
    """The text is no signed note, or not in its one canonical form."""

    code = "note-malformed"


class VerifierKeyError(MalformedError):
    """The text is no verifier key of a type that we speak."""

    code = "vkey-invalid"


class NoteSignatureError(SignatureInvalidError):
    """A signature by a known key does not verify; the whole note is refused."""

    code = "note-signature-invalid"


class NoteUnsignedError(SignatureInvalidError):
    """No known key has signed the note."""

    code = "note-unsigned"


class SignatureKind(IntEnum):
    """The signature types of C2SP that we speak."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A named public key; name and key id together say which key made a signature."""

    name: str
    kind: SignatureKind
    public: PublicKey
    key_id: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Check the name and derive the key id.

        Raises:
            NoteMalformedError: No key may have this name.
        """
        name = check_key_name(self.name).encode()
        digest = sha256(name, b"\n", bytes([self.kind]), self.public.raw)
        object.__setattr__(self, "key_id", digest[:KEY_ID_BYTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who claims to have signed, and the bytes."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """Return the line with its newline."""
        return f"{SIGNATURE_LINE_START}{self.name} {encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """A signature that verified, and when a witness says that it made it."""

    key: VerifierKey
    at_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note: nothing in it is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


def encode_base64(value: bytes) -> str:
    """Encode as standard base64 with padding (RFC 4648 §4)."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def decode_base64(text: str, *, bytes_exact: int | None = None) -> bytes:
    """Decode standard base64, accepting exactly what ``encode_base64`` would write.

    Raises:
        MalformedError: Another alphabet, padding or spelling, or another length.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as err:
        raise MalformedError("not base64") from err
    if encode_base64(value) != text:
        raise MalformedError("not canonical base64")
    if bytes_exact is not None and len(value) != bytes_exact:
        raise MalformedError(f"{len(value)} bytes where {bytes_exact} are due")
    return value


def decode_text(raw: bytes, *, bytes_max: int = NOTE_BYTES_MAX) -> str:
    """Read bytes from outside as the text of a note, request or proof.

    Raises:
        TooLargeError: More bytes than the limit.
        NoteMalformedError: Not UTF-8.
    """
    if len(raw) > bytes_max:
        raise TooLargeError(f"more than {bytes_max} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise NoteMalformedError("not UTF-8") from err


def check_key_name(name: str) -> str:
    """Check the name of a key, which for a log is its origin too, and return it.

    Raises:
        NoteMalformedError: Empty, too long, or with a space, a plus or a control character.
    """
    if not name or len(encode_text(name)) > KEY_NAME_BYTES_MAX:
        raise NoteMalformedError(f"a key name has 1 to {KEY_NAME_BYTES_MAX} bytes")
    if _NOT_IN_NAME.search(name):
        raise NoteMalformedError("a key name has no space, plus or control character")
    return name


def encode_text(text: str) -> bytes:
    """Return the UTF-8 bytes that a signature covers.

    Raises:
        NoteMalformedError: The text holds a lone surrogate.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as err:
        raise NoteMalformedError("not UTF-8") from err


def parse_vkey(text: str) -> VerifierKey:
    """Read a verifier key ``<name>+<key id>+<base64>``.

    Raises:
        VerifierKeyError: Another form, a type that we do not speak, or an id of another key.
    """
    name, _, rest = text.partition("+")
    material_b64 = rest.partition("+")[2]
    try:
        material = decode_base64(material_b64, bytes_exact=1 + PUBLIC_KEY_BYTES)
        kind = SignatureKind(material[0])
        key = VerifierKey(name=name, kind=kind, public=PublicKey(material[1:]))
    except (MalformedError, ValueError) as err:
        raise VerifierKeyError("not a verifier key of a type that we speak") from err
    if format_vkey(key) != text:
        raise VerifierKeyError("the key id is not that of the key")
    return key


def format_vkey(key: VerifierKey) -> str:
    """Write a verifier key."""
    return f"{key.name}+{key.key_id.hex()}+{encode_base64(bytes([key.kind]) + key.public.raw)}"


def parse_note(text: str) -> Note:
    """Split a note into its text and its signature lines.

    Raises:
        TooLargeError: More bytes or signatures than the limits.
        NoteMalformedError: Another form.
    """
    if len(encode_text(text)) > NOTE_BYTES_MAX:
        raise TooLargeError(f"a note has at most {NOTE_BYTES_MAX} bytes")
    if _NOT_IN_NOTE.search(text):
        raise NoteMalformedError("a note holds no control character")
    # The last empty line parts text and signatures; the text may have empty lines of its own.
    body, gap, lines = text.rpartition("\n\n")
    if not gap:
        raise NoteMalformedError("no empty line before the signatures")
    return Note(text=body + "\n", signatures=parse_signature_lines(lines))


def parse_signature_lines(text: str) -> tuple[NoteSignature, ...]:
    """Read one or more signature lines, which is also what a witness answers.

    Raises:
        TooLargeError: More signatures than the limit.
        NoteMalformedError: None, or a line of another form.
    """
    *lines, rest = text.split("\n", NOTE_SIGNATURES_MAX + 1)
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise TooLargeError(f"a note has at most {NOTE_SIGNATURES_MAX} signatures")
    if not lines or rest:
        raise NoteMalformedError("no signature lines, or the last has no newline")
    return tuple(_parse_signature_line(line) for line in lines)


def format_note(note: Note) -> str:
    """Write a note.

    Raises:
        NoteMalformedError: It would not read back as the same note.
    """
    text = f"{note.text}\n{''.join(signature.line for signature in note.signatures)}"
    if parse_note(text) != note:
        raise NoteMalformedError("the parts do not make a note")
    return text


def add_signatures(text: str, signatures: Iterable[NoteSignature]) -> str:
    """Add signatures to a note; a key that signed before keeps its place and shows its new one.

    Raises:
        NoteMalformedError: The text is no note.
    """
    note = parse_note(text)
    merged = {(old.name, old.key_id): old for old in note.signatures}
    merged.update({(new.name, new.key_id): new for new in signatures})
    return format_note(Note(text=note.text, signatures=tuple(merged.values())))


def sign_text(text: str, *, name: str, key: SigningKey) -> NoteSignature:
    """Sign a note's text with an Ed25519 key under a name."""
    vkey = VerifierKey(name=name, kind=SignatureKind.ED25519, public=key.public)
    return NoteSignature(name=name, key_id=vkey.key_id, value=key.sign(encode_text(text)))


def cosign_text(text: str, *, name: str, key: SigningKey, at_s: int) -> NoteSignature:
    """Sign a note's text as a witness at a time."""
    vkey = VerifierKey(name=name, kind=SignatureKind.COSIGNATURE_V1, public=key.public)
    value = at_s.to_bytes(TIMESTAMP_BYTES, "big") + key.sign(_cosigned_message(text, at_s=at_s))
    return NoteSignature(name=name, key_id=vkey.key_id, value=value)


def verify_note(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifiedSignature, ...]:
    """Verify the signatures of the known keys: one for each key that signed, a witness's latest.

    Raises:
        NoteSignatureError: A known key's signature does not verify.
        NoteUnsignedError: No known key has signed.
    """
    verified: dict[VerifierKey, VerifiedSignature] = {}
    for signature in note.signatures:
        for key in keys:
            if (key.name, key.key_id) != (signature.name, signature.key_id):
                continue
            at_s = _verify_signature(note.text, signature.value, key=key)
            earlier = verified.get(key)
            if earlier is None or (earlier.at_s or 0) < (at_s or 0):
                verified[key] = VerifiedSignature(key=key, at_s=at_s)
    if not verified:
        raise NoteUnsignedError("no known key has signed the note")
    return tuple(verified.values())


def _parse_signature_line(line: str) -> NoteSignature:
    if not line.startswith(SIGNATURE_LINE_START):
        raise NoteMalformedError("a signature line starts with an em dash")
    name, _, value_b64 = line.removeprefix(SIGNATURE_LINE_START).partition(" ")
    try:
        value = decode_base64(value_b64)
    except MalformedError as err:
        raise NoteMalformedError("a signature is canonical base64") from err
    if len(value) <= KEY_ID_BYTES:
        raise NoteMalformedError("a signature has a key id and at least one byte")
    return NoteSignature(
        name=check_key_name(name), key_id=value[:KEY_ID_BYTES], value=value[KEY_ID_BYTES:]
    )


def _verify_signature(text: str, value: bytes, *, key: VerifierKey) -> int | None:
    """Verify one signature and return its time if it has one."""
    at_s: int | None = None
    message, signature = encode_text(text), value
    if key.kind is SignatureKind.COSIGNATURE_V1:
        if len(value) != TIMESTAMP_BYTES + SIGNATURE_BYTES:
            raise NoteSignatureError("a cosignature has a time and a signature")
        at_s = int.from_bytes(value[:TIMESTAMP_BYTES], "big")
        # The specification forbids a time of 0 on a checkpoint, and one above 63 bits anywhere.
        if not 0 < at_s <= TIMESTAMP_S_MAX:
            raise NoteSignatureError("a cosignature's time is out of range")
        message, signature = _cosigned_message(text, at_s=at_s), value[TIMESTAMP_BYTES:]
    try:
        key.public.verify(message, signature)
    except SignatureInvalidError as err:
        raise NoteSignatureError(f"the signature of {key.name} does not verify") from err
    return at_s


def _cosigned_message(text: str, *, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n".encode() + encode_text(text)
