"""The auditor's short cuts: what is in the usual spelling is taken, anything else is left."""

import pytest

from protocol.entry import (
    ExchangeEntry,
    RequestEntry,
    ResponseEntry,
    find_quick,
    format_entry,
    parse_entry,
)
from protocol.message import Envelope, LogHead, RegistryReference, format_envelope
from protocol.quick_message import find_quick_envelope
from protocol.strict_json import canonical_json

HEAD = LogHead(size=7, root=bytes(range(32)))
REQUEST = RequestEntry(
    at_ms=1,
    xid=bytes(range(16)),
    peer="beta.example",
    n=1,
    op="query",
    msg=bytes(32),
    purpose="P1",
    consents=(bytes(32),),
)
EXCHANGE = ExchangeEntry(
    at_ms=1,
    xid=bytes(16),
    peer="alpha.example",
    peer_n=1,
    n=2,
    op="query",
    msg=bytes(32),
    ans=bytes(32),
    code="full",
    use=1,
    consents=(),
    head=HEAD,
)
RESPONSE = ResponseEntry(
    at_ms=1,
    xid=bytes(16),
    peer="beta.example",
    peer_n=2,
    msg=bytes(32),
    ans=bytes(32),
    code="200",
    head=HEAD,
)
CLAIMS = Envelope(
    iss="alpha.example",
    aud="beta.example",
    jti=bytes(16),
    iat=1,
    exp=2,
    op="query",
    bd=bytes(32),
    blen=3,
    bct="application/vnd.chengxin.query+json",
    reg=RegistryReference(seq=1, hash=bytes(32)),
    n=1,
    head=HEAD,
)


@pytest.mark.parametrize("entry", [REQUEST, EXCHANGE, RESPONSE], ids=lambda one: type(one).__name__)
def test_an_entry_of_an_exchange_is_taken(
    entry: RequestEntry | ExchangeEntry | ResponseEntry,
) -> None:
    raw = format_entry(entry)

    assert find_quick(raw) == parse_entry(raw) == entry


@pytest.mark.parametrize(
    "raw",
    [
        format_entry(REQUEST).replace(b'"op":"query"', b'"op":"dance"'),
        format_entry(EXCHANGE).replace(b'"op":"query"', b'"op":"dance"'),
        format_entry(RESPONSE).replace(b'"code":"200"', b'"code":"A B"'),
        format_entry(REQUEST).replace(b'"at":1', b'"at":01'),
        b'{"ans":"' + b"A" * 3_000 + b'"}',
        b"",
    ],
)
def test_another_entry_is_left_to_the_parser(raw: bytes) -> None:
    assert find_quick(raw) is None


def test_claims_are_taken() -> None:
    assert find_quick_envelope(canonical_json(format_envelope(CLAIMS))) == CLAIMS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"op":"query"', b'"op":"answer"'),
        (b'"op":"query"', b'"op":"dance"'),
        (b'"v":1', b'"v":2'),
    ],
)
def test_other_claims_are_left_to_the_parser(old: bytes, new: bytes) -> None:
    raw = canonical_json(format_envelope(CLAIMS)).replace(old, new)

    assert find_quick_envelope(raw) is None
