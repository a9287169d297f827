"""A small file is whole or not there."""

import os
import stat
from pathlib import Path

import pytest

from node.core.files import create_file, read_file, replace_file


def list_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    create_file(b"one", path=path)

    with pytest.raises(FileExistsError):
        create_file(b"two", path=path)
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list_names(tmp_path) == ["secret"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "config"
    replace_file(b"one", path=path)

    replace_file(b"two", path=path)

    assert path.read_bytes() == b"two"
    assert list_names(tmp_path) == ["config"]


@pytest.mark.parametrize("write", [create_file, replace_file])
def test_a_full_disk_leaves_what_was_there_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: type
) -> None:
    path = tmp_path / "config"
    if write is replace_file:
        path.write_bytes(b"one")
    before = list_names(tmp_path)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write(b"two", path=path)

    assert list_names(tmp_path) == before


def test_a_folder_cannot_be_replaced_and_no_draft_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="directory"):
        replace_file(b"one", path=tmp_path / "folder")

    assert list_names(tmp_path) == ["folder"]


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(OSError, match="longer"):
        read_file(Path("/dev/zero"), bytes_max=10)


def test_a_file_of_just_the_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")

    assert read_file(tmp_path / "file", bytes_max=10) == b"0123456789"
