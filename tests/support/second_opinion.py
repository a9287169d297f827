"""Asks goverify, which shares no code with ours, about the logs and proofs that the tests make.

Both must say the same. Where ../shared/goverify or Go is not here, nothing is asked: the tests of
``tests/integration/test_goverify_formats.py`` then say why they skip.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from node.core.database import Database
from node.core.log import LogStore
from node.core.log_list import LogList
from protocol.audit.findings import LogReport, Outcome, Report
from protocol.bundle import Bundle, build_log_files
from protocol.log_policy import LogPolicy, PolicyLog, format_log_policy
from protocol.note import VerifierKey

SOURCE = Path(__file__).resolve().parents[2].parent / "shared" / "goverify"
# What only our auditor looks at: files beside the log, what follows the last entry, what an entry
# says, what others have seen of the log.
OURS_ALONE = frozenset(
    {"entries-overlong", "entry-invalid", "fork", "genesis", "manifest", "tile-unexpected"}
)


class GoverifyAbsentError(Exception):
    """There is no independent verifier to ask."""


@cache
def build_goverify() -> Path:
    """Build the verifier once a session and return the program.

    Raises:
        GoverifyAbsentError: It cannot be built here.
    """
    if not (SOURCE / "build.sh").is_file():
        raise GoverifyAbsentError("../shared/goverify is not here: no independent verifier to ask")
    go = shutil.which("go")
    if go is None:
        raise GoverifyAbsentError(
            "Go is not installed: apt-get install golang-go golang-golang-x-mod-dev"
        )
    folder = TemporaryDirectory(prefix="goverify-")
    atexit.register(folder.cleanup)
    environment = {
        "PATH": f"{Path(go).parent}{os.pathsep}{os.defpath}",
        "HOME": folder.name,
        "OUT": folder.name,
        "GOCACHE": f"{folder.name}/cache",
    }
    built = subprocess.run(
        ["/bin/sh", str(SOURCE / "build.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise GoverifyAbsentError(f"goverify does not build here: {built.stderr.strip()[:200]}")
    return Path(folder.name) / "goverify"


def has_goverify() -> bool:
    """Tell whether there is somebody to ask."""
    try:
        build_goverify()
    except GoverifyAbsentError:
        return False
    return True


def ask_goverify(*arguments: object) -> str:
    """Return what the verifier prints: it begins with OK or REFUSED.

    Raises:
        GoverifyAbsentError: There is none.
    """
    done = subprocess.run(
        [str(build_goverify()), *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def judge_log(files: Mapping[str, bytes]) -> str:
    """Return the verifier's word on a log: policy, checkpoint and tiles by path."""
    with TemporaryDirectory() as folder:
        for path, content in files.items():
            place = Path(folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return ask_goverify("log", Path(folder) / "policy", folder)


def write_policy(vkey: VerifierKey) -> bytes:
    """Return a policy that trusts one log and asks for no witness."""
    policy = LogPolicy(logs=(PolicyLog(key=vkey),), witnesses=(), groups=(), quorum="none")
    return format_log_policy(policy)


def compare_with_report(bundles: Sequence[Bundle], report: Report) -> None:
    """Check that the verifier judges the log of each bundle as the report does."""
    if not has_goverify():
        return
    names = [bundle.name for bundle in bundles]
    for bundle in bundles:
        logs = [log for log in report.logs if log.bundle == bundle.name]
        if len(logs) != 1 or names.count(bundle.name) != 1:
            continue  # An export that was joined to a longer one has no line of its own.
        compare_log(bundle, logs[0])


def compare_log(bundle: Bundle, log: LogReport) -> None:
    """Check that the verifier judges one log as its line of the report does."""
    failures = {finding.code for finding in log.findings if finding.outcome is Outcome.FAILS}
    if "policy" in failures:
        return  # We judge by the registry's keys, and the verifier was told others.

    files = dict(bundle.tiles)
    files |= {"policy": bundle.policy, "checkpoint": bundle.checkpoint.encode()}
    told = judge_log(files)
    agrees = told.startswith("OK: ") == (not failures - OURS_ALONE)
    assert agrees, f"goverify: {told}; we: {sorted(failures) or 'nothing fails'}"


def check_stored_log(database: Database, *, vkey: VerifierKey) -> None:
    """Check that the verifier admits a log that a node holds, every entry and tile of it."""
    if not has_goverify():
        return
    with database.read() as uow:
        found = [log for log in LogList(uow.connection).list_all() if log.origin == vkey.name]
        if not found:
            return
        (head,) = found
        store = LogStore(uow.connection, head.place)
        files = dict(
            build_log_files(
                head.size,
                read_tile=store.read_tile,
                list_entries=lambda first, count: store.list_entries(first=first, count=count),
            )
        )
    files |= {"policy": write_policy(vkey), "checkpoint": head.checkpoint.encode()}
    told = judge_log(files)

    assert told.startswith(f"OK: {vkey.name}: {head.size} entries"), told
