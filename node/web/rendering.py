"""What pages of every kind are made with: templates that escape, and the node's own files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from protocol.encoding import encode_b64u, sha256

STATIC_LIFE_S = 86_400
VERSION_CHARS = 12
_MEDIA_TYPES = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)


def build_environment(filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Return the templates: what they print is escaped, and a name that is not there fails."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= dict(filters)
    return environment


def read_static(name: str) -> bytes:
    """Return one of the node's own files."""
    return (resources.files("node.web") / "static" / name).read_bytes()


class StaticFiles:
    """Some of the node's own files, kept by browsers under an address that names their version."""

    def __init__(self, *names: str, is_public: bool = False) -> None:
        """Read them; ``is_public`` lets caches between browser and node keep them too."""
        self._files = {name: read_static(name) for name in names}
        self._reach = "public" if is_public else "private"
        self.version = encode_b64u(sha256(*self._files.values()))[:VERSION_CHARS]

    def find(self, name: str) -> Response | None:
        """Return the answer with a file, None where it is none of these."""
        content = self._files.get(name)
        if content is None:
            return None
        return Response(
            content,
            media_type=_MEDIA_TYPES[PurePosixPath(name).suffix],
            headers={"cache-control": f"{self._reach}, max-age={STATIC_LIFE_S}"},
        )
