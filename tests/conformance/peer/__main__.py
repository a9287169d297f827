"""``python -m tests.conformance.peer``: try a node against the specification, from outside.

docs/protocol/conformance.md says how the node is set up. Exit status: 0 every case that could be
tried passes, 1 one fails, 2 wrong usage, 3 the node could not be tried.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.conformance.peer.adapter import build_command_adapter
from tests.conformance.peer.case import Failed, Result, Verdict, run_cases
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.report import format_counts, format_json, format_result
from tests.conformance.peer.suite import list_cases

EXIT_FAILED, EXIT_NOT_TRIED = 1, 3


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.peer", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("kit"), help="where to write material")
    parser.add_argument("--port", type=int, default=0, help="the hub's port; a free one if absent")
    parser.add_argument("--node-url", default="", help="the node's address; as enrolled if absent")
    parser.add_argument("--adapter", default="", help="command that makes the node ask")
    parser.add_argument("--only", default="", help="cases whose name or rules contain this text")
    parser.add_argument("--list", action="store_true", help="list the cases and end")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def main() -> int:
    """Run the kit and return the exit status."""
    arguments = parse_arguments()
    cases = [
        case for case in list_cases() if arguments.only in case.name or arguments.only in case.rules
    ]
    if arguments.list:
        for case in cases:
            _print(f"{case.role.value:8}  {case.name}  [{' '.join(case.rules)}]")
        return 0
    adapter = build_command_adapter(arguments.adapter) if arguments.adapter else None
    kit = Kit(port=arguments.port, adapter=adapter)
    try:
        kit.write_folder(arguments.folder)
        sys.stderr.write(f"hub {kit.server.url}, material in {arguments.folder}\n")
        kit.connect(url=arguments.node_url)
        results = list(_show(run_cases(cases, kit), quiet=arguments.json))
    except Failed as err:
        sys.stderr.write(f"the node could not be tried: {err}\n")
        return EXIT_NOT_TRIED
    finally:
        kit.close()
    form = format_json if arguments.json else format_counts
    _print(form(results, kit.faults))
    has_failed = any(result.verdict is Verdict.FAIL for result in results)
    return EXIT_FAILED if has_failed or kit.faults else 0


def _show(results: Iterable[Result], *, quiet: bool) -> Iterator[Result]:
    for result in results:
        if not quiet:
            _print(format_result(result))
        yield result


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
