"""One small registry with every kind of key, to alter and to follow."""

from dataclasses import replace
from typing import Any

from protocol.encoding import sha256
from protocol.jws import split_compact
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_LIFE_S
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
    open_registry,
    sign_registry,
)
from protocol.strict_json import JsonObject, parse_object

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
