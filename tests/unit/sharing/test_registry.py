"""The chain of snapshots as a node holds it: followed link by link, kept, and never shortened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from node.core.database import Database
from node.sharing.registry import RegistryAbsentError, RegistryForkError, RegistryHolder
from node.sharing.store import ForkStore
from node.sharing.tables import registry_snapshot
from protocol.errors import ProtocolError, SignatureInvalidError, UnknownKeyError
from protocol.keys import SigningKey
from protocol.message import RegistryReference
from protocol.note import SignatureKind, VerifierKey, format_vkey
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    RegistryChainError,
    hash_registry_payload,
    sign_registry,
)
from tests.support.forging import break_signature
from tests.support.stores import migrated_url

NOW_S = 1_790_000_000
HUB_KEY = SigningKey(b"\x01" * 32)
SECOND_HUB_KEY = SigningKey(b"\x09" * 32)
MEMBER_KEY = SigningKey(b"\x10" * 32)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(url=migrated_url(tmp_path / "node.sqlite"))
    yield opened
    opened.dispose()


@pytest.fixture
def holder(database: Database) -> RegistryHolder:
    return RegistryHolder(database=database, anchor=HUB_KEY.public)


def build_key(key: SigningKey, *, use: str) -> KeyEntry:
    return KeyEntry(key=key.public, use=use, nbf=0, exp=2 * NOW_S)


def name(registry: Registry) -> Registry:
    return replace(registry, hash=hash_registry_payload(registry))


def build_first() -> Registry:
    witness = VerifierKey(
        name="hub.example/chengxin/witness/1",
        kind=SignatureKind.COSIGNATURE_V1,
        public=SigningKey(b"\x02" * 32).public,
    )
    member = MemberEntry(
        member="alpha.example",
        name="Alpha",
        endpoints={"v1": "https://alpha.example"},
        roles=("consumer",),
        status="active",
        log_origin="alpha.example/chengxin/log/1",
        keys=(build_key(MEMBER_KEY, use="message"),),
    )
    return name(
        Registry(
            seq=1,
            prev=FIRST_PREVIOUS,
            hash=b"",
            iat=NOW_S,
            exp=NOW_S + 86_400,
            hub="hub.example",
            simulated=True,
            threshold=1,
            witness_vkey=format_vkey(witness),
            hub_keys=(build_key(HUB_KEY, use="hub"), build_key(SECOND_HUB_KEY, use="hub")),
            members=(member,),
            subjects=(),
        )
    )


def build_next(older: Registry, **changes: object) -> Registry:
    newer = replace(older, seq=older.seq + 1, prev=older.hash)
    return name(replace(newer, **changes))  # type: ignore[arg-type]  # fields by name


def sign(registry: Registry, *keys: SigningKey) -> tuple[str, ...]:
    return sign_registry(registry, keys=keys or (HUB_KEY,))


def test_without_a_snapshot_the_node_says_so(holder: RegistryHolder) -> None:
    assert holder.newest_seq == 0
    with pytest.raises(RegistryAbsentError):
        _ = holder.newest
    with pytest.raises(RegistryAbsentError):
        _ = holder.reference


def test_the_chain_is_followed_link_by_link(holder: RegistryHolder) -> None:
    first = build_first()
    second = build_next(first, exp=NOW_S + 1)

    holder.adopt(sign(first))
    assert holder.adopt(sign(second)) == second

    assert holder.newest == second
    assert holder.reference == RegistryReference(seq=2, hash=second.hash)
    assert holder.find(1) == (first.hash, NOW_S, NOW_S + 86_400)
    assert holder.find(2) == (second.hash, NOW_S, NOW_S + 1)
    assert holder.find(3) is None


def test_a_restarted_node_holds_the_same_chain(database: Database, holder: RegistryHolder) -> None:
    first = build_first()
    holder.adopt(sign(first))
    holder.adopt(sign(build_next(first)))

    again = RegistryHolder(database=database, anchor=HUB_KEY.public)

    assert (again.newest, again.find(1)) == (holder.newest, holder.find(1))


def test_a_snapshot_held_already_changes_nothing(holder: RegistryHolder) -> None:
    first = build_first()
    second = build_next(first)
    for registry in (first, second):
        holder.adopt(sign(registry))

    assert holder.adopt(sign(second)) == second
    assert holder.adopt(sign(first)) == first

    assert holder.newest == second


def drop_member_key(registry: Registry) -> Registry:
    return build_next(registry, members=(replace(registry.members[0], keys=()),))


REFUSED: dict[str, tuple[Callable[[Registry], Registry], type[ProtocolError]]] = {
    "a number left out": (lambda first: build_next(first, seq=3), RegistryChainError),
    "another predecessor": (lambda first: build_next(first, prev=b"\x07" * 32), RegistryChainError),
    "another hub": (lambda first: build_next(first, hub="other.example"), RegistryChainError),
    "no longer simulated": (
        lambda first: build_next(first, simulated=False),
        RegistryChainError,
    ),
    "a key dropped": (drop_member_key, RegistryChainError),
    "another first one": (
        lambda first: name(replace(first, exp=first.exp - 1)),
        RegistryChainError,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_snapshot_that_does_not_follow_is_refused_and_the_last_good_one_stays(
    holder: RegistryHolder, what: str
) -> None:
    first = build_first()
    holder.adopt(sign(first))
    build, error = REFUSED[what]

    with pytest.raises(error):
        holder.adopt(sign(build(first)))

    assert holder.newest == first


def test_a_first_snapshot_must_be_the_first_and_signed_by_the_anchor(
    holder: RegistryHolder,
) -> None:
    first = build_first()
    with pytest.raises(RegistryChainError):
        holder.adopt(sign(build_next(first)))
    with pytest.raises(UnknownKeyError):
        holder.adopt(sign(first, MEMBER_KEY))
    with pytest.raises(SignatureInvalidError):
        holder.adopt([break_signature(token) for token in sign(first)])

    assert holder.newest_seq == 0


def test_any_hub_key_of_the_last_snapshot_may_sign_the_next_and_a_revoked_one_may_not(
    holder: RegistryHolder,
) -> None:
    first = build_first()
    holder.adopt(sign(first))
    hub, second_hub = first.hub_keys
    revoked = replace(hub, revoked_at=NOW_S, reason="compromised")
    second = build_next(first, hub_keys=(revoked, second_hub))

    holder.adopt(sign(second, SECOND_HUB_KEY))
    third = build_next(second)
    with pytest.raises(UnknownKeyError):
        holder.adopt(sign(third, HUB_KEY))
    holder.adopt(sign(third, SECOND_HUB_KEY))

    assert holder.newest == third


def test_as_many_hub_keys_must_sign_as_the_last_snapshot_says(holder: RegistryHolder) -> None:
    first = build_first()
    holder.adopt(sign(first))
    second = build_next(first, threshold=2)
    holder.adopt(sign(second))
    third = build_next(second)

    for keys in ((HUB_KEY,), (HUB_KEY, HUB_KEY)):
        with pytest.raises(ProtocolError):
            holder.adopt(sign(third, *keys))
    holder.adopt(sign(third, HUB_KEY, SECOND_HUB_KEY))

    assert holder.newest == third


def test_a_second_snapshot_of_a_number_is_refused_and_kept_as_evidence(
    database: Database, holder: RegistryHolder
) -> None:
    first = build_first()
    second = build_next(first)
    other = build_next(first, exp=second.exp - 1)
    for registry in (first, second):
        holder.adopt(sign(registry))

    for _ in range(2):
        with pytest.raises(RegistryForkError):
            holder.adopt(sign(other), now_s=NOW_S)

    assert holder.newest == second
    with database.read() as uow:
        assert ForkStore(uow.connection).list_tokens() == [(2, list(sign(other)))]
    for one in (holder, RegistryHolder(database=database, anchor=HUB_KEY.public)):
        (warning,) = one.list_warnings(now_s=NOW_S)
        assert warning.startswith("1 snapshots of the hub contradict")


def test_a_fork_signed_by_a_key_that_has_ended_since_is_evidence_too(
    holder: RegistryHolder,
) -> None:
    first = build_first()
    hub, second_hub = first.hub_keys
    ended = replace(hub, revoked_at=NOW_S, reason="superseded")
    second = build_next(first, hub_keys=(ended, second_hub))
    holder.adopt(sign(first))
    holder.adopt(sign(second))

    assert holder.adopt(sign(first)) == first  # what is held already is no news
    with pytest.raises(RegistryForkError):
        holder.adopt(sign(build_next(first), HUB_KEY))
    with pytest.raises(UnknownKeyError):
        holder.adopt(sign(build_next(second), HUB_KEY))


def test_a_snapshot_that_has_lived_half_its_life_is_warned_of_until_its_end(
    holder: RegistryHolder,
) -> None:
    assert holder.list_warnings(now_s=NOW_S) == []
    first = build_first()
    holder.adopt(sign(first))
    half_s = (first.exp - first.iat) // 2

    assert holder.list_warnings(now_s=first.iat + half_s) == []
    (warning,) = holder.list_warnings(now_s=first.iat + half_s + 1)
    assert "ends in 719 minutes" in warning
    assert holder.list_warnings(now_s=first.exp) == []  # what is over is no warning any more


def test_a_node_whose_stored_chain_is_altered_does_not_start(
    database: Database, holder: RegistryHolder
) -> None:
    first = build_first()
    holder.adopt(sign(first))
    holder.adopt(sign(build_next(first)))
    with database.write() as uow:
        uow.connection.execute(
            update(registry_snapshot)
            .where(registry_snapshot.c.seq == 2)
            .values(tokens=f'["{break_signature(sign(build_next(first))[0])}"]')
        )

    with pytest.raises(SignatureInvalidError):
        RegistryHolder(database=database, anchor=HUB_KEY.public)


def test_another_anchor_does_not_start_on_a_stored_chain(
    database: Database, holder: RegistryHolder
) -> None:
    holder.adopt(sign(build_first()))

    with pytest.raises(UnknownKeyError):
        RegistryHolder(database=database, anchor=MEMBER_KEY.public)
