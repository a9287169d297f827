"""Bundles that were sent to be verified: on disk, few, not for long, judged by another process.

What a bundle holds is another member's: nothing of it enters the store. Files, verdict and report
are gone after half an hour, and with a restart.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tarfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from node.core.errors import NotFoundError, OverloadedError, RejectedError
from node.core.threads import finish_in_thread
from node.web.report_object import ReportPart, read_report
from protocol.audit.findings import ExitStatus
from protocol.bundle import BUNDLE_FILES_MAX
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject

DROPS_MAX = 4
DROP_LIFE_S = 1_800
DROP_BYTES_MAX = 256 * 2**20  # of all its files together; unpacked they are no larger
DROP_FILES_MAX = 8
VERIFY_S_MAX = 900
REPORT_BYTES_MAX = 64 * 2**20
ERROR_CHARACTERS_MAX = 500
_ID_BYTES = 16
_JUDGED = {ExitStatus.PROVEN, ExitStatus.CONTRADICTED, ExitStatus.UNDETERMINED}
_log = structlog.get_logger()


class DropGoneError(NotFoundError):
    """The bundles are no longer here: they are to be sent again."""

    code = "drop-gone"


class DropUnfitError(RejectedError):
    """A file is no archive of a bundle, or there is none."""

    code = "drop-unfit"


class DropState(StrEnum):
    """How far a drop is."""

    VERIFYING = "verifying"
    JUDGED = "judged"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Drop:
    """Some bundles of one person; ``failure`` says why they could not be judged."""

    drop_id: str
    who: str
    at_s: int
    folder: Path
    names: tuple[str, ...]
    anchor: str
    state: DropState = DropState.VERIFYING
    failure: str = ""
    value: JsonObject | None = None
    task: asyncio.Task[None] | None = None

    @property
    def report(self) -> ReportPart | None:
        """The verdicts, once there are some."""
        return None if self.value is None else read_report(self.value)


class DropDesk:
    """Holds drops and has them judged, one at a time; used by the event loop alone."""

    def __init__(self, home: Path, *, random_bytes: Callable[[int], bytes]) -> None:
        """Hold nothing, and take away what an earlier process has left."""
        self._home = home / "drops"
        self._random_bytes = random_bytes
        self._drops: dict[str, Drop] = {}
        self._turn = asyncio.Lock()
        shutil.rmtree(self._home, ignore_errors=True)

    def open_folder(self) -> tuple[str, Path]:
        """Return the id of a new drop, and a folder for its files that nobody else reads.

        Raises:
            OverloadedError: As many as may be are being judged.
        """
        while len(self._drops) >= DROPS_MAX:
            idle = next(
                (key for key, one in self._drops.items() if one.state is not DropState.VERIFYING),
                None,
            )
            if idle is None:
                raise OverloadedError("other bundles are being verified: send them again later")
            self.remove(idle)
        drop_id = encode_b64u(self._random_bytes(_ID_BYTES))
        folder = self._home / drop_id
        folder.mkdir(mode=0o700, parents=True)
        return drop_id, folder

    def start(self, drop: Drop, files: Sequence[Path]) -> None:
        """Have bundles judged in the background, and taken away when their time is over."""
        self._drops[drop.drop_id] = drop
        loop = asyncio.get_running_loop()
        drop.task = loop.create_task(self._judge(drop, files))
        loop.call_later(DROP_LIFE_S, self.remove, drop.drop_id)

    def list_of(self, who: str) -> list[Drop]:
        """Return a person's drops, the newest first."""
        return [one for one in reversed(self._drops.values()) if one.who == who]

    def get(self, drop_id: str, *, who: str) -> Drop:
        """Return a drop to who sent it.

        Raises:
            DropGoneError: It is gone, or another's.
        """
        drop = self._drops.get(drop_id)
        if drop is None or drop.who != who:
            raise DropGoneError("these bundles are no longer here: send them again")
        return drop

    def remove(self, drop_id: str) -> None:
        """Forget a drop and delete its files."""
        drop = self._drops.pop(drop_id, None)
        if drop is not None:
            if drop.task is not None:
                drop.task.cancel()
            shutil.rmtree(drop.folder, ignore_errors=True)

    async def _judge(self, drop: Drop, files: Sequence[Path]) -> None:
        try:
            async with self._turn:
                folders = await finish_in_thread(unpack_all, files, drop.folder)
                await self._verify(drop, folders)
        except DropUnfitError as err:
            drop.state, drop.failure = DropState.FAILED, err.detail
        except Exception as err:  # noqa: BLE001  the jobs' edge: its text may hold what a file says
            _log.error("drop_broken", error=type(err).__name__)
            drop.state, drop.failure = DropState.FAILED, type(err).__name__

    async def _verify(self, drop: Drop, folders: Sequence[Path]) -> None:
        """Run the verifier that auditors run, in a process of its own.

        Raises:
            DropUnfitError: It cannot read the bundles, or takes too long.
        """
        out = drop.folder / "report.json"
        with out.open("xb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "protocol",
                "verify",
                *map(str, folders),
                f"--anchor={drop.anchor}",
                "--json",
                stdout=file,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, said = await asyncio.wait_for(process.communicate(), VERIFY_S_MAX)
            except TimeoutError as err:
                raise DropUnfitError("verifying took too long") from err
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        if process.returncode not in _JUDGED:
            words = said.decode("utf-8", errors="replace").replace(str(drop.folder), "")
            raise DropUnfitError(words.strip()[:ERROR_CHARACTERS_MAX] or "the verifier ended")
        drop.value = await finish_in_thread(_read_report, out)
        drop.state = DropState.JUDGED


def unpack_all(files: Sequence[Path], folder: Path) -> list[Path]:
    """Unpack archives into folders beside them; the archives go.

    Raises:
        DropUnfitError: One is no tar archive of plain files with plain names.
    """
    made: list[Path] = []
    for number, path in enumerate(files):
        target = folder / f"bundle-{number}"
        target.mkdir(mode=0o700)
        _unpack(path, target)
        path.unlink()
        inner = [one for one in target.iterdir() if one.is_dir()]
        only = len(inner) == 1 and len(list(target.iterdir())) == 1
        made.append(inner[0] if only else target)
    return made


def _unpack(path: Path, target: Path) -> None:
    count = 0
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                count += 1
                if count > BUNDLE_FILES_MAX:
                    raise DropUnfitError("an archive holds more files than a bundle may have")
                # A sparse file is small in the archive and of any size on the disk.
                if not (member.isreg() or member.isdir()) or member.issparse():
                    raise DropUnfitError("an archive holds something else than plain files")
                archive.extract(member, target, filter="data")
    except (tarfile.TarError, OSError, ValueError) as err:
        raise DropUnfitError("a file is no tar archive of a bundle") from err
    if count == 0:
        raise DropUnfitError("an archive is empty")


def _read_report(path: Path) -> JsonObject:
    if path.stat().st_size > REPORT_BYTES_MAX:
        raise DropUnfitError("the report is too long for a page: verify with the command")
    value: JsonObject = json.loads(path.read_bytes())
    read_report(value)
    return value
