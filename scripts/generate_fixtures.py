#!/usr/bin/env python3
"""Write the byte fixtures of protocol version 1 anew, and what the published vectors end with.

    generate_fixtures.py

Until version 1 is released this follows a change of the specification; afterwards it must change
nothing, and tests/conformance/fixtures/README.md says so.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.fixtures import build_fixtures  # noqa: E402  the tests are no package
from tests.support.published import build_later  # noqa: E402

VECTORS = ROOT / "docs" / "protocol" / "vectors.json"
FOLDER = ROOT / "tests" / "conformance" / "fixtures" / "v1"


def main() -> int:
    """Replace the folder and return the exit status."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    files = build_fixtures()
    for path, content in files.items():
        place = FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    text = json.dumps({**vectors, "later": build_later(vectors)}, indent=1, ensure_ascii=False)
    VECTORS.write_text(f"{text}\n", encoding="utf-8")
    print(f"{len(files)} files in {FOLDER.relative_to(ROOT)}, and {VECTORS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
