"""What we received breaks the specification: one class a fact, one ``code`` a class.

Tree::

    ProtocolError
    ├── MalformedError            not the form that the specification asks for
    │   ├── TooLargeError
    │   ├── UnsupportedVersionError
    │   └── SchemaError
    ├── IdentifierError           a name or number that is no valid identifier
    ├── SignatureInvalidError
    │   └── WrongAudienceError … (the leaves that a peer hears of are in ``protocol.problems``)
    └── EvidenceError             a log, proof, checkpoint or bundle that does not hold

A leaf lives beside the code that raises it when nothing else needs its name.
"""

from __future__ import annotations

from typing import ClassVar


class ProtocolError(Exception):
    """Bytes from outside break the specification. Never raised directly.

    ``code`` is the slug of the problem table (``protocol.problems``) or of the audit report.
    """

    code: ClassVar[str] = "malformed"

    def __init__(self, detail: str) -> None:
        """Keep the fact for the person who reads it; it holds no payload and no secret."""
        super().__init__(detail)
        self.detail = detail


class MalformedError(ProtocolError):
    """The bytes do not have the specified form."""

    code = "malformed"


class TooLargeError(MalformedError):
    """The bytes exceed a limit of ``protocol.limits``."""

    code = "too-large"


class UnsupportedVersionError(MalformedError):
    """The major version is not one that this node speaks."""

    code = "unsupported-version"


class SchemaError(ProtocolError):
    """A body or claim has the right form and a wrong content."""

    code = "schema"


class IdentifierError(ProtocolError):
    """A text is not an identifier of the scheme that it claims."""

    code = "identifier-invalid"


class UnknownKeyError(ProtocolError):
    """The key is in no registry snapshot that the verifier holds."""

    code = "unknown-key"


class SignatureInvalidError(ProtocolError):
    """A signature does not verify under the key that it names."""

    code = "bad-signature"


class EvidenceError(ProtocolError):
    """A log, proof, checkpoint or bundle does not hold."""

    code = "evidence-invalid"
