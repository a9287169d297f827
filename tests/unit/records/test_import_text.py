import gzip
from pathlib import Path

import pytest

from node.records.importing import text as text_module
from node.records.importing.errors import (
    EncodingUnknownError,
    FileTooLargeError,
    FileUnreadableError,
    TableFormError,
)
from node.records.importing.text import iterate_rows, load_bytes, read_table


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("utf-8", "诚信"), ("utf-8-sig", "Grünwald"), ("gb18030", "诚信机电"), ("cp1252", "Müller")],
)
def test_encodings_are_told_apart_by_their_bytes(encoding: str, word: str) -> None:
    table = read_table(f"name,city\n{word},{word}\n".encode(encoding))

    assert list(iterate_rows(table)) == [(2, [word, word])]
    assert table.encoding == ("utf-8-sig" if encoding.startswith("utf-8") else encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    table = read_table(f"a{delimiter}b\r\n1{delimiter}2\r\n".encode())

    assert table.header == ("a", "b")
    assert list(iterate_rows(table)) == [(2, ["1", "2"])]


def test_empty_rows_are_passed_over_and_keep_their_number() -> None:
    table = read_table(b'a,b\n\n1,2\n,\n"x\ny",4\n')

    assert list(iterate_rows(table)) == [(3, ["1", "2"]), (5, ["x\ny", "4"])]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", TableFormError),
        (b"\n1,2\n", TableFormError),
        (b"a,a\n1,2\n", TableFormError),
        (b'"a,b\n', TableFormError),
        (b"a," * 300, TableFormError),
        (b"a" * 70_000, TableFormError),
        (b"a,b\n\x00,1\n", EncodingUnknownError),
        ("a,b\n".encode("utf-16"), EncodingUnknownError),
        (b"a,b\n\x81\xff\xff,\x81\x20\n", EncodingUnknownError),
    ],
)
def test_what_is_no_table_of_text_is_refused(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_table(raw)


@pytest.mark.parametrize(
    "body", [b'1,"2\n', b'1,"2"3\n', b"1," + b"x" * 70_000, b'1,"' + b"x\n" * 70_000 + b'"']
)
def test_a_row_that_does_not_end_stops_the_reading(body: bytes) -> None:
    table = read_table(b"a,b\n" + body)

    with pytest.raises(TableFormError):
        list(iterate_rows(table))


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "ROWS_MAX", 2)
    rows = "a,b\n1,2\n1,2\n"

    assert len(list(iterate_rows(read_table(rows.encode())))) == 2
    with pytest.raises(FileTooLargeError):
        list(iterate_rows(read_table((rows + "1,2\n").encode())))


def test_gzip_is_unpacked_and_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 100))

    assert load_bytes(path) == b"a,b\n" * 100
    monkeypatch.setattr(text_module, "FILE_BYTES_MAX", 399)
    with pytest.raises(FileTooLargeError):
        load_bytes(path)
    with pytest.raises(FileTooLargeError):
        load_bytes(b"x" * 400)


@pytest.mark.parametrize("damage", ["cut", "flip", "head"])
def test_damaged_compression_is_refused(damage: str) -> None:
    packed = bytearray(gzip.compress(bytes(range(256)) * 40))
    if damage == "cut":
        packed = packed[:-9]
    else:
        packed[len(packed) // 2 if damage == "flip" else 2] ^= 0xFF

    with pytest.raises(FileUnreadableError):
        load_bytes(bytes(packed))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(FileUnreadableError):
            load_bytes(path)
