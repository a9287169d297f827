"""Files that were sent to the import's pages and wait for a decision: in memory, few, not for long.

A restart forgets them. Nothing is written to disk before a person says import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.core.errors import NotFoundError
from node.records.importing import ImportReport
from node.records.importing.guessing import MappingGuess
from protocol.encoding import encode_b64u

UPLOADS_MAX = 4  # the oldest one goes
UPLOAD_LIFE_S = 1_800
UPLOAD_BYTES_MAX = 32 * 2**20
_ID_BYTES = 16


class UploadGoneError(NotFoundError):
    """The file waits no longer: it is to be sent again."""

    code = "upload-gone"


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
        """Keep a file and return it with its new id."""
        self._forget_old(now_s)
        while len(self._uploads) >= UPLOADS_MAX:
            del self._uploads[next(iter(self._uploads))]
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
            if now_s - upload.at_s > UPLOAD_LIFE_S:
                del self._uploads[upload_id]
