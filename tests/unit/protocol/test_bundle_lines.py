"""Lines of a file read in blocks: every split of the file into ranges gives the same lines."""

import pytest

from protocol.bundle import MemoryFiles, lines, read_lines

TEXT = b"one\n\ntwo and more\n" + b"x" * 50 + b"\nlast\nrest"
WHOLE = TEXT.split(b"\n")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", 8)


def read(text: bytes, *, start: int = 0, end: int | None = None) -> list[lines.Line]:
    return list(read_lines(MemoryFiles({"f": text}), "f", start=start, end=end))


def test_every_line_is_read_with_its_place() -> None:
    found = read(TEXT)

    assert [one.content for one in found] == WHOLE
    assert [TEXT[one.offset : one.offset + one.size] for one in found] == WHOLE
    assert [one.is_ended for one in found] == [True] * 5 + [False]


@pytest.mark.parametrize("width", [1, 3, 7, 20, 200])
def test_ranges_share_the_lines_out(width: int) -> None:
    parts = [read(TEXT, start=at, end=at + width) for at in range(0, len(TEXT), width)]

    assert [one.content for part in parts for one in part] == WHOLE


def test_a_line_over_the_limit_is_passed_over_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BUNDLE_LINE_BYTES_MAX", 20)

    found = read(TEXT)

    assert [one.content for one in found] == [None if len(one) > 20 else one for one in WHOLE]


@pytest.mark.parametrize("text", [b"", b"\n", b"x", b"x" * 100, b"x" * 100 + b"\n"])
def test_short_and_long_files_are_read(text: bytes) -> None:
    found = read(text)

    assert b"\n".join(one.content or b"" for one in found) == text.removesuffix(b"\n")
    assert len(found) == len(text.splitlines())


def test_a_missing_file_has_no_lines() -> None:
    assert list(read_lines(MemoryFiles({}), "f")) == []
