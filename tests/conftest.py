"""Fixtures every folder of tests may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.compiled import share_statements
from tests.support.stores import stop_server

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect
settings.load_profile("untimed")
share_statements()


def pytest_sessionfinish() -> None:
    stop_server()


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data and public vectors beside the repository, which is no part of it."""
    shared = ROOT.parent / "shared"
    if not shared.is_dir():
        pytest.skip("../shared is not here: the public vectors and real data cannot be read")
    return shared
