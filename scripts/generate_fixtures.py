#!/usr/bin/env python3
"""Write the byte fixtures of protocol version 1 anew, from their fixed seeds.

    generate_fixtures.py

Until version 1 is released this follows a change of the specification; afterwards it must change
nothing, and tests/conformance/fixtures/README.md says so.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.fixtures import build_fixtures  # noqa: E402  the tests are no package

FOLDER = ROOT / "tests" / "conformance" / "fixtures" / "v1"


def main() -> int:
    """Replace the folder and return the exit status."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    files = build_fixtures()
    for path, content in files.items():
        place = FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    print(f"{len(files)} files in {FOLDER.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
