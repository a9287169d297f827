"""Rating scales as a kind of policy: how a file is named, which ship, what was in use."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.database import UnitOfWork
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.rating.scale import Scale, parse_scale
from node.rating.store import RatingStore

RATING_SCALE = "rating-scale"


@cache
def build_scale_kind() -> PolicyKind:
    """Return what is registered of scales."""
    folder = resources.files(__package__) / "scales"
    found = [one.read_bytes() for one in folder.iterdir() if one.name.endswith(".json")]
    return PolicyKind(
        name=RATING_SCALE,
        parse=_parse_name,
        presets=sorted(found, key=_order),
        first=Scale.PRESET,
        find_newest_used=_find_newest_used,
        has_preview=True,
    )


def _parse_name(raw: bytes) -> PolicyName:
    reference = parse_scale(raw).reference
    return PolicyName(kind=RATING_SCALE, policy_id=reference.scale_id, version=reference.version)


def _order(raw: bytes) -> tuple[int, str]:
    name = _parse_name(raw)
    return name.version, name.policy_id


def _find_newest_used(uow: UnitOfWork) -> str | None:
    return RatingStore(uow.connection).find_newest_scale()
