"""The short cuts of the auditor read what the parsers read, or leave it to them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from protocol.entry import (
    EntryError,
    ExchangeEntry,
    RequestEntry,
    ResponseEntry,
    find_quick,
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
from protocol.quick_message import find_quick_envelope
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
