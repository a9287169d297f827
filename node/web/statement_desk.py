"""Files of statements that were sent and wait for a decision: in memory, few, not for long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.web.import_desk import UPLOAD_LIFE_S, UPLOADS_MAX, UploadGoneError
from protocol.encoding import encode_b64u

_ID_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementUpload:
    """A file, whose customer it is of, and who sent it."""

    upload_id: str
    customer_id: int
    file_name: str
    content: bytes
    who: str
    at_s: int


class StatementDesk:
    """Holds the files; used by the event loop alone."""

    def __init__(self, *, random_bytes: Callable[[int], bytes]) -> None:
        """Hold nothing yet."""
        self._random_bytes = random_bytes
        self._uploads: dict[str, StatementUpload] = {}

    def put(
        self, content: bytes, *, customer_id: int, file_name: str, who: str, now_s: int
    ) -> StatementUpload:
        """Keep a file and return it with its new id; of too many, the oldest goes."""
        self._forget_old(now_s)
        while len(self._uploads) >= UPLOADS_MAX:
            del self._uploads[next(iter(self._uploads))]
        upload = StatementUpload(
            upload_id=encode_b64u(self._random_bytes(_ID_BYTES)),
            customer_id=customer_id,
            file_name=file_name,
            content=content,
            who=who,
            at_s=now_s,
        )
        self._uploads[upload.upload_id] = upload
        return upload

    def get(self, upload_id: str, *, customer_id: int, who: str, now_s: int) -> StatementUpload:
        """Return a file to who sent it, on the pages of its customer.

        Raises:
            UploadGoneError: It waits no longer, or is another's.
        """
        self._forget_old(now_s)
        upload = self._uploads.get(upload_id)
        if upload is None or upload.who != who or upload.customer_id != customer_id:
            raise UploadGoneError("the file waits no longer: send it again")
        return upload

    def drop(self, upload_id: str) -> None:
        """Forget a file that was entered."""
        self._uploads.pop(upload_id, None)

    def _forget_old(self, now_s: int) -> None:
        for upload_id, upload in list(self._uploads.items()):
            if now_s - upload.at_s > UPLOAD_LIFE_S:
                del self._uploads[upload_id]
