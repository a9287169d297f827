"""``chengxin demo``: the acts in order, each shown as it happens."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from node.assessment.policy_file import Language
from node.bootstrap.local import build_local_node
from node.cli.consent import enrol_subject
from node.cli.demo import federation, prepare, steps
from node.cli.demo.processes import Server, stop_server
from node.core.clock import SystemClock, now_s
from node.core.config import Settings
from protocol.identifiers import parse_subject_id

MEMBERS_MIN = 4
PLAIN_WIDTH = 120
demo_app = typer.Typer()


@demo_app.command("demo")
def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A real invoice file, dealt to the members; generated when absent."),
    ] = None,
    members: Annotated[
        int, typer.Option(min=MEMBERS_MIN, max=len(federation.MEMBER_NAMES), help="Member nodes.")
    ] = MEMBERS_MIN,
    home: Annotated[
        Path | None, typer.Option(help="Folder of all homes; a temporary one when absent.")
    ] = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the nodes up until Ctrl-C.")] = False,
    language: Annotated[
        Language, typer.Option("--lang", help="Language of reasons.")
    ] = Language.EN,
) -> None:
    """Run a whole federation on this machine, from records to an audit."""
    folder = Path(tempfile.mkdtemp(prefix="chengxin-demo-")) if home is None else home
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH  # A file or a pipe has no width of its own.
    play = _Play(console=console, folder=folder, language=language)
    try:
        play.run(data=data, members=members)
        if keep:
            play.hold()
    finally:
        for server in reversed(play.servers):
            stop_server(server)
        if home is None and not keep:
            shutil.rmtree(folder, ignore_errors=True)


class _Play:
    """One run: what is up and what is known so far."""

    def __init__(self, *, console: Console, folder: Path, language: Language) -> None:
        self._console = console
        self._folder = folder
        self._language = language
        self._begun = time.monotonic()
        self.servers: list[Server] = []
        self._members: list[federation.MemberProcess] = []

    def run(self, *, data: Path | None, members: int) -> None:
        """Play every act."""
        self._title("1", "Each member imports its own records")
        hub, hub_server = federation.start_hub(self._folder)
        self.servers.append(hub_server)
        settings, cast = self._import(hub, data=data, members=members)
        self._title("2", "Members and customers are enrolled; the registry is signed")
        subjects = self._enrol(hub, settings, cast)
        main = subjects[0]
        consumer, providers = self._members[0], self._members[1:4]
        self._title("3", f"{main.subject} signs three consents in one act")
        consents = steps.sign_consents(
            main, consumer=consumer, providers=providers, at_s=now_s(SystemClock())
        )
        self._say("one artefact a provider: consumer, purpose, range, expiry, number of uses")
        refused = steps.ask(consumer, consents[:1])[0]
        steps.expect(refused, "consent-missing")
        self._say("asked before delivery: signed refusal [bold]consent-missing[/] (403)")
        steps.deliver(consumer, consents)
        self._say("delivered to the three providers, acknowledged and logged")
        self._title("4", f"{consumer.settings.member_id} asks three providers")
        self._ask(main, consents)
        self._ask_others(subjects[1:])
        self._title("5", "The rating, from own records and with the peers' summaries")
        own, with_peers = steps.rate(
            self._console, consumer, str(main.subject), language=self._language
        )
        self._say(f"grade from own records alone [bold]{own}[/], with peers [bold]{with_peers}[/]")
        self._title("6", "The hub cosigns every log; an auditor checks, trusting nobody")
        self._audit(hub)
        self._say(f"the demo took {time.monotonic() - self._begun:.1f} s")

    def hold(self) -> None:
        """Leave the nodes up until the reader ends it."""
        for one in self._members:
            token = (one.settings.home / "api_token").read_text(encoding="ascii")
            self._console.print(
                f"{one.settings.member_id}: console {one.settings.url}/console/  "
                f"API {one.settings.url}/docs  token {token}",
                highlight=False,
            )
        self._console.print("Ctrl-C ends the nodes.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})

    def _import(
        self, hub: federation.HubHome, *, data: Path | None, members: int
    ) -> tuple[list[Settings], prepare.Cast]:
        material = (
            prepare.generate_material(self._folder / "data", members=members)
            if data is None
            else prepare.inspect_material(data)
        )
        settings = [
            federation.build_member_settings(
                self._folder, index=index, hub=hub, business_date=material.business_date
            )
            for index in range(members)
        ]
        table = steps.build_import_table()
        for index, one in enumerate(settings):
            report = federation.import_records(one, material, index=index, members=members)
            odd = Counter(report.oddities) + Counter(report.excluded)
            odd["duplicate"] += report.rows_duplicate
            table.add_row(
                one.member_id,
                str(report.rows_read - report.rows_dealt_elsewhere),
                str(report.invoices_added),
                str(report.customers_added),
                str(report.rows_rejected),
                ", ".join(f"{name} {count}" for name, count in sorted(odd.items()) if count),
            )
        self._console.print(table)
        self._say(f"source: {material.label}; business date {material.business_date}")
        self._say("[yellow]the membership is simulated: no real company asks or answers here[/]")
        nodes = [build_local_node(one) for one in settings]
        try:
            return settings, prepare.choose_cast(nodes, on=material.business_date)
        finally:
            for node in nodes:
                node.close()

    def _enrol(
        self, hub: federation.HubHome, settings: list[Settings], cast: prepare.Cast
    ) -> list[federation.SubjectKeys]:
        federation.enrol_members(settings, token=hub.enrolment_token)
        texts = dict.fromkeys(text for text in (cast.main, cast.mix, cast.thin) if text is not None)
        subjects = [federation.make_subject(parse_subject_id(text)) for text in texts]
        for keys in subjects:
            enrol_subject(
                keys.subject,
                salt=keys.salt,
                key=keys.key,
                hub_url=hub.settings.url,
                token=hub.subject_token,
            )
        self._say("each key checked to be a point of the prime-order subgroup, and in possession")
        self._members = federation.start_members(
            settings, on_started=lambda name: self._say(f"{name} is up, its log cosigned")
        )
        self.servers += [one.server for one in self._members]
        return subjects

    def _ask(self, main: federation.SubjectKeys, consents: list[steps.Held]) -> None:
        consumer = self._members[0]
        outcomes = steps.ask(consumer, consents)
        for outcome in outcomes:
            steps.expect(outcome, "200")
        steps.show_outcomes(self._console, outcomes, title=f"Summaries on {main.subject}")
        first, held = outcomes[0], consents[0]
        before = steps.count_uses(held.provider, held.hash_b64u, subject=str(main.subject))
        again = steps.repeat(consumer, first)
        after = steps.count_uses(held.provider, held.hash_b64u, subject=str(main.subject))
        same = again["answer"] == first["answer"]
        steps.check_promise((same, after), (True, before), what="same answer and uses of a retry")
        self._say(f"byte-equal retry: same stored answer {same}; uses counted {before} → {after}")
        status, code = steps.forge_same_id(consumer, held.provider, first, held.hash_b64u)
        steps.check_promise(code, "replay-mismatch", what="another body under a used message id")
        self._say(f"same message id, another body: {status} [bold]{code}[/], signed")
        steps.revoke(main, consents[-1], at_s=now_s(SystemClock()))
        refused = steps.ask(consumer, consents[-1:])[0]
        steps.expect(refused, "consent-revoked")
        self._say(
            "withdrawn at the third provider; asked again: signed refusal "
            "[bold]consent-revoked[/] (403)"
        )

    def _ask_others(self, subjects: list[federation.SubjectKeys]) -> None:
        consumer, providers = self._members[0], self._members[1:4]
        for keys in subjects:
            consents = steps.sign_consents(
                keys, consumer=consumer, providers=providers, at_s=now_s(SystemClock())
            )
            steps.deliver(consumer, consents)
            steps.show_outcomes(
                self._console,
                steps.ask(consumer, consents),
                title=f"Coarser answers: {keys.subject}",
            )

    def _audit(self, hub: federation.HubHome) -> None:
        bundles = steps.export_bundles(self._members, folder=self._folder / "bundles")
        status, report = steps.verify(bundles, anchor_b64u=hub.anchor_b64u)
        self._console.print(
            Panel(Text(report.strip()), title=f"python -m protocol verify: exit {status}")
        )
        steps.check_promise(status, 0, what="the verifier's exit status on true bundles")
        place = steps.tamper(bundles[1])
        self._say(f"one byte changed: {place}")
        status, report = steps.verify(bundles, anchor_b64u=hub.anchor_b64u)
        self._console.print(Panel(Text(report.strip()), title=f"the same command: exit {status}"))
        steps.check_promise(status, 1, what="the verifier's exit status on a changed bundle")

    def _title(self, number: str, text: str) -> None:
        self._console.rule(f"[bold]{number}[/] {text}", align="left")

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False)
