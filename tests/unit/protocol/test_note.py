"""Signed notes: one form, known keys must verify, unknown ones are ignored."""

import base64
from collections.abc import Callable

import pytest

from protocol.encoding import sha256
from protocol.errors import MalformedError, TooLargeError
from protocol.keys import PublicKey, SigningKey
from protocol.note import (
    Note,
    NoteMalformedError,
    NoteSignature,
    NoteSignatureError,
    NoteUnsignedError,
    SignatureKind,
    VerifiedSignature,
    VerifierKey,
    VerifierKeyError,
    add_signatures,
    check_key_name,
    cosign_text,
    decode_base64,
    decode_text,
    format_note,
    format_vkey,
    parse_note,
    parse_signature_lines,
    parse_vkey,
    sign_text,
    verify_note,
)

# The example of c2sp.org/signed-note.
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
    "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

TEXT = "a first line\n\na line after an empty one\n"
LOG = SigningKey(sha256(b"note test: log"))
WITNESS = SigningKey(sha256(b"note test: witness"))
LOG_KEY = VerifierKey(name="log.example/a", kind=SignatureKind.ED25519, public=LOG.public)
WITNESS_KEY = VerifierKey(
    name="witness.example/1", kind=SignatureKind.COSIGNATURE_V1, public=WITNESS.public
)


def signed(*signatures: NoteSignature) -> Note:
    return Note(text=TEXT, signatures=signatures)


def by_log() -> NoteSignature:
    return sign_text(TEXT, name=LOG_KEY.name, key=LOG)


def by_witness(at_s: int = 1_700_000_000) -> NoteSignature:
    return cosign_text(TEXT, name=WITNESS_KEY.name, key=WITNESS, at_s=at_s)


def test_example_of_the_specification_verifies() -> None:
    key = parse_vkey(EXAMPLE_VKEY)

    assert format_vkey(key) == EXAMPLE_VKEY
    assert verify_note(parse_note(EXAMPLE_NOTE), [key]) == (VerifiedSignature(key=key, at_s=None),)


def test_note_reads_back() -> None:
    note = signed(by_log(), by_witness())

    assert parse_note(format_note(note)) == note


@pytest.mark.parametrize("key", [LOG_KEY, WITNESS_KEY], ids=["log", "witness"])
def test_vkey_reads_back(key: VerifierKey) -> None:
    assert parse_vkey(format_vkey(key)) == key


def test_every_cut_or_changed_vkey_is_refused() -> None:
    cuts = {EXAMPLE_VKEY[:end] for end in range(len(EXAMPLE_VKEY))}
    cuts |= {EXAMPLE_VKEY[start:] for start in range(1, len(EXAMPLE_VKEY))}
    changed = {
        EXAMPLE_VKEY[:at] + chr(ord(EXAMPLE_VKEY[at]) ^ 1) + EXAMPLE_VKEY[at + 1 :]
        for at in range(len(EXAMPLE_VKEY))
    }
    for text in cuts | changed | {EXAMPLE_VKEY.replace("530d903a", "530D903A")}:
        with pytest.raises(VerifierKeyError):
            parse_vkey(text)


@pytest.mark.parametrize("kind", [0x00, 0x02, 0x05, 0x06, 0xFF])
def test_vkey_of_a_type_that_we_do_not_speak_is_refused(kind: int) -> None:
    material = bytes([kind]) + LOG.public.raw
    key_id = sha256(b"name\n", material)[:4].hex()

    with pytest.raises(VerifierKeyError):
        parse_vkey(f"name+{key_id}+{base64.b64encode(material).decode()}")


def test_one_public_key_has_another_id_for_each_name_and_type() -> None:
    keys = [
        VerifierKey(name=name, kind=kind, public=LOG.public)
        for name in ("a", "b")
        for kind in SignatureKind
    ]

    assert len({key.key_id for key in keys}) == 4


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\tb", "a\u2003b", "a\nb", "a\x01b", "a" * 256, "\u00e9" * 128]
)
def test_impossible_key_name_is_refused(name: str) -> None:
    with pytest.raises(NoteMalformedError):
        check_key_name(name)


@pytest.mark.parametrize(
    "text", ["QQ", "QQ=", "QQ===", "QR==", "QQ==\n", "Q-==", " QQ==", "\u00e9\u00e9=="]
)
def test_only_canonical_base64_is_read(text: str) -> None:
    assert decode_base64("QQ==") == b"A"
    with pytest.raises(MalformedError):
        decode_base64(text)


def test_base64_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedError):
        decode_base64("QQ==", bytes_exact=2)


def test_bytes_from_outside_are_bounded_utf_8() -> None:
    assert decode_text(b"\xc3\xa9") == "\u00e9"
    with pytest.raises(NoteMalformedError):
        decode_text(b"\xc3")
    with pytest.raises(TooLargeError):
        decode_text(b"ab", bytes_max=1)


LINE = by_log().line
VALUE = LINE.split(" ")[2]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(TEXT, id="no-signature"),
        pytest.param(TEXT + "\n", id="no-signature-line"),
        pytest.param("text\n" + LINE, id="no-empty-line"),
        pytest.param("\n" + LINE, id="no-text"),
        pytest.param(f"{TEXT}\n{LINE}"[:-1], id="no-newline-at-the-end"),
        pytest.param(f"{TEXT}\n{LINE}\n", id="empty-line-at-the-end"),
        pytest.param(f"{TEXT}\n{LINE}rest", id="something-after"),
        pytest.param(f"{TEXT}\n{LINE.replace(chr(0x2014), '-')}", id="hyphen-for-em-dash"),
        pytest.param(f"{TEXT}\n{LINE[0]}{LINE[2:]}", id="no-space-after-the-dash"),
        pytest.param(f"{TEXT}\n\u2014 log.example/a\n", id="no-value"),
        pytest.param(f"{TEXT}\n\u2014  {VALUE}", id="no-name"),
        pytest.param(f"{TEXT}\n\u2014 a+b {VALUE}", id="plus-in-the-name"),
        pytest.param(f"{TEXT}\n\u2014 a\u2003b {VALUE}", id="unicode-space-in-the-name"),
        pytest.param(f"{TEXT}\n\u2014 a  {VALUE}", id="two-spaces"),
        pytest.param(f"{TEXT}\n\u2014 a {VALUE[:-1]} \n", id="space-at-the-end"),
        pytest.param(f"{TEXT}\n\u2014 a QUJDRA==\n", id="key-id-alone"),
        pytest.param(f"{TEXT}\n\u2014 a QUJDREV=\n", id="stray-bits"),
        pytest.param(f"{TEXT}\n\u2014 a QUJDREU\n", id="no-padding"),
        pytest.param(f"a\tb\n\n{LINE}", id="tab-in-the-text"),
        pytest.param(f"a\r\n\n{LINE}", id="carriage-return"),
        pytest.param(f"a\x00\n\n{LINE}", id="null-character"),
        pytest.param(f"\ud800\n\n{LINE}", id="lone-surrogate"),
    ],
)
def test_another_form_is_no_note(text: str) -> None:
    with pytest.raises(NoteMalformedError):
        parse_note(text)


def test_text_and_signatures_part_at_the_last_empty_line() -> None:
    assert parse_note(f"{TEXT}\n{LINE}\n{LINE}").text == f"{TEXT}\n{LINE}"


def test_note_that_is_too_large_is_refused() -> None:
    assert len(parse_note(f"{TEXT}\n{LINE * 64}").signatures) == 64
    with pytest.raises(TooLargeError):
        parse_note(f"{TEXT}\n{LINE * 65}")
    with pytest.raises(TooLargeError):
        parse_note(f"{'x' * 131_072}\n\n{LINE}")


def test_only_parts_that_read_back_are_written() -> None:
    with pytest.raises(NoteMalformedError):
        format_note(Note(text="no newline", signatures=(by_log(),)))
    with pytest.raises(NoteMalformedError):
        format_note(Note(text=f"text\n\n{LINE}"[:-1], signatures=(by_log(),)))
    with pytest.raises(NoteMalformedError):
        format_note(Note(text=TEXT, signatures=()))


def test_unknown_signatures_are_ignored() -> None:
    stranger = NoteSignature(name=LOG_KEY.name, key_id=b"none", value=b"x")
    other_name = NoteSignature(name="other", key_id=LOG_KEY.key_id, value=b"x")

    verified = verify_note(signed(stranger, other_name, by_log()), [LOG_KEY, WITNESS_KEY])

    assert verified == (VerifiedSignature(key=LOG_KEY, at_s=None),)


def test_note_without_a_known_signature_is_refused() -> None:
    with pytest.raises(NoteUnsignedError):
        verify_note(signed(by_log()), [WITNESS_KEY])


def test_bad_signature_of_a_known_key_refuses_the_whole_note() -> None:
    forged = NoteSignature(name=LOG_KEY.name, key_id=LOG_KEY.key_id, value=b"\0" * 64)

    for signatures in ((forged, by_witness()), (by_witness(), by_log(), forged)):
        with pytest.raises(NoteSignatureError):
            verify_note(signed(*signatures), [LOG_KEY, WITNESS_KEY])


def test_signature_does_not_fit_another_text() -> None:
    for signature in (by_log(), by_witness()):
        with pytest.raises(NoteSignatureError):
            verify_note(Note(text=TEXT + "x\n", signatures=(signature,)), [LOG_KEY, WITNESS_KEY])


def test_cosignature_tells_its_time() -> None:
    verified = verify_note(signed(by_log(), by_witness(at_s=7)), [LOG_KEY, WITNESS_KEY])

    assert [(each.key, each.at_s) for each in verified] == [(LOG_KEY, None), (WITNESS_KEY, 7)]


def test_of_two_cosignatures_the_later_counts() -> None:
    for times in ((7, 9), (9, 7)):
        note = signed(*(by_witness(at_s) for at_s in times))
        assert [each.at_s for each in verify_note(note, [WITNESS_KEY])] == [9]


def resigned(at_s: int) -> NoteSignature:
    """Sign a time outside the range in the way that the specification asks for."""
    message = f"cosignature/v1\ntime {at_s}\n{TEXT}".encode()
    value = at_s.to_bytes(8, "big") + WITNESS.sign(message)
    return NoteSignature(name=WITNESS_KEY.name, key_id=WITNESS_KEY.key_id, value=value)


@pytest.mark.parametrize("at_s", [0, 2**63, 2**64 - 1])
def test_cosignature_out_of_time_is_refused(at_s: int) -> None:
    assert verify_note(signed(resigned(2**63 - 1)), [WITNESS_KEY])
    with pytest.raises(NoteSignatureError):
        verify_note(signed(resigned(at_s)), [WITNESS_KEY])


def test_cosignature_of_another_length_is_refused() -> None:
    whole = by_witness()
    for value in (whole.value[8:], whole.value + b"\0", whole.value[:-1]):
        cut = NoteSignature(name=whole.name, key_id=whole.key_id, value=value)
        with pytest.raises(NoteSignatureError):
            verify_note(signed(cut), [WITNESS_KEY])


def test_two_known_keys_with_one_name_and_id_refuse_the_note() -> None:
    # 32 bits collide among some 80,000 keys: whoever configures such a pair learns of it.
    seen: dict[bytes, bytes] = {}
    number = 0
    while True:
        raw = sha256(b"collision", number.to_bytes(4, "big"))
        key_id = sha256(b"name\n\x01", raw)[:4]
        if key_id in seen:
            break
        seen[key_id] = raw
        number += 1
    keys = [
        VerifierKey(name="name", kind=SignatureKind.ED25519, public=PublicKey(public))
        for public in (seen[key_id], raw)
    ]
    note = signed(NoteSignature(name="name", key_id=key_id, value=b"\0" * 64))

    with pytest.raises(NoteSignatureError):
        verify_note(note, keys)


def test_added_signature_replaces_the_earlier_one_of_its_key() -> None:
    note = format_note(signed(by_log(), by_witness(7)))

    again = add_signatures(note, [by_witness(9)])

    assert again == format_note(signed(by_log(), by_witness(9)))


def test_signature_lines_alone_read_back() -> None:
    lines = by_log().line + by_witness().line

    assert parse_signature_lines(lines) == (by_log(), by_witness())


def test_every_changed_byte_of_a_note_is_noticed() -> None:
    raw = format_note(signed(by_log(), by_witness())).encode()
    keys = [LOG_KEY, WITNESS_KEY]
    accepted: list[int] = []
    for at in range(len(raw)):
        broken = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            verified = verify_note(parse_note(decode_text(broken)), keys)
        except (MalformedError, NoteSignatureError, NoteUnsignedError):
            continue
        # A changed name or key id makes one signature unknown: the other still stands, alone.
        assert len(verified) == 1
        accepted.append(at)

    assert all(at > len(TEXT) for at in accepted)


def test_a_name_holds_no_space_plus_or_control_character_of_all_there_are() -> None:
    characters = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    expected = {one for one in characters if one.isspace() or one == "+" or one < " "}

    refused = {one for one in characters if is_refused(check_key_name, f"a{one}b")}

    assert refused == expected


def test_a_note_holds_no_control_character_but_the_newline() -> None:
    characters = [chr(point) for point in range(0x100)]
    rest = f"\n\n{by_log().line}"

    refused = {one for one in characters if is_refused(parse_note, f"text{one}text{rest}")}

    assert refused == {one for one in characters if one < " " and one != "\n"}


def is_refused(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except NoteMalformedError:
        return True
    return False
