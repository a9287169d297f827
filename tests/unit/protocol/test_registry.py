from dataclasses import replace
from typing import Any

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.errors import (
    EvidenceError,
    IdentifierError,
    MalformedError,
    ProtocolError,
    SchemaError,
    SignatureInvalidError,
    UnknownKeyError,
)
from protocol.jws import sign_compact, split_compact
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_LIFE_S, STATEMENT_SIGNATURES_MAX
from protocol.problems import KeyRevokedError, NotAMemberError, UnknownKeyProblemError
from protocol.registry import (
    FIRST_PREVIOUS,
    ORDERLY_ENDS,
    REGISTRY_TYP,
    KeyEntry,
    MemberEntry,
    Registry,
    RegistryChainError,
    SubjectEntry,
    check_succession,
    hash_registry_payload,
    open_registry,
    sign_registry,
)
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

NOW_S = 1_790_000_000


def key(label: str) -> SigningKey:
    return SigningKey(sha256(f"registry: {label}".encode()))


HUB, HUB_2, MESSAGE, LOG, SUBJECT, STRANGER = (
    key(label) for label in ("hub", "hub 2", "message", "log", "subject", "stranger")
)
COMMITMENT = sha256(b"commitment")


def entry(owned: SigningKey, use: str, **values: Any) -> KeyEntry:  # noqa: ANN401  fields of a table
    return KeyEntry(
        **{"key": owned.public, "use": use, "nbf": NOW_S, "exp": NOW_S + 1000, **values}
    )


ALPHA = MemberEntry(
    member="alpha.example",
    name="Alpha",
    endpoints={"v1": "https://alpha.example"},
    roles=("consumer", "provider"),
    status="active",
    log_origin="alpha.example/chengxin/log/1",
    keys=(entry(MESSAGE, "message"), entry(LOG, "log")),
)
FIRST = Registry(
    seq=1,
    prev=FIRST_PREVIOUS,
    hash=b"",
    iat=NOW_S,
    exp=NOW_S + REGISTRY_LIFE_S,
    hub="hub.example",
    simulated=True,
    threshold=1,
    witness_vkey="hub.example/witness+00000000+AAAA",
    hub_keys=(entry(HUB, "hub"), entry(HUB_2, "hub")),
    members=(ALPHA,),
    subjects=(
        SubjectEntry(commitment=COMMITMENT, verified="operator", keys=(entry(SUBJECT, "consent"),)),
    ),
)


def opened(registry: Registry = FIRST) -> Registry:
    return open_registry(sign_registry(registry, keys=[HUB]), anchors=[HUB.public])


def follow(registry: Registry, **values: Any) -> Registry:  # noqa: ANN401  fields of a table
    older = opened(registry)
    return opened(replace(older, **{"seq": older.seq + 1, "prev": older.hash, **values}))


def with_keys(*keys: KeyEntry) -> dict[str, Any]:
    return {"members": (replace(ALPHA, keys=keys),)}


def claims() -> JsonObject:
    return parse_object(split_compact(sign_registry(FIRST, keys=[HUB])[0]).payload)


# --- one snapshot


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


# --- succession


REVOKED = entry(MESSAGE, "message", revoked_at=NOW_S + 5, reason="lost")
LOG_ENTRY = entry(LOG, "log")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="renewed"),
        pytest.param({"members": (replace(ALPHA, status="left", name="New"),)}, id="left"),
        pytest.param(with_keys(REVOKED, LOG_ENTRY), id="revoked"),
        pytest.param(with_keys(*ALPHA.keys, entry(STRANGER, "message")), id="one-key-more"),
        pytest.param(
            {
                "members": (
                    ALPHA,
                    replace(ALPHA, member="beta.example", log_origin="beta.example/log", keys=()),
                )
            },
            id="one-member-more",
        ),
    ],
)
def test_snapshot_that_only_adds_follows(changed: dict[str, Any]) -> None:
    check_succession(follow(FIRST, **changed), older=opened())


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"seq": 3}, id="number"),
        pytest.param({"prev": FIRST_PREVIOUS}, id="link"),
        pytest.param({"hub": "other.example"}, id="hub"),
        pytest.param({"simulated": False}, id="real-from-simulated"),
        pytest.param({"members": ()}, id="member-dropped"),
        pytest.param({"members": (replace(ALPHA, log_origin="alpha.example/2"),)}, id="log-moved"),
        pytest.param({"subjects": ()}, id="subject-dropped"),
        pytest.param({"hub_keys": (entry(HUB, "hub"),)}, id="hub-key-dropped"),
        pytest.param(with_keys(ALPHA.keys[0]), id="key-dropped"),
        pytest.param(
            with_keys(entry(MESSAGE, "log", origin="alpha.example/2"), LOG_ENTRY), id="use-altered"
        ),
        pytest.param(with_keys(entry(MESSAGE, "message", nbf=1), LOG_ENTRY), id="nbf-altered"),
        pytest.param(with_keys(entry(MESSAGE, "message", exp=NOW_S), LOG_ENTRY), id="exp-altered"),
    ],
)
def test_snapshot_that_drops_or_alters_does_not_follow(changed: dict[str, Any]) -> None:
    with pytest.raises(RegistryChainError):
        check_succession(follow(FIRST, **changed), older=opened())


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"revoked_at": None, "reason": None}, id="taken-back"),
        pytest.param({"revoked_at": NOW_S + 6}, id="moved"),
        pytest.param({"reason": "compromised"}, id="other-reason"),
    ],
)
def test_revocation_stays_as_it_was_made(altered: dict[str, Any]) -> None:
    second = follow(FIRST, **with_keys(REVOKED, LOG_ENTRY))
    third = follow(second, **with_keys(replace(REVOKED, **altered), LOG_ENTRY))

    with pytest.raises(RegistryChainError):
        check_succession(third, older=second)


def test_a_revocation_that_stands_follows() -> None:
    second = follow(FIRST, **with_keys(REVOKED, LOG_ENTRY))

    check_succession(follow(second), older=second)


def orderly_end(reason: str, **values: Any) -> KeyEntry:  # noqa: ANN401  fields of a table
    return entry(MESSAGE, "message", **{"revoked_at": NOW_S + 900, "reason": reason, **values})


@pytest.mark.parametrize("reason", sorted(ORDERLY_ENDS))
def test_an_orderly_end_may_be_moved_earlier_by_compromised(reason: str) -> None:
    second = follow(FIRST, **with_keys(orderly_end(reason), LOG_ENTRY))
    third = follow(
        second, **with_keys(orderly_end("compromised", revoked_at=NOW_S - 50), LOG_ENTRY)
    )

    check_succession(third, older=second)


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"revoked_at": NOW_S + 900, "reason": "compromised"}, id="same-time"),
        pytest.param({"revoked_at": NOW_S + 901, "reason": "compromised"}, id="later"),
        pytest.param({"revoked_at": NOW_S + 5, "reason": "lost"}, id="earlier-but-lost"),
        pytest.param({"revoked_at": NOW_S + 5}, id="earlier-and-superseded"),
        pytest.param({"revoked_at": None, "reason": None}, id="taken-back"),
    ],
)
def test_an_orderly_end_is_moved_by_nothing_else(altered: dict[str, Any]) -> None:
    second = follow(FIRST, **with_keys(orderly_end("superseded"), LOG_ENTRY))
    third = follow(second, **with_keys(replace(orderly_end("superseded"), **altered), LOG_ENTRY))

    with pytest.raises(RegistryChainError):
        check_succession(third, older=second)


# --- several logs of one member

ORIGIN, ORIGIN_2 = ALPHA.log_origin, "alpha.example/chengxin/log/2"
RETIRED_LOG = entry(LOG, "log", origin=ORIGIN)
NEW_LOG = entry(STRANGER, "log")
MOVED = replace(ALPHA, log_origin=ORIGIN_2, keys=(ALPHA.keys[0], RETIRED_LOG, NEW_LOG))


def test_a_new_log_comes_with_a_new_key_and_the_old_one_stays() -> None:
    second = follow(FIRST, members=(MOVED,))
    check_succession(second, older=opened())

    assert second.get_log_key(ALPHA.member) == (ORIGIN_2, STRANGER.public)
    assert second.get_log_key(ALPHA.member, origin=ORIGIN) == (ORIGIN, LOG.public)
    assert second.members[0].log_keys == {ORIGIN: RETIRED_LOG, ORIGIN_2: NEW_LOG}
    assert second.list_log_origins() == (ORIGIN_2, ORIGIN)
    for origin in (ORIGIN, ORIGIN_2):
        assert second.find_log(origin) == MOVED
    assert second.find_log("beta.example/chengxin/log/1") is None
    with pytest.raises(UnknownKeyError):
        second.get_log_key(ALPHA.member, origin="alpha.example/chengxin/log/3")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"keys": (ALPHA.keys[0], RETIRED_LOG)}, id="no-new-key"),
        pytest.param({"keys": ALPHA.keys}, id="old-key-taken-along"),
        pytest.param(
            {"keys": (ALPHA.keys[0], entry(LOG, "log", origin="alpha.example/0"), NEW_LOG)},
            id="old-key-of-another-log",
        ),
        pytest.param(
            {
                "keys": (
                    ALPHA.keys[0],
                    entry(LOG, "log", origin="alpha.example/0"),
                    entry(SUBJECT, "log", origin=ORIGIN),
                    NEW_LOG,
                )
            },
            id="old-log-with-another-key",
        ),
    ],
)
def test_a_log_moves_only_to_a_new_one_with_a_key_of_its_own(changed: dict[str, Any]) -> None:
    newer = follow(FIRST, members=(replace(MOVED, **changed),), subjects=())

    with pytest.raises(RegistryChainError, match=r"alpha\.example: "):
        check_succession(newer, older=opened())


def test_a_retired_log_is_not_taken_up_again() -> None:
    second = follow(FIRST, members=(MOVED,))
    back = replace(ALPHA, keys=(ALPHA.keys[0], LOG_ENTRY, entry(STRANGER, "log", origin=ORIGIN_2)))

    with pytest.raises(RegistryChainError, match="no new log"):
        check_succession(follow(second, members=(back,)), older=second)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param((entry(LOG, "log", origin=ORIGIN),), id="origin-of-the-newest-is-not-said"),
        pytest.param((LOG_ENTRY, NEW_LOG), id="two-keys-of-the-newest"),
        pytest.param((LOG_ENTRY, entry(STRANGER, "log", origin=ORIGIN)), id="two-keys-of-one-log"),
        pytest.param((entry(MESSAGE, "message", origin=ORIGIN_2), LOG_ENTRY), id="of-no-log-key"),
    ],
)
def test_one_log_has_one_key_and_one_way_to_say_so(keys: tuple[KeyEntry, ...]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, **with_keys(*keys)))


# --- the hub's own keys


def test_a_snapshot_that_no_key_could_follow_is_refused() -> None:
    ended = entry(HUB_2, "hub", revoked_at=NOW_S, reason="lost")

    with pytest.raises(SchemaError, match="threshold"):
        opened(replace(FIRST, threshold=2, hub_keys=(entry(HUB, "hub"), ended)))


def test_old_hub_keys_hand_over_to_new_ones_and_are_then_refused() -> None:
    both = opened(replace(FIRST, threshold=2))
    heirs = (key("heir 1"), key("heir 2"))
    ended = [entry(one, "hub", revoked_at=NOW_S + 1, reason="superseded") for one in (HUB, HUB_2)]
    draft = replace(
        both,
        seq=2,
        prev=both.hash,
        hub_keys=(*ended, *(entry(heir, "hub") for heir in heirs)),
        witness_vkey="hub.example/witness+11111111+BBBB",
    )
    old_anchors = [held.key for held in both.hub_keys]

    with pytest.raises(EvidenceError):  # one of two is not enough to hand the federation over
        open_registry(sign_registry(draft, keys=[HUB]), anchors=old_anchors, threshold=2)
    with pytest.raises(UnknownKeyError):  # nor can the heirs enter themselves
        open_registry(sign_registry(draft, keys=heirs), anchors=old_anchors, threshold=2)
    second = open_registry(
        sign_registry(draft, keys=[HUB, HUB_2]), anchors=old_anchors, threshold=2
    )
    check_succession(second, older=both)

    assert second.list_signers() == tuple(heir.public for heir in heirs)


def test_commitment_stands_in_the_snapshot_and_nothing_else_of_a_subject() -> None:
    (subject,) = take_list(claims(), "subjects")

    assert set(take_object(subject)) == {"commitment", "verified", "keys"}
    assert take_object(subject)["commitment"] == encode_b64u(COMMITMENT)
