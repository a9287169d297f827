from dataclasses import replace
from typing import Any

import pytest

from protocol.encoding import encode_b64u
from protocol.errors import (
    EvidenceError,
    IdentifierError,
    MalformedError,
    ProtocolError,
    SchemaError,
    SignatureInvalidError,
    UnknownKeyError,
)
from protocol.jws import sign_compact
from protocol.limits import REGISTRY_LIFE_S, STATEMENT_SIGNATURES_MAX
from protocol.problems import KeyRevokedError, NotAMemberError, UnknownKeyProblemError
from protocol.registry import (
    REGISTRY_TYP,
    Registry,
    hash_registry_payload,
    open_registry,
    sign_registry,
)
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.support.snapshots import (
    ALPHA,
    COMMITMENT,
    FIRST,
    HUB,
    HUB_2,
    LOG,
    MESSAGE,
    NOW_S,
    STRANGER,
    SUBJECT,
    claims,
    entry,
    key,
    opened,
    with_keys,
)


def test_snapshot_reads_back_and_is_named_by_its_payload() -> None:
    registry = opened()

    assert registry == replace(FIRST, hash=hash_registry_payload(FIRST))


def test_revocation_reads_back() -> None:
    revoked = entry(MESSAGE, "message", revoked_at=NOW_S + 5, reason="lost")

    assert opened(replace(FIRST, **with_keys(revoked))).members[0].keys == (revoked,)


@pytest.mark.parametrize(
    "half", [{"revoked_at": NOW_S}, {"reason": "lost"}], ids=["time", "reason"]
)
def test_half_a_revocation_is_not_dropped_in_silence(half: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, **with_keys(entry(MESSAGE, "message", **half))))


@pytest.mark.parametrize(
    ("at_s", "is_valid"),
    [(NOW_S - 1, False), (NOW_S, True), (NOW_S + 4, True), (NOW_S + 5, False)],
)
def test_key_is_valid_from_its_beginning_to_its_revocation(at_s: int, *, is_valid: bool) -> None:
    revoked = entry(MESSAGE, "message", revoked_at=NOW_S + 5, reason="lost")

    assert revoked.is_valid_at(at_s) is is_valid


def test_key_that_nobody_revoked_is_valid_to_its_end() -> None:
    assert entry(MESSAGE, "message").is_valid_at(NOW_S + 999)
    assert not entry(MESSAGE, "message").is_valid_at(NOW_S + 1000)


# --- signatures


def test_every_anchor_that_signed_counts_once() -> None:
    tokens = sign_registry(FIRST, keys=[HUB, HUB_2])

    assert open_registry(tokens, anchors=[HUB.public, HUB_2.public], threshold=2).seq == 1
    with pytest.raises(EvidenceError):
        open_registry([tokens[0]] * 2, anchors=[HUB.public, HUB_2.public], threshold=2)


def test_snapshot_of_no_anchor_is_refused() -> None:
    with pytest.raises(UnknownKeyError):
        open_registry(sign_registry(FIRST, keys=[STRANGER]), anchors=[HUB.public])


def test_signatures_over_different_snapshots_are_refused() -> None:
    tokens = sign_registry(FIRST, keys=[HUB]) + sign_registry(replace(FIRST, seq=2), keys=[HUB_2])

    with pytest.raises(EvidenceError):
        open_registry(tokens, anchors=[HUB.public, HUB_2.public])


@pytest.mark.parametrize("count", [0, STATEMENT_SIGNATURES_MAX + 1])
def test_number_of_signatures_is_bounded(count: int) -> None:
    tokens = sign_registry(FIRST, keys=[HUB]) * count

    with pytest.raises(EvidenceError):
        open_registry(tokens, anchors=[HUB.public])


def test_damaged_signature_and_other_form_are_refused() -> None:
    (token,) = sign_registry(FIRST, keys=[HUB])

    with pytest.raises(SignatureInvalidError):
        open_registry([token[:-4] + "AAAA"], anchors=[HUB.public])
    with pytest.raises(MalformedError):
        open_registry(["no token"], anchors=[HUB.public])


# --- claims


def refuse(changed: JsonObject, *, error: type[ProtocolError] = SchemaError) -> None:
    token = sign_compact(canonical_json(changed), key=HUB, typ=REGISTRY_TYP)
    with pytest.raises(error):
        open_registry([token], anchors=[HUB.public])


@pytest.mark.parametrize("name", sorted(claims()))
def test_snapshot_that_lacks_a_claim_is_refused(name: str) -> None:
    refuse({other: value for other, value in claims().items() if other != name})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"v": 2}, SchemaError, id="version"),
        pytest.param({"seq": 0}, SchemaError, id="seq"),
        pytest.param({"prev": "short"}, MalformedError, id="prev"),
        pytest.param({"exp": NOW_S}, SchemaError, id="no-life"),
        pytest.param({"exp": NOW_S + REGISTRY_LIFE_S + 1}, SchemaError, id="long-life"),
        pytest.param({"hub": "Hub"}, IdentifierError, id="hub"),
        pytest.param({"simulated": 1}, SchemaError, id="simulated"),
        pytest.param({"threshold": 0}, SchemaError, id="threshold-0"),
        pytest.param({"threshold": 3}, SchemaError, id="threshold-over-keys"),
        pytest.param({"hub_keys": []}, SchemaError, id="no-hub-key"),
        pytest.param({"members": {}}, SchemaError, id="members"),
        pytest.param({"subjects": [1]}, SchemaError, id="subjects"),
        pytest.param({"more": 1}, SchemaError, id="unknown"),
    ],
)
def test_snapshot_with_a_wrong_claim_is_refused(
    changed: JsonObject, error: type[ProtocolError]
) -> None:
    refuse(claims() | changed, error=error)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"member": "Alpha"}, IdentifierError, id="member"),
        pytest.param({"endpoints": {"v2": "x"}}, SchemaError, id="no-endpoint"),
        pytest.param({"endpoints": {"v1": "x", "v2": "x"}}, SchemaError, id="unknown-endpoint"),
        pytest.param({"roles": ["king"]}, SchemaError, id="role"),
        pytest.param({"status": "gone"}, SchemaError, id="status"),
        pytest.param({"more": 1}, SchemaError, id="unknown"),
    ],
)
def test_member_with_a_wrong_claim_is_refused(
    changed: JsonObject, error: type[ProtocolError]
) -> None:
    snapshot = claims()
    (member,) = take_list(snapshot, "members")
    refuse(snapshot | {"members": [{**take_object(member), **changed}]}, error=error)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"commitment": "x"}, MalformedError, id="commitment"),
        pytest.param({"verified": ""}, SchemaError, id="verified"),
        pytest.param({"salt": "x"}, SchemaError, id="salt-has-no-place"),
    ],
)
def test_subject_with_a_wrong_claim_is_refused(
    changed: JsonObject, error: type[ProtocolError]
) -> None:
    snapshot = claims()
    (subject,) = take_list(snapshot, "subjects")
    refuse(snapshot | {"subjects": [{**take_object(subject), **changed}]}, error=error)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"jwk": {}}, MalformedError, id="jwk"),
        pytest.param({"nbf": "x"}, SchemaError, id="nbf"),
        pytest.param({"exp": -1}, SchemaError, id="exp"),
        pytest.param({"more": 1}, SchemaError, id="unknown"),
    ],
)
def test_key_with_a_wrong_claim_is_refused(changed: JsonObject, error: type[ProtocolError]) -> None:
    snapshot = claims()
    first, *others = take_list(snapshot, "hub_keys")
    refuse(snapshot | {"hub_keys": [{**take_object(first), **changed}, *others]}, error=error)


def take_list(value: JsonObject, name: str) -> list[JsonValue]:
    found = value[name]
    assert isinstance(found, list)
    return found


def take_object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(with_keys(entry(MESSAGE, "hub")), id="member-as-hub"),
        pytest.param(with_keys(entry(MESSAGE, "consent")), id="member-as-subject"),
        pytest.param({"hub_keys": (entry(HUB, "message"),)}, id="hub-as-member"),
        pytest.param(
            {"subjects": (replace(FIRST.subjects[0], keys=(entry(SUBJECT, "message"),)),)},
            id="subject-as-member",
        ),
    ],
)
def test_key_has_only_the_uses_of_its_owner(changed: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(with_keys(entry(MESSAGE, "message"), entry(MESSAGE, "log")), id="two-uses"),
        pytest.param(with_keys(entry(SUBJECT, "message")), id="two-owners"),
        pytest.param(with_keys(entry(HUB, "message")), id="hub-and-member"),
        pytest.param(
            {"members": (ALPHA, replace(ALPHA, log_origin="x.example/log", keys=()))},
            id="member-twice",
        ),
        pytest.param(
            {"members": (ALPHA, replace(ALPHA, member="beta.example", keys=()))}, id="log-twice"
        ),
        pytest.param(
            {"subjects": (*FIRST.subjects, replace(FIRST.subjects[0], keys=()))},
            id="subject-twice",
        ),
    ],
)
def test_what_must_be_unique_occurs_once(changed: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, **changed))


HUB_LOG = key("hub's log")
HUB_ENTRY = replace(
    ALPHA,
    member="hub.example",
    roles=(),
    log_origin="hub.example/chengxin/log/1",
    keys=(entry(HUB_LOG, "log"),),
)


def test_the_hubs_own_entry_names_its_log_and_is_no_member() -> None:
    registry = opened(replace(FIRST, members=(HUB_ENTRY, ALPHA)))

    assert registry.hub_log == HUB_ENTRY
    assert registry.member_count == 1
    assert (opened().hub_log, opened().member_count) == (None, 1)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"roles": ("provider",)}, id="role"),
        pytest.param({"status": "left"}, id="left"),
        pytest.param({"keys": ()}, id="no-log"),
        pytest.param({"keys": (entry(HUB_LOG, "log"), entry(STRANGER, "message"))}, id="message"),
    ],
)
def test_the_hubs_own_entry_has_a_log_and_nothing_else(changed: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, members=(replace(HUB_ENTRY, **changed), ALPHA)))


# --- finding


def test_message_key_of_an_active_member_is_found() -> None:
    assert opened().get_message_key(MESSAGE.kid, now_s=NOW_S) == (ALPHA, MESSAGE.public)
    assert opened().find_message_key(MESSAGE.kid) == (ALPHA, ALPHA.keys[0])
    assert opened().find_message_key(LOG.kid) is None


@pytest.mark.parametrize(
    ("registry", "kid", "error"),
    [
        pytest.param(FIRST, STRANGER.kid, UnknownKeyProblemError, id="stranger"),
        pytest.param(FIRST, LOG.kid, UnknownKeyProblemError, id="log-key"),
        pytest.param(FIRST, SUBJECT.kid, UnknownKeyProblemError, id="subject"),
        pytest.param(
            replace(FIRST, **with_keys(entry(MESSAGE, "message", nbf=NOW_S + 1))),
            MESSAGE.kid,
            KeyRevokedError,
            id="not-yet",
        ),
        pytest.param(
            replace(FIRST, members=(replace(ALPHA, status="suspended"),)),
            MESSAGE.kid,
            NotAMemberError,
            id="suspended",
        ),
    ],
)
def test_message_key_that_does_not_count_is_refused(
    registry: Registry, kid: str, error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        opened(registry).get_message_key(kid, now_s=NOW_S)


def test_subject_is_found_by_key() -> None:
    assert opened().find_subject_key(SUBJECT.kid) == (FIRST.subjects[0], FIRST.subjects[0].keys[0])
    assert opened().find_subject_key(MESSAGE.kid) is None


def test_hub_key_is_found_among_the_hubs_own() -> None:
    assert opened().get_hub_key(HUB_2.kid) == HUB_2.public
    with pytest.raises(UnknownKeyError):
        opened().get_hub_key(MESSAGE.kid)


def test_log_key_is_found_by_member() -> None:
    keyless = opened(replace(FIRST, **with_keys(entry(MESSAGE, "message"))))

    assert opened().get_log_key(ALPHA.member) == (ALPHA.log_origin, LOG.public)
    for registry, member in ((opened(), "nobody.example"), (keyless, ALPHA.member)):
        with pytest.raises(UnknownKeyError):
            registry.get_log_key(member)


def test_commitment_stands_in_the_snapshot_and_nothing_else_of_a_subject() -> None:
    (subject,) = take_list(claims(), "subjects")

    assert set(take_object(subject)) == {"commitment", "verified", "keys"}
    assert take_object(subject)["commitment"] == encode_b64u(COMMITMENT)
