import hashlib

import pytest

from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"", ""), (b"f", "Zg"), (b"ba", "YmE"), (b"foo", "Zm9v"), (b"\xfb\xef\xff", "--__")],
    ids=["nothing", "one byte", "two bytes", "three bytes", "both characters of its own"],
)
def test_bytes_have_one_text_and_the_text_gives_them_back(value: bytes, text: str) -> None:
    assert encode_b64u(value) == text
    assert decode_b64u(text) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Zg==", id="padded"),
        pytest.param("Zg=", id="padded by half"),
        pytest.param("Zh", id="stray bits"),
        pytest.param("++//", id="the standard alphabet"),
        pytest.param("Zm9v\n", id="a line break"),
        pytest.param("Zm 9v", id="a space"),
        pytest.param("Z", id="one character"),
        pytest.param("Zm9vZ", id="one character too many"),
        pytest.param("Zm9é", id="not ASCII"),
        pytest.param("\uff21\uff21", id="full-width letters"),
    ],
)
def test_a_text_that_the_encoder_would_not_write_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        decode_b64u(text)


def test_a_value_of_the_length_due_is_decoded() -> None:
    assert decode_b64u("Zm9v", bytes_exact=3) == b"foo"


@pytest.mark.parametrize("bytes_exact", [0, 2, 4])
def test_a_value_of_another_length_than_due_is_refused(bytes_exact: int) -> None:
    with pytest.raises(MalformedError, match=f"3 bytes where {bytes_exact} are due"):
        decode_b64u("Zm9v", bytes_exact=bytes_exact)


def test_the_hash_is_of_the_parts_one_after_the_other() -> None:
    assert sha256(b"a", b"", b"bc") == hashlib.sha256(b"abc").digest()
