"""Entries of the exchange log: one canonical form, hashes and codes only."""

from dataclasses import replace

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.entry import (
    AbortedEntry,
    AnchorEntry,
    ConsentEntry,
    EntryError,
    ErasedEntry,
    ExchangeEntry,
    GenesisEntry,
    HeadEntry,
    KeyChangeEntry,
    KnownKind,
    MemberKeyEntry,
    MemberStandingEntry,
    PreviousLog,
    RegistryEntry,
    RequestEntry,
    ResponseEntry,
    StartEntry,
    StatusListEntry,
    StopEntry,
    UnackedEntry,
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
BATCH = replace(
    EXCHANGE, code="batch", use=2, consents=(CONSENT, ROOT, MSG), codes=("full", "mix", "quota")
)
CONTINUED = replace(
    GENESIS, previous=PreviousLog(origin="alpha.example/log", head=HEAD, reason="year")
)
ENTRIES = {
    "genesis": GENESIS,
    "request": REQUEST,
    "exchange": EXCHANGE,
    "response": RESPONSE,
    "consent": CHANGE,
    "unacked": UnackedEntry(at_ms=6, xid=XID, peer="beta.example", ans=ANS),
    "aborted": AbortedEntry(at_ms=7, peer="beta.example", n=2, reason="given-up"),
    "key": KeyChangeEntry(at_ms=8, use="message", kid="kid", statement=MSG),
    "head": HeadEntry(at_ms=9, origin="beta.example/log", head=HEAD),
    "erased": ErasedEntry(at_ms=10, xid=XID, peer="beta.example", basis="revoked", msgs=(MSG, ANS)),
    "anchor": AnchorEntry(at_ms=11, head=HEAD, authority="tsa.example", token=MSG),
    "start": StartEntry(at_ms=12, software="chengxin 1"),
    "stop": StopEntry(at_ms=13),
    "registry": RegistryEntry(at_ms=14, seq=2, hash=MSG),
    "member": MemberStandingEntry(at_ms=15, member="beta.example", status="left", registry=2),
    "member-key": MemberKeyEntry(
        at_ms=16, member="beta.example", use="log", kid="kid", event="entered", registry=2
    ),
    "status-list": StatusListEntry(at_ms=17, statuses=MSG, count=3),
}
WITH_OPTIONAL_MEMBERS = {
    "batch": BATCH,
    "continued": CONTINUED,
    "aborted-request": AbortedEntry(at_ms=7, peer="b.example", n=2, reason="not-sent", xid=XID),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_reads_back(entry: KnownKind) -> None:
    assert parse_entry(format_entry(entry)) == entry


@pytest.mark.parametrize("entry", WITH_OPTIONAL_MEMBERS.values(), ids=WITH_OPTIONAL_MEMBERS)
def test_an_entry_with_its_optional_members_reads_back(entry: KnownKind) -> None:
    assert parse_entry(format_entry(entry)) == entry


@pytest.mark.parametrize(("kind", "entry"), ENTRIES.items(), ids=ENTRIES)
def test_an_entry_names_its_version_kind_and_time(kind: str, entry: KnownKind) -> None:
    value = parse_object(format_entry(entry))

    assert (value["v"], value["type"], value["at"]) == (1, kind, entry.at_ms)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_a_member_missing_is_refused(entry: KnownKind) -> None:
    value = parse_object(format_entry(entry))
    for name in set(value) - {"type"}:
        rest = {key: one for key, one in value.items() if key != name}

        with pytest.raises(EntryError):
            parse_entry(canonical_json(rest))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_another_member_is_refused(entry: KnownKind) -> None:
    value = parse_object(format_entry(entry))

    with pytest.raises(EntryError, match="unknown member"):
        parse_entry(canonical_json(value | {"subject": "sim:1"}))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_with_a_member_of_another_kind_is_refused(entry: KnownKind) -> None:
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
        ("codes", []),
        ("codes", ["full", "mix"]),
        ("codes", [1]),
        ("codes", [""]),
        ("codes", "full"),
    ],
)
def test_a_decision_with_a_wrong_value_is_refused(name: str, value: JsonValue) -> None:
    with pytest.raises(EntryError):
        parse_entry(canonical_json(parse_object(format_entry(EXCHANGE)) | {name: value}))


def test_a_batch_counts_no_more_uses_than_it_has_questions() -> None:
    with pytest.raises(EntryError, match="more than there were questions"):
        parse_entry(canonical_json(parse_object(format_entry(BATCH)) | {"use": 4}))


def test_a_hundred_questions_with_their_codes_fit_into_one_entry() -> None:
    consents = tuple(sha256(bytes([number])) for number in range(100))
    member = "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 61
    entry = replace(
        BATCH, peer=member, use=100, consents=consents, codes=("frequency-exceeded",) * 100
    )

    assert parse_entry(format_entry(entry)) == entry


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
    "raw", [b'{"at":1,"more":[],"type":"genesis","v":2}', b'{"at":1,"type":"later","v":1}']
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
