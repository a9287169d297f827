"""Reading a form with a file (RFC 7578): a few fields and one file, whole and bounded before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from node.core.errors import RejectedError

PARTS_MAX = 8
FIELD_BYTES_MAX = 1_024
_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?\s*')
_NAME = re.compile(r'[;\s]name="([^"\r\n]{1,64})"')
_FILE_NAME = re.compile(r'[;\s]filename="([^"\r\n]{0,512})"')


class UploadFormError(RejectedError):
    """A body is no form with a file."""

    code = "upload-form"


@dataclass(slots=True, kw_only=True)
class UploadForm:
    """The fields of a form, and its file."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    content: bytes = b""


def parse_upload(body: bytes, *, content_type: str) -> UploadForm:
    """Read a form.

    Raises:
        UploadFormError: It is no such form, or has more parts than one of ours.
    """
    boundary = read_boundary(content_type)
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary, PARTS_MAX + 2)
    if len(parts) > PARTS_MAX + 2 or parts[0] or not parts[-1].startswith(b"--"):
        raise UploadFormError("the form is cut off, or has too many parts")
    form = UploadForm()
    for part in parts[1:-1]:
        head, mark, content = part.partition(b"\r\n\r\n")
        _take_part(form, head.decode("utf-8", errors="replace"), content, is_whole=bool(mark))
    return form


def _take_part(form: UploadForm, head: str, content: bytes, *, is_whole: bool) -> None:
    if not is_whole:
        raise UploadFormError("a part of the form has no name")
    name, file_name = read_part_names(head)
    if file_name is not None:
        form.file_name, form.content = file_name, content
    elif len(content) > FIELD_BYTES_MAX:
        raise UploadFormError("a field of the form is too long")
    else:
        form.fields[name] = content.decode("utf-8", errors="replace")


def read_boundary(content_type: str) -> bytes:
    """Return what parts a form's parts.

    Raises:
        UploadFormError: It is no form with a file.
    """
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        raise UploadFormError("not a form with a file")
    return found[1].encode("ascii")


def read_part_names(head: str) -> tuple[str, str | None]:
    """Return the name of a part's field, and of its file; None where it is none.

    Raises:
        UploadFormError: The part has no name.
    """
    name, file_name = _NAME.search(head), _FILE_NAME.search(head)
    if name is None:
        raise UploadFormError("a part of the form has no name")
    return name[1], None if file_name is None else file_name[1]
