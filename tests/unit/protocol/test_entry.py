"""Entries of the exchange log: one canonical form, hashes and codes only."""

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.entry import (
    ConsentEntry,
    EntryError,
    ExchangeEntry,
    GenesisEntry,
    RequestEntry,
    ResponseEntry,
    UnknownEntry,
    format_entry,
    parse_entry,
)
from protocol.errors import TooLargeError
from protocol.limits import LOG_ENTRY_BYTES_MAX
from protocol.message import LogHead
from protocol.strict_json import JsonValue, canonical_json, parse_object

XID = bytes(range(16))
MSG, ANS, CONSENT, ROOT = (sha256(name) for name in (b"msg", b"ans", b"consent", b"root"))
HEAD = LogHead(size=3, root=ROOT)
GENESIS = GenesisEntry(at_ms=1, member="alpha.example", origin="alpha.example/log")
REQUEST = RequestEntry(
    at_ms=2,
    xid=XID,
    peer="beta.example",
    n=1,
    op="query",
    msg=MSG,
    purpose="P1",
    consents=(CONSENT,),
)
EXCHANGE = ExchangeEntry(
    at_ms=3,
    xid=XID,
    peer="alpha.example",
    peer_n=1,
    n=4,
    op="query",
    msg=MSG,
    ans=ANS,
    code="full",
    use=1,
    consents=(CONSENT,),
    head=HEAD,
)
RESPONSE = ResponseEntry(
    at_ms=4,
    xid=XID,
    peer="beta.example",
    peer_n=4,
    msg=MSG,
    ans=ANS,
    code="200",
    head=HEAD,
)
CHANGE = ConsentEntry(at_ms=5, consent=CONSENT, seq=1, state="revoked", status=ANS)
ENTRIES = {
    "genesis": GENESIS,
    "request": REQUEST,
    "exchange": EXCHANGE,
    "response": RESPONSE,
    "consent": CHANGE,
}
Known = GenesisEntry | RequestEntry | ExchangeEntry | ResponseEntry | ConsentEntry


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_reads_back(entry: Known) -> None:
    assert parse_entry(format_entry(entry)) == entry


@pytest.mark.parametrize(("kind", "entry"), ENTRIES.items(), ids=ENTRIES)
def test_an_entry_names_its_version_kind_and_time(kind: str, entry: Known) -> None:
    value = parse_object(format_entry(entry))

    assert (value["v"], value["type"], value["at"]) == (1, kind, entry.at_ms)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_a_member_missing_is_refused(entry: Known) -> None:
    value = parse_object(format_entry(entry))
    for name in set(value) - {"type"}:
        rest = {key: one for key, one in value.items() if key != name}

        with pytest.raises(EntryError):
            parse_entry(canonical_json(rest))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_another_member_is_refused(entry: Known) -> None:
    value = parse_object(format_entry(entry))

    with pytest.raises(EntryError, match="unknown member"):
        parse_entry(canonical_json(value | {"subject": "sim:1"}))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_a_member_of_another_kind_is_refused(entry: Known) -> None:
    value = parse_object(format_entry(entry))
    for name in set(value) - {"v", "type"}:
        with pytest.raises(EntryError):
            parse_entry(canonical_json(value | {name: True}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use", 2),
        ("op", "gossip"),
        ("xid", encode_b64u(MSG)),
        ("msg", encode_b64u(XID)),
        ("code", ""),
        ("consents", [encode_b64u(MSG)] * 2),
        ("consents", [encode_b64u(XID)]),
        ("head", {"size": 1, "root": encode_b64u(MSG), "more": 1}),
        ("peer_n", -1),
    ],
)
def test_a_decision_with_a_wrong_value_is_refused(name: str, value: JsonValue) -> None:
    with pytest.raises(EntryError):
        parse_entry(canonical_json(parse_object(format_entry(EXCHANGE)) | {name: value}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"v":1}',
        b'{"at": 1,"member":"a","origin":"o","type":"genesis","v":1}',
        b'{"v":1,"type":"genesis","member":"a","at":1,"origin":"o"}',
        b'{"at":1,"at":1,"member":"a","origin":"o","type":"genesis","v":1}',
    ],
    ids=["empty", "list", "no-utf-8", "short", "space", "order", "duplicate"],
)
def test_bytes_that_are_no_canonical_entry_are_refused(raw: bytes) -> None:
    with pytest.raises(EntryError):
        parse_entry(raw)


@pytest.mark.parametrize(
    "raw", [b'{"at":1,"more":[],"type":"genesis","v":2}', b'{"at":1,"type":"anchor","v":1}']
)
def test_an_entry_of_a_later_version_or_kind_is_not_understood(raw: bytes) -> None:
    assert isinstance(parse_entry(raw), UnknownEntry)


def test_an_entry_over_the_limit_is_neither_written_nor_read() -> None:
    consents = tuple(sha256(bytes([number])) for number in range(200))

    with pytest.raises(TooLargeError):
        format_entry(
            RequestEntry(
                at_ms=1,
                xid=XID,
                peer="beta.example",
                n=1,
                op="query",
                msg=MSG,
                purpose="P1",
                consents=consents,
            )
        )
    with pytest.raises(EntryError):
        parse_entry(b" " * (LOG_ENTRY_BYTES_MAX + 1))
