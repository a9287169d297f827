"""The files of a bundle by name, and how a reader reaches them without holding them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from protocol.limits import REGISTRY_BYTES_MAX

MANIFEST_FILE = "manifest.json"
POLICY_FILE = "policy"
CHECKPOINT_FILE = "checkpoint"
REGISTRY_FILE = "registry.jsonl"
CONSENTS_FILE = "consents.jsonl"
STATUSES_FILE = "statuses.jsonl"
MESSAGES_FILE = "messages.jsonl"
HEADS_FILE = "heads.jsonl"
WITNESSED_FILE = "witnessed.jsonl"
ANCHORS_FILE = "anchors.jsonl"
KEY_CHANGES_FILE = "keychanges.jsonl"
TILE_FOLDER = "tile/"

BUNDLES_MAX = 1_000  # given to one audit
BUNDLE_FILES_MAX = 100_000
BUNDLE_BYTES_MAX = 2**32
BUNDLE_LINES_MAX = 2_000_000  # of one file
BUNDLE_LINE_BYTES_MAX = 2 * REGISTRY_BYTES_MAX

FILES = frozenset(
    {
        MANIFEST_FILE,
        POLICY_FILE,
        CHECKPOINT_FILE,
        REGISTRY_FILE,
        CONSENTS_FILE,
        STATUSES_FILE,
        MESSAGES_FILE,
        HEADS_FILE,
        WITNESSED_FILE,
        ANCHORS_FILE,
        KEY_CHANGES_FILE,
    }
)
OPTIONAL_FILES = frozenset({WITNESSED_FILE, ANCHORS_FILE, KEY_CHANGES_FILE})


class BundleFiles(Protocol):
    """The files of one bundle, by their path inside it."""

    def list_paths(self) -> Sequence[str]:
        """Return the paths of all files."""
        ...

    def find_size(self, path: str) -> int | None:
        """Return how many bytes a file has, or None where there is no such file."""
        ...

    def read(self, path: str, *, offset: int = 0, count: int | None = None) -> bytes:
        """Return bytes of a file that exists, to its end where no count is given."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryFiles:
    """Files held in memory."""

    contents: Mapping[str, bytes]

    def list_paths(self) -> Sequence[str]:
        """Return the paths of all files."""
        return tuple(self.contents)

    def find_size(self, path: str) -> int | None:
        """Return how many bytes a file has, or None where there is no such file."""
        content = self.contents.get(path)
        return None if content is None else len(content)

    def read(self, path: str, *, offset: int = 0, count: int | None = None) -> bytes:
        """Return bytes of a file that exists, to its end where no count is given."""
        content = self.contents[path]
        return content[offset : len(content) if count is None else offset + count]


def find_content(files: BundleFiles, path: str) -> bytes | None:
    """Return a whole file, or None where there is no such file."""
    return None if files.find_size(path) is None else files.read(path)
