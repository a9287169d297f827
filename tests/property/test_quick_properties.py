"""The short cuts of the auditor read what the parsers read, or leave it to them."""

import binascii
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import encode_b64u
from protocol.entry import (
    EntryError,
    ExchangeEntry,
    RequestEntry,
    RequestTexts,
    ResponseEntry,
    ResponseTexts,
    find_asked_purpose,
    find_entry_texts,
    find_quick,
    find_received_head,
    format_entry,
    parse_entry,
)
from protocol.errors import ProtocolError
from protocol.message import (
    OPERATIONS,
    Envelope,
    LogHead,
    RegistryReference,
    format_envelope,
    is_reply,
    parse_envelope,
)
from protocol.quick_message import (
    OwnTexts,
    build_claim_frame,
    find_claim_texts,
    find_quick_envelope,
)
from protocol.strict_json import canonical_json

HASHES = st.binary(min_size=32, max_size=32)
XIDS = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(min_value=0, max_value=2**53 - 1)
NAMES = st.sampled_from(["alpha.example", "b", "x-1.example", "ÄRGER", "UPPER.example", "a_b"])
OPS = st.sampled_from(sorted(OPERATIONS))
HEADS = st.builds(LogHead, size=NUMBERS, root=HASHES)
CONSENTS = st.lists(HASHES, max_size=2, unique=True).map(tuple)
CODES = st.sampled_from(["full", "no-answer", "200", "Odd code", "é"])
REQUESTS = st.builds(
    RequestEntry,
    at_ms=NUMBERS,
    xid=XIDS,
    peer=NAMES,
    n=NUMBERS,
    op=OPS,
    msg=HASHES,
    purpose=st.sampled_from(["P1", "-", "é"]),
    consents=CONSENTS,
)
EXCHANGES = st.builds(
    ExchangeEntry,
    at_ms=NUMBERS,
    xid=XIDS,
    peer=NAMES,
    peer_n=NUMBERS,
    n=NUMBERS,
    op=OPS,
    msg=HASHES,
    ans=HASHES,
    code=CODES,
    use=st.integers(min_value=0, max_value=1),
    consents=CONSENTS,
    head=HEADS,
)
RESPONSES = st.builds(
    ResponseEntry,
    at_ms=NUMBERS,
    xid=XIDS,
    peer=NAMES,
    peer_n=NUMBERS,
    msg=HASHES,
    ans=HASHES,
    code=CODES,
    head=HEADS,
)
ENVELOPES = st.builds(
    Envelope,
    iss=NAMES,
    aud=NAMES,
    jti=XIDS,
    iat=NUMBERS,
    exp=NUMBERS,
    op=OPS,
    bd=HASHES,
    blen=NUMBERS,
    bct=st.sampled_from(["application/vnd.chengxin.query+json", "é"]),
    reg=st.builds(
        RegistryReference, seq=st.integers(min_value=1, max_value=2**53 - 1), hash=HASHES
    ),
    n=NUMBERS,
    head=HEADS,
    consents=CONSENTS,
)
PLAIN = st.sampled_from(["alpha.example", "b", "x-1.example"])
# What is found of an entry is asked for with every octet as it was, or one changed anywhere.
CHANGES = st.none() | st.tuples(st.integers(min_value=0, max_value=2**10), st.integers(0, 255))


def change(raw: bytes, at: tuple[int, int] | None) -> bytes:
    if at is None:
        return raw
    changed = bytearray(raw)
    changed[at[0] % len(raw)] = at[1]
    return bytes(changed)


def parse(raw: bytes) -> object:
    try:
        return parse_entry(raw)
    except EntryError:
        return None


def parse_claims(raw: bytes) -> object:
    try:
        return parse_envelope(raw)
    except ProtocolError:
        return None


def reply_to(envelope: Envelope, *, req: bytes, st_text: str) -> Envelope:
    return replace(envelope, req=req, st=st_text) if is_reply(envelope.op) else envelope


@given(entry=st.one_of(REQUESTS, EXCHANGES, RESPONSES))
def test_an_entry_is_read_alike(entry: RequestEntry | ExchangeEntry | ResponseEntry) -> None:
    raw = format_entry(entry)

    assert find_quick(raw) in {None, parse_entry(raw)}


@given(entry=EXCHANGES, position=st.integers(min_value=0), octet=st.integers(0, 255))
def test_a_changed_octet_of_an_entry_is_read_alike(
    entry: ExchangeEntry, position: int, octet: int
) -> None:
    raw = bytearray(format_entry(entry))
    raw[position % len(raw)] = octet

    assert find_quick(bytes(raw)) in {None, parse(bytes(raw))}


@given(envelope=ENVELOPES, req=HASHES, st_text=st.sampled_from(["200", "202", "schema"]))
def test_claims_are_read_alike(envelope: Envelope, req: bytes, st_text: str) -> None:
    raw = canonical_json(format_envelope(reply_to(envelope, req=req, st_text=st_text)))

    assert find_quick_envelope(raw) in {None, parse_envelope(raw)}


@given(envelope=ENVELOPES, req=HASHES, position=st.integers(min_value=0), octet=st.integers(0, 255))
def test_a_changed_octet_of_claims_is_read_alike(
    envelope: Envelope, req: bytes, position: int, octet: int
) -> None:
    raw = bytearray(canonical_json(format_envelope(reply_to(envelope, req=req, st_text="200"))))
    raw[position % len(raw)] = octet

    assert find_quick_envelope(bytes(raw)) in {None, parse_claims(bytes(raw))}


@given(
    entry=st.builds(replace, REQUESTS, peer=PLAIN, purpose=st.sampled_from(["P1", "-"])), at=CHANGES
)
def test_a_request_is_found_by_what_it_must_say(
    entry: RequestEntry, at: tuple[int, int] | None
) -> None:
    texts = find_entry_texts(format_entry(entry))
    if not isinstance(texts, RequestTexts):
        return  # Of another spelling: of two consents, or a number that is too large.
    raw = change(format_entry(entry), at)

    purpose = find_asked_purpose(
        raw,
        consents=texts.consents,
        msg=texts.msg,
        n=texts.n,
        op=texts.op,
        peer=texts.peer,
        xid=texts.xid,
    )

    found = find_quick(raw)
    is_that = isinstance(found, RequestEntry) and found == replace(
        entry, at_ms=found.at_ms, purpose=found.purpose
    )
    assert (None if purpose is None else purpose.decode()) == (
        found.purpose if isinstance(found, RequestEntry) and is_that else None
    )


@given(entry=st.builds(replace, RESPONSES, peer=PLAIN, code=st.just("200")), at=CHANGES)
def test_a_response_is_found_by_what_it_must_say(
    entry: ResponseEntry, at: tuple[int, int] | None
) -> None:
    texts = find_entry_texts(format_entry(entry))
    if not isinstance(texts, ResponseTexts):
        return  # A number is too large.
    raw = change(format_entry(entry), at)

    head = find_received_head(
        raw, ans=texts.ans, msg=texts.msg, peer=texts.peer, peer_n=texts.peer_n, xid=texts.xid
    )

    found = find_entry_texts(raw)
    is_that = isinstance(found, ResponseTexts) and found == texts._replace(
        at=found.at, head=found.head
    )
    assert head == (found.head if isinstance(found, ResponseTexts) and is_that else None)


@given(envelope=ENVELOPES, req=HASHES)
def test_claims_are_written_as_they_were_read(envelope: Envelope, req: bytes) -> None:
    raw = canonical_json(format_envelope(reply_to(envelope, req=req, st_text="200")))
    texts = find_claim_texts(raw)
    if texts is None:
        return  # Left to the parser.
    own = OwnTexts(
        texts.bd,
        int(texts.blen),
        texts.consents,
        texts.head,
        texts.jti,
        texts.n,
        texts.req or b"",
    )

    written = build_claim_frame(texts).write(own)

    assert written == raw
    assert binascii.b2a_base64(written, newline=False).rstrip(b"=").decode() == encode_b64u(raw)
