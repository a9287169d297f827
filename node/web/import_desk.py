"""Files that were sent to the import's pages and wait for a decision: in memory, few, not for long.

A restart forgets them. Nothing is written to disk before a person says import; an import that is
under way is one transaction, so that a node which is killed meanwhile has all of it or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from node.core.errors import NotFoundError, OverloadedError
from node.records.importing import ImportReport
from node.records.importing.guessing import MappingGuess
from node.records.importing.reading import PROGRESS_ROWS
from protocol.encoding import encode_b64u

UPLOADS_MAX = 4  # the oldest one goes
UPLOAD_LIFE_S = 1_800
UPLOAD_BYTES_MAX = 32 * 2**20
_ID_BYTES = 16


class UploadGoneError(NotFoundError):
    """The file waits no longer: it is to be sent again."""

    code = "upload-gone"


@dataclass(slots=True, kw_only=True)
class Job:
    """A trial or an import at work, and how far it is: rows read, of about so many."""

    is_trial: bool
    done: int = 0
    total: int = 0
    task: asyncio.Task[None] | None = None

    def tell(self, done: int, total: int) -> None:
        """Take word of the thread that reads."""
        self.done, self.total = done, total

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.task is not None and not self.task.done()

    @property
    def has_read_all(self) -> bool:
        """Whether all rows are read, as far as can be told: the rest is writing."""
        return self.total > 0 and self.done + PROGRESS_ROWS > self.total


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file with what was decided of it so far."""

    upload_id: str
    file_name: str
    content: bytes
    sheet: str | None
    guess: MappingGuess
    who: str
    at_s: int
    source: str = ""
    is_opening: bool = False
    control_totals: str = ""
    report: ImportReport | None = None
    is_done: bool = False
    job: Job | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job reads it."""
        return self.job is not None and self.job.is_running


class UploadDesk:
    """Holds the uploads; used by the event loop alone."""

    def __init__(self, *, random_bytes: Callable[[int], bytes]) -> None:
        """Hold nothing yet."""
        self._random_bytes = random_bytes
        self._uploads: dict[str, Upload] = {}

    def put(
        self,
        content: bytes,
        *,
        file_name: str,
        sheet: str | None,
        guess: MappingGuess,
        who: str,
        now_s: int,
    ) -> Upload:
        """Keep a file and return it with its new id.

        Raises:
            OverloadedError: All that wait are being imported.
        """
        self._forget_old(now_s)
        while len(self._uploads) >= UPLOADS_MAX:
            idle = next((key for key, one in self._uploads.items() if not one.is_busy), None)
            if idle is None:
                raise OverloadedError("other files are being imported: send it again later")
            del self._uploads[idle]
        upload = Upload(
            upload_id=encode_b64u(self._random_bytes(_ID_BYTES)),
            file_name=file_name,
            content=content,
            sheet=sheet,
            guess=guess,
            who=who,
            at_s=now_s,
        )
        self._uploads[upload.upload_id] = upload
        return upload

    def get(self, upload_id: str, *, who: str, now_s: int) -> Upload:
        """Return a file to who sent it.

        Raises:
            UploadGoneError: It waits no longer, or is another's.
        """
        self._forget_old(now_s)
        upload = self._uploads.get(upload_id)
        if upload is None or upload.who != who:
            raise UploadGoneError("the file waits no longer: send it again")
        return upload

    def _forget_old(self, now_s: int) -> None:
        for upload_id, upload in list(self._uploads.items()):
            if upload.is_busy:
                upload.at_s = now_s  # its half hour begins when the job has ended
            elif now_s - upload.at_s > UPLOAD_LIFE_S:
                del self._uploads[upload_id]
