"""``python -m protocol verify BUNDLE… [--anchor KEY] [--policy FILE] [--document FILE] [--json]``.

This package's one edge.

Exit status: 0 all is proven, 1 something is contradicted or broken, 2 usage or a bundle that cannot
be read, 3 something is undetermined and the rest proven.
"""

from __future__ import annotations

import argparse
import gc
import io
import multiprocessing
import os
import pickle
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from protocol.audit import audit_bundles
from protocol.audit.findings import ExitStatus, Report
from protocol.bundle import (
    BUNDLE_BYTES_MAX,
    BUNDLE_FILES_MAX,
    BUNDLES_MAX,
    MANIFEST_FILE,
    MESSAGES_FILE,
    Bundle,
    open_bundle,
)
from protocol.encoding import decode_b64u, sha256
from protocol.errors import EvidenceError, ProtocolError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey, check_enrolment_point
from protocol.limits import LOG_POLICY_BYTES_MAX
from protocol.log_policy import LogPolicy, parse_log_policy
from protocol.report import build_text, format_json, show_plainly

DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
DOCUMENTS_MAX = 1_000
FOLDER_DEPTH_MAX = 12  # of a bundle; tlog-tiles needs eight
MEMORY_BYTES_MAX = 2**26  # of messages; with more, temporary files are used and every core
Watch = Callable[[str, int, int], None]
"""``watch(what, done, total)``: how far a step has come."""
S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


def watch_nothing(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def watch_terminal(what: str, done: int, total: int) -> None:
    """Write how far a step has come over the line before."""
    end = "\n" if done == total else ""
    print(f"\r{what}: {done} of {total}", end=end, file=sys.stderr, flush=True)


class WorkerLostError(ProtocolError):
    """A process of the audit was killed, as it may be where memory is short: nothing is judged."""

    code = "worker-lost"


class BundleUnreadableError(EvidenceError):
    """A path is no bundle that may be read: missing, too large, or with links in it."""

    code = "bundle-unreadable"


class DocumentUnreadableError(EvidenceError):
    """A paper cannot be read, is empty or too large: it has no hash that says anything."""

    code = "document-unreadable"


class PolicyUnreadableError(EvidenceError):
    """The policy file that was named cannot be read."""

    code = "policy-unreadable"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = _join_anchor(sys.argv[1:] if arguments is None else arguments)
    options = _build_parser().parse_args(given)
    for stream in (sys.stdout, sys.stderr):  # A name that it cannot write must not end the audit.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    watch = watch_terminal if sys.stderr.isatty() else watch_nothing
    try:
        report = verify_paths(
            options.bundles,
            anchor=options.anchor,
            policy=options.policy,
            documents=options.document,
            watch=watch,
        )
    except ProtocolError as err:
        print(f"chengxin-verify: {show_plainly(err.detail)}", file=sys.stderr)
        return ExitStatus.USAGE
    if options.json:
        sys.stdout.writelines(format_json(report))
    else:
        print(build_text(report), end="")
    return report.exit_status


def _join_anchor(arguments: Sequence[str]) -> list[str]:
    # One base64url key of 64 begins with a hyphen, which argparse would take for an option.
    rest = iter(arguments)
    return [f"{word}={next(rest, '')}" if word == "--anchor" else word for word in rest]


def verify_paths(
    paths: Sequence[Path],
    *,
    anchor: str | None,
    policy: Path | None = None,
    documents: Sequence[Path] = (),
    watch: Watch = watch_nothing,
) -> Report:
    """Audit bundles on disk; large ones with temporary files, which go when the report does.

    Args:
        paths: The folders, each a bundle or a folder of bundles, one for each log of a member.
        anchor: The hub's key, where it was given out of band.
        policy: A tlog-policy file of the witnesses that are asked for beside the hub's.
        documents: Papers of customers without a key, to be compared with what consents name.
        watch: Told of each step how much of it is done, of how much.

    Raises:
        DocumentUnreadableError: A paper cannot be read, or they are too many.
        BundleUnreadableError: A path is no bundle that may be read.
        PolicyUnreadableError: The policy file cannot be read.
        MalformedError: The anchor is no key, or the policy breaks its specification.
        TooLargeError: The policy is over its limits.
        WorkerLostError: A process of the audit was killed.
    """
    if len(documents) > DOCUMENTS_MAX:
        raise DocumentUnreadableError(f"at most {DOCUMENTS_MAX} papers at once")
    key = None if anchor is None else parse_anchor(anchor)
    asked = None if policy is None else read_policy(policy)
    papers = frozenset(map(hash_document, documents))
    try:
        folders = list_bundles(paths)
        if not 0 < len(folders) <= BUNDLES_MAX:
            raise BundleUnreadableError(f"1 to {BUNDLES_MAX} bundles at once")
        bundles = [read_bundle(folder) for folder in folders]
        size = sum(bundle.files.find_size(MESSAGES_FILE) or 0 for bundle in bundles)
        workspace = None if size < MEMORY_BYTES_MAX else FileWorkspace(watch=watch)
        return audit_bundles(bundles, anchor=key, policy=asked, workspace=workspace, papers=papers)
    except OSError as err:
        raise BundleUnreadableError(f"a bundle cannot be read: {err.strerror}") from err


def parse_anchor(text: str) -> PublicKey:
    """Read the hub's public key, as the hub's operator gives it: 32 bytes in base64url.

    Raises:
        MalformedError: No key.
    """
    key = PublicKey(decode_b64u(text, bytes_exact=PUBLIC_KEY_BYTES))
    check_enrolment_point(key)
    return key


def list_bundles(paths: Sequence[Path]) -> list[Path]:
    """Return the folders of bundles: each path, or where it holds nothing but bundles, these."""
    return [folder for path in paths for folder in _find_inner(path) or [path]]


def _find_inner(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    inner = sorted(islice(path.iterdir(), BUNDLES_MAX + 1))
    is_made_of_them = all(not one.is_symlink() and (one / MANIFEST_FILE).is_file() for one in inner)
    return inner if is_made_of_them else []


def hash_document(path: Path) -> bytes:
    """Return SHA-256 of a paper's file.

    Raises:
        DocumentUnreadableError: It cannot be read, is empty or too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as err:
        raise DocumentUnreadableError(f"{path}: {err.strerror}") from err
    if not 0 < len(content) <= DOCUMENT_BYTES_MAX:
        raise DocumentUnreadableError(f"{path}: a paper has 1 to {DOCUMENT_BYTES_MAX} bytes")
    return sha256(content)


def read_policy(path: Path) -> LogPolicy:
    """Read an auditor's tlog-policy file.

    Raises:
        PolicyUnreadableError: No file that may be read.
        TooLargeError: It is over the limits.
        LogPolicyError: It breaks the specification.
    """
    try:
        with path.open("rb") as file:
            return parse_log_policy(file.read(LOG_POLICY_BYTES_MAX + 1))
    except OSError as err:
        raise PolicyUnreadableError(f"{path}: {err.strerror}") from err


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's folder; messages and tiles stay in their files.

    Raises:
        BundleUnreadableError: No folder, too many or too large files, or a link among them.
    """
    try:
        sizes: dict[str, int] = {}
        for path, size in _list_files(folder):
            sizes[path.relative_to(folder).as_posix()] = size
        if sum(sizes.values()) > BUNDLE_BYTES_MAX:
            raise BundleUnreadableError(f"a bundle has at most {BUNDLE_BYTES_MAX} bytes")
        files = FolderFiles(folder, sizes)
        return open_bundle(files, name=folder.resolve().name)
    except OSError as err:
        raise BundleUnreadableError(f"{folder}: {err.strerror}") from err


class FolderFiles:
    """The files of a bundle on disk; a file that grows while it is read shows its first size."""

    def __init__(self, folder: Path, sizes: Mapping[str, int]) -> None:
        """Take the files as they were listed."""
        self._folder = folder
        self._sizes = sizes
        self._held: tuple[str, int] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Leave the open file behind."""
        return type(self), (self._folder, self._sizes)

    def __del__(self) -> None:
        """Close the file that is held open."""
        self._release()

    def list_paths(self) -> Sequence[str]:
        """Return the paths of all files."""
        return tuple(self._sizes)

    def find_size(self, path: str) -> int | None:
        """Return how many bytes a file has, or None where there is no such file."""
        return self._sizes.get(path)

    def read(self, path: str, *, offset: int = 0, count: int | None = None) -> bytes:
        """Return bytes of a file that exists, to its end where no count is given."""
        left = max(self._sizes[path] - offset, 0)
        wanted = left if count is None else min(count, left)
        if path != MESSAGES_FILE:
            descriptor = _open_file(self._folder / path)
            try:
                return _read_at(descriptor, offset, wanted)
            finally:
                os.close(descriptor)
        if self._held is None:  # Read line by line: it stays open.
            self._held = (path, _open_file(self._folder / path))
        return _read_at(self._held[1], offset, wanted)

    def _release(self) -> None:
        if self._held is not None:
            os.close(self._held[1])
            self._held = None


def _list_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the plain files of a folder; a link could name any file of the auditor's machine."""
    waiting = [(folder, 0)]
    count = 0
    while waiting:
        parent, depth = waiting.pop()
        for path in sorted(parent.iterdir()):
            count += 1
            found = path.lstat()
            if count > BUNDLE_FILES_MAX or depth > FOLDER_DEPTH_MAX:
                raise BundleUnreadableError(
                    f"{folder}: more files or folders than a bundle may have"
                )
            if stat.S_ISDIR(found.st_mode):
                waiting.append((path, depth + 1))
            elif stat.S_ISREG(found.st_mode):
                yield path, found.st_size
            else:
                raise BundleUnreadableError(f"{path}: neither a plain file nor a folder")


def _open_file(path: Path) -> int:
    # Opened without following: the file may have become a link since it was listed.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))


def _read_at(descriptor: int, offset: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0:
        part = os.pread(descriptor, count, offset)
        if not part:
            break
        parts.append(part)
        offset, count = offset + len(part), count - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class FileWorkspace:
    """Temporary files and as many processes as there are cores; both go with it."""

    def __init__(self, *, watch: Watch = watch_nothing, processes: int | None = None) -> None:
        """Make a folder for temporary files; ``TMPDIR`` says where."""
        self._folder = Path(tempfile.mkdtemp(prefix="chengxin-verify-"))
        self._watch = watch
        self._processes = processes or _count_cores()
        self._count = 0
        self.close = weakref.finalize(self, _remove_folder, str(self._folder), os.getpid())

    def open_spool(self) -> FileSpool:
        """Return a new spool."""
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return FileSpool(str(folder), self)

    def map(
        self, function: Callable[[S, T], R], tasks: Iterable[T], *, shared: S, what: str
    ) -> Iterator[R]:
        """Yield the results of the tasks, worked on by several processes.

        Raises:
            WorkerLostError: One of them was killed.
        """
        waiting = list(tasks)
        self._watch(what, 0, len(waiting))
        if self._processes == 1 or len(waiting) < 2:  # noqa: PLR2004  nothing to share out
            results: Iterator[R] = (function(shared, task) for task in waiting)
            yield from self._count_off(results, what, len(waiting))
            return
        # Forked where that is possible: what is shared is large, and then costs nothing.
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else None)
        pool = ProcessPoolExecutor(
            self._processes, mp_context=context, initializer=_take_work, initargs=(function, shared)
        )
        try:
            yield from self._count_off(pool.map(_work, waiting), what, len(waiting))
        except BrokenProcessPool as err:
            raise WorkerLostError(f"a process that worked on {what} was killed") from err
        finally:
            pool.shutdown(cancel_futures=True)

    def _count_off(self, results: Iterator[R], what: str, total: int) -> Iterator[R]:
        for done, result in enumerate(results, start=1):
            self._watch(what, done, total)
            yield result


class FileSpool:
    """Records in files, one a partition and process, so that nobody waits for another."""

    def __init__(self, folder: str, owner: FileWorkspace | None) -> None:
        """Write into ``folder``, which is there as long as its owner."""
        self._folder = folder
        self._owner = owner

    def __reduce__(self) -> tuple[object, ...]:
        """Leave the owner behind: the folder is its process's."""
        return type(self), (self._folder, None)

    def append(self, partition: int, records: Sequence[Any]) -> None:
        """Put records into a partition."""
        with Path(self._folder, f"{partition}.{os.getpid()}").open("ab") as file:
            pickle.dump(list(records), file, protocol=pickle.HIGHEST_PROTOCOL)

    def read(self, partition: int) -> Iterator[Any]:
        """Yield the records of a partition."""
        for path in sorted(Path(self._folder).glob(f"{partition}.*")):
            with path.open("rb") as file:
                while file.peek(1):
                    yield from pickle.load(file)  # noqa: S301  our own file, of this run


_job: list[tuple[Callable[[Any, Any], Any], Any]] = []  # of a worker process


def _take_work(function: Callable[[Any, Any], Any], shared: object) -> None:
    _job[:] = [(function, shared)]
    # What an audit makes holds no cycles; looking for them is a sixth of its time.
    gc.freeze()
    gc.disable()


def _work(task: object) -> Any:  # noqa: ANN401  what the function of the job returns
    function, shared = _job[0]
    return function(shared, task)


def _count_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _remove_folder(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # Not a forked worker, which holds a copy.
        shutil.rmtree(folder, ignore_errors=True)


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
    verify.add_argument(
        "--policy", type=Path, metavar="FILE", help="a tlog-policy: witnesses that you ask for"
    )
    verify.add_argument(
        "--document",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="the paper of a customer without a key; repeat it",
    )
    verify.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
