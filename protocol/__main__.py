"""``python -m protocol verify BUNDLE… [--anchor KEY] [--json]``: this package's one edge.

Exit status: 0 all is proven, 1 something is contradicted or broken, 2 usage or a bundle that cannot
be read, 3 something is undetermined and the rest proven.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from protocol.audit import audit_bundles
from protocol.audit.findings import ExitStatus, Report
from protocol.bundle import (
    BUNDLE_BYTES_MAX,
    BUNDLE_FILES_MAX,
    BUNDLES_MAX,
    Bundle,
    parse_bundle_files,
)
from protocol.encoding import decode_b64u
from protocol.errors import EvidenceError, ProtocolError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey, check_enrolment_point
from protocol.report import build_object, build_text

FOLDER_DEPTH_MAX = 12  # of a bundle; tlog-tiles needs eight


class BundleUnreadableError(EvidenceError):
    """A path is no bundle that may be read: missing, too large, or with links in it."""

    code = "bundle-unreadable"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = _join_anchor(sys.argv[1:] if arguments is None else arguments)
    options = _build_parser().parse_args(given)
    try:
        report = verify_paths(options.bundles, anchor=options.anchor)
    except ProtocolError as err:
        print(f"chengxin-verify: {err.detail}", file=sys.stderr)
        return ExitStatus.USAGE
    if options.json:
        print(json.dumps(build_object(report), ensure_ascii=False, indent=2))
    else:
        print(build_text(report), end="")
    return report.exit_status


def _join_anchor(arguments: Sequence[str]) -> list[str]:
    # One base64url key of 64 begins with a hyphen, which argparse would take for an option.
    rest = iter(arguments)
    return [f"{word}={next(rest, '')}" if word == "--anchor" else word for word in rest]


def verify_paths(paths: Sequence[Path], *, anchor: str | None) -> Report:
    """Audit bundles on disk.

    Raises:
        BundleUnreadableError: A path is no bundle that may be read.
        MalformedError: The anchor is no key.
    """
    if not 0 < len(paths) <= BUNDLES_MAX:
        raise BundleUnreadableError(f"1 to {BUNDLES_MAX} bundles at once")
    key = None if anchor is None else parse_anchor(anchor)
    return audit_bundles([read_bundle(path) for path in paths], anchor=key)


def parse_anchor(text: str) -> PublicKey:
    """Read the hub's public key, as the hub's operator gives it: 32 bytes in base64url.

    Raises:
        MalformedError: No key.
    """
    key = PublicKey(decode_b64u(text, bytes_exact=PUBLIC_KEY_BYTES))
    check_enrolment_point(key)
    return key


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's folder.

    Raises:
        BundleUnreadableError: No folder, too many or too large files, or a link among them.
    """
    try:
        files: dict[str, bytes] = {}
        bytes_left = BUNDLE_BYTES_MAX
        for path in _list_files(folder):
            raw = _read_file(path, bytes_max=bytes_left)
            bytes_left -= len(raw)
            files[path.relative_to(folder).as_posix()] = raw
    except OSError as err:
        raise BundleUnreadableError(f"{folder}: {err.strerror}") from err
    return parse_bundle_files(files, name=folder.resolve().name)


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the plain files of a folder; a link could name any file of the auditor's machine."""
    waiting = [(folder, 0)]
    count = 0
    while waiting:
        parent, depth = waiting.pop()
        for path in sorted(parent.iterdir()):
            count += 1
            mode = path.lstat().st_mode
            if count > BUNDLE_FILES_MAX or depth > FOLDER_DEPTH_MAX:
                raise BundleUnreadableError(
                    f"{folder}: more files or folders than a bundle may have"
                )
            if stat.S_ISDIR(mode):
                waiting.append((path, depth + 1))
            elif stat.S_ISREG(mode):
                yield path
            else:
                raise BundleUnreadableError(f"{path}: neither a plain file nor a folder")


def _read_file(path: Path, *, bytes_max: int) -> bytes:
    # Opened without following: the file may have become a link since it was listed.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        raw = file.read(bytes_max + 1)
    if len(raw) > bytes_max:
        raise BundleUnreadableError(f"a bundle has at most {BUNDLE_BYTES_MAX} bytes")
    return raw


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chengxin-verify", description="Check exported bundles offline."
    )
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser(
        "verify",
        help="say what is proven, contradicted and undetermined",
        epilog="Exit status: 0 proven, 1 contradicted, 2 usage or unreadable, 3 undetermined.",
    )
    verify.add_argument(
        "bundles", nargs="+", type=Path, metavar="BUNDLE", help="an exported folder"
    )
    verify.add_argument("--anchor", metavar="KEY", help="the hub's public key, base64url")
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
