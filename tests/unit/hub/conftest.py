from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hubs import TestHub, open_test_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[TestHub]:
    opened = open_test_hub(tmp_path)
    yield opened
    opened.database.dispose()
