"""Members of one group of companies, as a setting states them."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.core.config import SettingsError, build_settings
from node.core.member_groups import parse_member_groups


def test_a_group_is_named_by_its_first_member() -> None:
    groups = parse_member_groups("delta.example beta.example; gamma.example alpha.example ;")

    assert groups == {
        "beta.example": "beta.example",
        "delta.example": "beta.example",
        "alpha.example": "alpha.example",
        "gamma.example": "alpha.example",
    }


def test_none_is_no_group() -> None:
    assert parse_member_groups(" ") == {}


@pytest.mark.parametrize(
    "text",
    ["beta.example", "beta.example Beta", "a.example b.example; b.example c.example"],
    ids=["alone", "no-member", "twice"],
)
def test_a_wrong_setting_keeps_the_node_from_starting(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="setting member_groups"):
        build_settings(home=tmp_path, member_id="alpha.example", member_groups=text)
