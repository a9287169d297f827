import pytest

from protocol.consent import STATUS_LIST_TYP, STATUS_TYP
from protocol.encoding import sha256
from protocol.errors import MalformedError, SchemaError, SignatureInvalidError, UnknownKeyError
from protocol.jws import WrongTypeError, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import CLOCK_AHEAD_S_CEILING, STATUS_LIST_LIFE_S
from protocol.problems import ClockSkewError, ExpiredError
from protocol.status_list import StatusList, open_status_list, sign_status_list
from protocol.strict_json import JsonObject, canonical_json

HUB = SigningKey(sha256(b"status list: hub"))
OTHER = SigningKey(sha256(b"status list: other"))
NOW_S = 1_790_000_000
CLAIMS: JsonObject = {
    "v": 1,
    "hub": "hub.example",
    "iat": NOW_S,
    "exp": NOW_S + STATUS_LIST_LIFE_S,
    "entries": ["a.b.c"],
}


def find_key(kid: str) -> PublicKey:
    if kid != HUB.kid:
        raise UnknownKeyError("no key of the hub")
    return HUB.public


def read(token: str, *, now_s: int = NOW_S) -> StatusList:
    return open_status_list(token, find_key=find_key, now_s=now_s)


@pytest.mark.parametrize("entries", [(), ("a.b.c", "d.e.f")])
def test_list_reads_back(entries: tuple[str, ...]) -> None:
    token = sign_status_list(entries, hub="hub.example", iat=NOW_S, key=HUB)

    assert read(token) == StatusList(hub="hub.example", iat=NOW_S, entries=entries)


def test_list_from_the_future_is_refused_beyond_the_tolerance() -> None:
    token = sign_status_list([], hub="hub.example", iat=NOW_S, key=HUB)

    assert read(token, now_s=NOW_S - CLOCK_AHEAD_S_CEILING).entries == ()
    with pytest.raises(ClockSkewError):
        read(token, now_s=NOW_S - CLOCK_AHEAD_S_CEILING - 1)


def test_list_lives_for_its_life_and_no_second_longer() -> None:
    token = sign_status_list([], hub="hub.example", iat=NOW_S, key=HUB)

    assert read(token, now_s=NOW_S + STATUS_LIST_LIFE_S - 1).entries == ()
    with pytest.raises(ExpiredError):
        read(token, now_s=NOW_S + STATUS_LIST_LIFE_S)


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2},
        {"hub": 1},
        {"iat": "now"},
        {"exp": NOW_S - 1},
        {"exp": NOW_S + STATUS_LIST_LIFE_S + 1},
        {"entries": "a.b.c"},
        {"entries": [1]},
        {"entries": ["a.b.c", "a.b.c"]},
        {"more": 1},
    ],
    ids=["v", "hub", "iat", "ended", "long", "no-list", "no-text", "twice", "more"],
)
def test_list_with_a_wrong_claim_is_refused(changed: JsonObject) -> None:
    token = sign_compact(canonical_json(CLAIMS | changed), key=HUB, typ=STATUS_LIST_TYP)

    with pytest.raises(SchemaError):
        read(token)


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_list_that_lacks_a_claim_is_refused(name: str) -> None:
    claims = {other: value for other, value in CLAIMS.items() if other != name}

    with pytest.raises(SchemaError):
        read(sign_compact(canonical_json(claims), key=HUB, typ=STATUS_LIST_TYP))


def test_list_of_another_signer_kind_or_form_is_refused() -> None:
    payload = canonical_json(CLAIMS)
    cut = sign_compact(payload, key=HUB, typ=STATUS_LIST_TYP)[:-4] + "AAAA"

    with pytest.raises(UnknownKeyError):
        read(sign_compact(payload, key=OTHER, typ=STATUS_LIST_TYP))
    with pytest.raises(WrongTypeError):
        read(sign_compact(payload, key=HUB, typ=STATUS_TYP))
    with pytest.raises(SignatureInvalidError):
        read(cut)
    with pytest.raises(MalformedError):
        read("no token")
