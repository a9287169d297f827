"""Processes: a hub whose registry two of three keys sign, four members, exchanges, an audit."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from node.assessment.policy_file import Language
from node.cli.consent import enrol_subject
from node.cli.demo import federation, prepare, steps
from node.cli.demo.command import _Play
from node.cli.demo.processes import run_command, stop_server
from node.core.config import Settings
from protocol.__main__ import verify_paths
from protocol.audit.findings import ExitStatus
from protocol.identifiers import parse_subject_id
from protocol.jws import split_compact
from protocol.limits import REGISTRY_BYTES_MAX
from protocol.registry import parse_registry
from tests.support.second_opinion import ask_goverify, has_goverify

HUB = ("-m", "node", "hub")
COSIGN = ("-m", "node", "cosign")
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(600)]


class QuorumPlay(_Play):
    """The demonstration, with two officers let in between enrolment and the first question."""

    def _enrol(
        self, hub: federation.HubHome, settings: list[Settings], cast: prepare.Cast
    ) -> list[federation.SubjectKeys]:
        federation.enrol_members(settings, token=hub.enrolment_token)
        keys = federation.make_subject(parse_subject_id(cast.main))
        enrol_subject(
            keys.subject,
            salt=keys.salt,
            key=keys.key,
            hub_url=hub.settings.url,
            token=hub.subject_token,
        )
        let_officers_in(hub, folder=self._folder)
        for one in settings:  # One by one: a busy machine starts four at once too slowly.
            self._members += federation.start_members([one], on_started=self._say)
        self.servers += [one.server for one in self._members]
        return [keys]

    def close(self) -> None:
        for one in self._members:
            one.client.close()
        for server in reversed(self.servers):
            stop_server(server)

    def _audit(self, hub: federation.HubHome) -> None:
        bundles = steps.export_bundles(self._members, folder=self._folder / "bundles")
        own = self._folder / "hub-bundle"
        run_command([*HUB, "export", str(own), "--home", str(hub.settings.home)])
        report = verify_paths([*bundles, own], anchor=hub.anchor_b64u)
        assert report.exit_status is ExitStatus.PROVEN, report.findings
        assert len(report.logs) == len(bundles) + 1
        if has_goverify():
            for one in (*bundles, own):
                assert ask_goverify("log", one / "policy", one).startswith("OK")


def let_officers_in(hub: federation.HubHome, *, folder: Path) -> None:
    home = ["--home", str(hub.settings.home)]
    first, second = (str(folder / name) for name in ("first", "second"))
    address = ["--hub-url", hub.settings.url, "--anchor", hub.anchor_b64u]
    public = []
    for officer in (first, second):
        run_command([*COSIGN, "init", "--home", officer, *address])
        public.append(run_command([*COSIGN, "key", "--home", officer]).strip())
    run_command([*HUB, "keys", "add", public[0], *home])
    run_command([*HUB, "keys", "threshold", "2", *home])
    # From here on the hub publishes nothing alone: that the second comes in, the first one signs.
    assert "waits for cosigners" in run_command([*HUB, "keys", "add", public[1], *home])
    said = run_command([*COSIGN, "sign", "--home", first, "--yes"])
    assert "hub: hub key" in said
    assert "signed and published" in said
    assert "nothing waits" in run_command([*HUB, "pending", *home])


def test_a_federation_under_two_of_three_keys_exchanges_and_is_proven(
    tmp_path: Path,
) -> None:
    play = QuorumPlay(console=Console(quiet=True), folder=tmp_path, language=Language.EN)
    try:
        play.run(data=None, members=4)
    finally:
        play.close()

    newest = run_command([*HUB, "registry", "--home", str(tmp_path / "hub"), "--json"])
    tokens = json.loads(newest.splitlines()[-1])["tokens"]
    registry = parse_registry(split_compact(tokens[0], bytes_max=REGISTRY_BYTES_MAX).payload)
    assert (registry.threshold, len(registry.list_signers()), len(tokens)) == (2, 3, 2)
