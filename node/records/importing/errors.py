"""Why a file cannot be imported at all. A bad row is no error: it is in the report."""

from __future__ import annotations

from node.core.errors import RejectedError


class ImportFileError(RejectedError):
    """The file as a whole cannot be read."""

    code = "import-file"


class FileUnreadableError(ImportFileError):
    """The file is missing, is no file, or its compression is damaged."""

    code = "import-file-unreadable"


class FileTooLargeError(ImportFileError):
    """The file is above a limit; it can be split."""

    code = "import-file-too-large"


class EncodingUnknownError(ImportFileError):
    """The bytes are no text in an encoding that we read."""

    code = "import-encoding-unknown"


class TableFormError(ImportFileError):
    """The text is no table: a line without end, an unclosed quote, no header."""

    code = "import-table-form"


class ProfileUnknownError(ImportFileError):
    """No profile knows this header, or the named profile does not."""

    code = "import-profile-unknown"


class MappingInvalidError(ImportFileError):
    """A mapping names no column of a field, a field that there is not, or is no TOML."""

    code = "import-mapping-invalid"


class OptionInvalidError(ImportFileError):
    """The source's name or the deal is not usable."""

    code = "import-option-invalid"
