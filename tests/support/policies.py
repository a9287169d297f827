"""A source of policies that is fixed: what a room alone needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import text

from node.assessment.policy import Policy, read_preset_policy
from node.core.database import UnitOfWork
from node.rating.overrides.policy import (
    OverridePolicy,
    parse_override_policy,
    read_preset_override_bytes,
)
from node.rating.scale import Scale, read_preset_scale

T = TypeVar("T")


def let_change(uow: UnitOfWork, table: str) -> None:
    """Take away what keeps a table's rows as they are: a test makes an older state."""
    of = "" if uow.connection.dialect.name == "sqlite" else f" ON {table}"
    uow.connection.execute(text(f"DROP TRIGGER {table}_no_UPDATE{of}"))


class FixedPolicies(Generic[T]):
    """The active version, and former ones by their hash."""

    def __init__(self, active: T, *, hash_of: Callable[[T], str], former: Sequence[T] = ()) -> None:
        self.active = active
        self._known = {hash_of(one): one for one in (*former, active)}

    def read_active(self, uow: UnitOfWork) -> T:
        assert not uow.connection.closed

        return self.active

    def get_active(self) -> T:
        return self.active

    def find(self, sha256_b64u: str) -> T | None:
        return self._known.get(sha256_b64u)


def fix_policy(
    policy: Policy | None = None, *, former: Sequence[Policy] = ()
) -> FixedPolicies[Policy]:
    return FixedPolicies(
        policy or read_preset_policy(),
        hash_of=lambda one: one.reference.sha256_b64u,
        former=former,
    )


def fix_scale(scale: Scale | None = None) -> FixedPolicies[Scale]:
    return FixedPolicies(
        scale or read_preset_scale(), hash_of=lambda one: one.reference.sha256_b64u
    )


def fix_override_policy() -> FixedPolicies[OverridePolicy]:
    return FixedPolicies(
        parse_override_policy(read_preset_override_bytes()), hash_of=lambda one: one.sha256_b64u
    )
