"""What the tests of pages share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.console_people import make_home


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a node that is closed, to be copied: keys take longer to make."""
    return make_home(tmp_path_factory.mktemp("made") / "home")
