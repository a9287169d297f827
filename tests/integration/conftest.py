"""What most of these tests begin with; a file that needs it otherwise has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.exchanges import Scene, build_scene
from tests.support.sites import MemberSite, open_member_site


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    built = build_scene(tmp_path)
    yield built
    built.federation.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MemberSite]:
    opened = open_member_site(tmp_path)
    yield opened
    opened.close()
