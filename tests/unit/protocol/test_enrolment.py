from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.enrolment import (
    ENROLMENT_LIFE_S_MAX,
    ENROLMENT_TYP,
    Leaving,
    MemberEnrolment,
    PossessionError,
    SubjectEnrolment,
    open_leaving,
    open_member_enrolment,
    open_subject_enrolment,
    sign_leaving,
    sign_member_enrolment,
    sign_subject_enrolment,
)
from protocol.errors import (
    IdentifierError,
    MalformedError,
    ProtocolError,
    SchemaError,
    SignatureInvalidError,
)
from protocol.identifiers import NaturalPersonIdError, parse_subject_id
from protocol.jws import sign_compact
from protocol.keys import PublicKey, SigningKey, WeakKeyError
from protocol.limits import STATEMENT_SIGNATURES_MAX
from protocol.problems import ExpiredError, WrongAudienceError
from protocol.registry import REGISTRY_TYP
from protocol.strict_json import JsonObject, canonical_json

HUB = "hub.example"
NOW_S = 1_790_000_000
MESSAGE = SigningKey(sha256(b"enrolment: message"))
LOG = SigningKey(sha256(b"enrolment: log"))
OTHER = SigningKey(sha256(b"enrolment: other"))
# The identity: with it as key, one signature fits every message.
LOW_ORDER = PublicKey(b"\x01" + bytes(31))

MEMBER: JsonObject = {
    "v": 1,
    "kind": "member",
    "hub": HUB,
    "iat": NOW_S,
    "member": "alpha.example",
    "name": "Alpha",
    "endpoint": "https://alpha.example",
    "log_origin": "alpha.example/chengxin/log/1",
    "keys": {"message": MESSAGE.public.jwk, "log": LOG.public.jwk},
}
SUBJECT: JsonObject = {
    "v": 1,
    "kind": "subject",
    "hub": HUB,
    "iat": NOW_S,
    "subject": "sim:0200756072",
    "salt": encode_b64u(bytes(32)),
    "key": OTHER.public.jwk,
}


def sign(claims: JsonObject, *keys: SigningKey, typ: str = ENROLMENT_TYP) -> list[str]:
    return [sign_compact(canonical_json(claims), key=key, typ=typ) for key in keys]


def open_member(tokens: Sequence[str], *, now_s: int = NOW_S) -> MemberEnrolment:
    return open_member_enrolment(tokens, hub=HUB, now_s=now_s)


def open_subject(tokens: Sequence[str], *, now_s: int = NOW_S) -> SubjectEnrolment:
    return open_subject_enrolment(tokens, hub=HUB, now_s=now_s)


def test_member_enrolment_reads_back() -> None:
    enrolment = MemberEnrolment(
        hub=HUB,
        iat=NOW_S,
        member="alpha.example",
        name="Alpha",
        endpoint="http://10.0.0.1:8440/chengxin",
        log_origin="alpha.example/chengxin/log/1",
        keys={"message": MESSAGE.public, "log": LOG.public},
    )

    assert open_member(sign_member_enrolment(enrolment, keys=[LOG, MESSAGE])) == enrolment


def test_subject_enrolment_reads_back() -> None:
    enrolment = SubjectEnrolment(
        hub=HUB,
        iat=NOW_S,
        subject=parse_subject_id("cn.uscc:91350100M000100Y43"),
        salt=bytes(range(32)),
        key=OTHER.public,
    )

    assert open_subject(sign_subject_enrolment(enrolment, key=OTHER)) == enrolment


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param([], id="no-signature"),
        pytest.param(sign(MEMBER, *[MESSAGE] * (STATEMENT_SIGNATURES_MAX + 1)), id="too-many"),
        pytest.param(sign(MEMBER, MESSAGE), id="log-key-did-not-sign"),
        pytest.param(sign(MEMBER, MESSAGE, LOG, OTHER), id="foreign-signature"),
        pytest.param(sign(MEMBER, MESSAGE) + sign(MEMBER | {"v": 2}, LOG), id="two-payloads"),
        pytest.param(
            sign(MEMBER | {"keys": {"message": LOG.public.jwk, "log": LOG.public.jwk}}, LOG),
            id="one-key-twice",
        ),
        pytest.param(sign(MEMBER | {"keys": "none"}, MESSAGE, LOG), id="no-keys"),
    ],
)
def test_member_key_without_its_signature_is_refused(tokens: list[str]) -> None:
    with pytest.raises(PossessionError):
        open_member(tokens)


def test_subject_key_without_its_signature_is_refused() -> None:
    for tokens in ([], sign(SUBJECT, MESSAGE)):
        with pytest.raises(PossessionError):
            open_subject(tokens)


def test_key_of_low_order_is_refused_though_its_signature_verifies_anywhere() -> None:
    weak = MEMBER | {"keys": {"message": LOW_ORDER.jwk, "log": LOG.public.jwk}}

    with pytest.raises(WeakKeyError):
        open_member(sign(weak, LOG))
    with pytest.raises(WeakKeyError):
        open_subject(sign(SUBJECT | {"key": LOW_ORDER.jwk}, OTHER))


@pytest.mark.parametrize("offset_s", [-ENROLMENT_LIFE_S_MAX, 0, ENROLMENT_LIFE_S_MAX])
def test_enrolment_within_a_day_is_fresh(offset_s: int) -> None:
    assert open_member(sign(MEMBER, MESSAGE, LOG), now_s=NOW_S + offset_s).iat == NOW_S


@pytest.mark.parametrize("offset_s", [-ENROLMENT_LIFE_S_MAX - 1, ENROLMENT_LIFE_S_MAX + 1])
def test_enrolment_more_than_a_day_off_is_refused(offset_s: int) -> None:
    with pytest.raises(ExpiredError):
        open_member(sign(MEMBER, MESSAGE, LOG), now_s=NOW_S + offset_s)
    with pytest.raises(ExpiredError):
        open_subject(sign(SUBJECT, OTHER), now_s=NOW_S + offset_s)


def test_enrolment_for_another_hub_is_refused() -> None:
    with pytest.raises(WrongAudienceError):
        open_member(sign(MEMBER | {"hub": "other.example"}, MESSAGE, LOG))
    with pytest.raises(WrongAudienceError):
        open_subject(sign(SUBJECT | {"hub": "other.example"}, OTHER))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"v": 2}, SchemaError, id="version"),
        pytest.param({"kind": "subject"}, SchemaError, id="kind"),
        pytest.param({"iat": "now"}, SchemaError, id="iat"),
        pytest.param({"member": "Alpha"}, IdentifierError, id="member"),
        pytest.param({"name": ""}, SchemaError, id="name"),
        pytest.param({"log_origin": "beta.example/log"}, SchemaError, id="origin-of-another"),
        pytest.param({"log_origin": "alpha.example/a+b"}, MalformedError, id="origin-with-plus"),
        pytest.param({"log_origin": "alpha.example/a b"}, MalformedError, id="origin-with-space"),
        pytest.param(
            {"log_origin": "alpha.example/" + "é" * 200}, MalformedError, id="origin-long"
        ),
        pytest.param({"endpoint": "ftp://alpha.example"}, SchemaError, id="scheme"),
        pytest.param({"endpoint": "https://"}, SchemaError, id="no-host"),
        pytest.param({"endpoint": "https://user@alpha.example"}, SchemaError, id="user"),
        pytest.param({"endpoint": "https://alpha.example:0"}, SchemaError, id="port-0"),
        pytest.param({"endpoint": "https://alpha.example:99999"}, SchemaError, id="port-high"),
        pytest.param({"endpoint": "https://[::1"}, SchemaError, id="half-an-address"),
        pytest.param({"endpoint": "https://alpha.example/"}, SchemaError, id="last-slash"),
        pytest.param({"endpoint": "https://alpha.example?x=1"}, SchemaError, id="query"),
        pytest.param({"endpoint": "https://alpha.example#x"}, SchemaError, id="fragment"),
        pytest.param({"endpoint": " https://alpha.example"}, SchemaError, id="space"),
        pytest.param({"endpoint": "https://älpha.example"}, SchemaError, id="no-ascii"),
        pytest.param({"more": 1}, SchemaError, id="unknown-claim"),
    ],
)
def test_member_enrolment_with_a_wrong_claim_is_refused(
    changed: dict[str, Any], error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        open_member(sign(MEMBER | changed, MESSAGE, LOG))


def test_member_brings_exactly_a_message_key_and_a_log_key() -> None:
    keys: JsonObject = {"message": MESSAGE.public.jwk, "consent": LOG.public.jwk}
    more: JsonObject = {**keys, "log": OTHER.public.jwk}

    with pytest.raises(SchemaError):
        open_member(sign(MEMBER | {"keys": keys}, MESSAGE, LOG))
    with pytest.raises(SchemaError):
        open_member(sign(MEMBER | {"keys": more}, MESSAGE, LOG, OTHER))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"v": 2}, SchemaError, id="version"),
        pytest.param({"kind": "member"}, SchemaError, id="kind"),
        pytest.param({"subject": "none:1"}, IdentifierError, id="scheme"),
        pytest.param({"subject": "cn.uscc:11010519491231002X"}, NaturalPersonIdError, id="person"),
        pytest.param({"salt": encode_b64u(bytes(31))}, MalformedError, id="short-salt"),
        pytest.param({"more": 1}, SchemaError, id="unknown-claim"),
    ],
)
def test_subject_enrolment_with_a_wrong_claim_is_refused(
    changed: dict[str, Any], error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        open_subject(sign(SUBJECT | changed, OTHER))


def test_subject_enrolment_without_a_key_is_refused() -> None:
    claims = {name: value for name, value in SUBJECT.items() if name != "key"}

    with pytest.raises(MalformedError):
        open_subject(sign(claims, OTHER))


def test_statement_of_another_kind_is_no_enrolment() -> None:
    with pytest.raises(MalformedError):
        open_member(sign(MEMBER, MESSAGE, LOG, typ=REGISTRY_TYP))


@pytest.mark.parametrize("at", [3, 90, 400, -5])
def test_enrolment_with_one_character_changed_is_refused(at: int) -> None:
    good, other = sign(MEMBER, MESSAGE, LOG)
    character = "A" if good[at] != "A" else "B"
    changed = (
        good[:at] + character + good[at + 1 :] if at > 0 else good[:at] + character + good[-4:]
    )

    with pytest.raises(ProtocolError):
        open_member([changed, other])


# --- leaving

LEAVING = Leaving(hub=HUB, iat=NOW_S, member="alpha.example")


def open_left(token: str, *, now_s: int = NOW_S, hub: str = HUB) -> Leaving:
    return open_leaving(token, hub=hub, now_s=now_s, find_key=lambda _kid: MESSAGE.public)


def test_leaving_reads_back() -> None:
    assert open_left(sign_leaving(LEAVING, key=MESSAGE)) == LEAVING


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(sign_leaving(LEAVING, key=LOG), SignatureInvalidError, id="other-key"),
        pytest.param(
            sign_leaving(replace(LEAVING, hub="other.example"), key=MESSAGE),
            WrongAudienceError,
            id="other-hub",
        ),
        pytest.param(
            sign_leaving(replace(LEAVING, iat=NOW_S - ENROLMENT_LIFE_S_MAX - 1), key=MESSAGE),
            ExpiredError,
            id="old",
        ),
        pytest.param(sign(MEMBER, MESSAGE)[0], SchemaError, id="an-enrolment"),
    ],
)
def test_leaving_that_does_not_hold_is_refused(token: str, error: type[ProtocolError]) -> None:
    with pytest.raises(error):
        open_left(token)
