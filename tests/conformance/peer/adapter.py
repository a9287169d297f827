"""What makes the node under test ask: the tester's command, called as ``COMMAND VERB ARGUMENT``.

``hold FILE``        take in the consents of a file, ``{"consents":[{"token","subject","salt"},…]}``
``ask CONSENT``      ask the provider of a consent (its hash, b64u) for everything of twelve months
``ask-later CONSENT``  the same, in a query that takes a deferred answer
``ask-batch CONSENT,CONSENT,…``  the same under several consents, in one message
``settle JTI``       settle the open ask whose request has this message id (b64u)
``deliver CONSENT``  hand a consent to its provider

Those that ask, and ``settle``, print what came of it: ``200``, ``202``, the code of a signed
refusal, or any other word where no reply was accepted.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject
from tests.conformance.peer.case import Failed

COMMAND_S_MAX = 60


Call = Callable[[str, str], str]
"""Does one verb with its argument and returns what was printed."""


class Adapter:
    """Makes the node ask."""

    def __init__(self, call: Call) -> None:
        """Take how a verb reaches the node."""
        self._call = call

    def hold(self, consents: Sequence[JsonObject]) -> None:
        """Have the node take in consents that customers gave to it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "consents.json"
            path.write_text(json.dumps({"consents": list(consents)}), encoding="utf-8")
            self._call("hold", str(path))

    def ask(self, consent: bytes) -> str:
        """Have the node ask under a consent, and return what came of it."""
        return self._call("ask", encode_b64u(consent)).strip()

    def ask_later(self, consent: bytes) -> str:
        """Have the node ask for an answer that may come later, and return what came of it."""
        return self._call("ask-later", encode_b64u(consent)).strip()

    def ask_batch(self, consents: Sequence[bytes]) -> str:
        """Have the node ask under several consents in one message, and return what came of it."""
        return self._call("ask-batch", ",".join(map(encode_b64u, consents))).strip()

    def settle(self, jti: bytes) -> str:
        """Have the node settle an ask, and return what came of it."""
        return self._call("settle", encode_b64u(jti)).strip()

    def deliver(self, consent: bytes) -> None:
        """Have the node hand a consent to its provider."""
        self._call("deliver", encode_b64u(consent))


def build_command_adapter(command: str) -> Adapter:
    """Return an adapter that calls the tester's command."""
    words = shlex.split(command)

    def call(verb: str, argument: str) -> str:
        done = subprocess.run(
            [*words, verb, argument],
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S_MAX,
        )
        if done.returncode:
            raise Failed(f"the adapter's {verb} ended with {done.returncode}: {done.stderr[-300:]}")
        return done.stdout

    return Adapter(call)
