"""Small files of the command line: salts, and what admits to a hub."""

from __future__ import annotations

from pathlib import Path

from node.cli.http import read_token
from node.core.keystore import draw_bytes, write_secret_file
from protocol.encoding import decode_b64u, encode_b64u
from protocol.invitation import parse_invitation
from protocol.limits import SALT_BYTES


def make_salt(path: Path) -> None:
    """Write a new salt into a file of its own.

    Raises:
        KeyExistsError: The file exists.
    """
    write_secret_file(encode_b64u(draw_bytes(SALT_BYTES)).encode("ascii"), path=path)


def read_salt(path: Path) -> bytes:
    """Return the salt that a file holds.

    Raises:
        KeyFileError: It cannot be read.
        MalformedError: It holds none.
    """
    return decode_b64u(read_token(path), bytes_exact=SALT_BYTES)


def read_admission(path: Path) -> str:
    """Return the token of a file that holds it alone, or an invitation.

    Raises:
        KeyFileError: It cannot be read.
        MalformedError: It is several lines and no invitation.
    """
    text = read_token(path)
    return parse_invitation(text).token if "\n" in text else text
