"""A member's two logs under audit: exported, verified, and an exchange that stands in both."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.core.log import LogStore
from node.core.log_list import LogList
from node.sharing.export import ExportedBundle, NotCosignedError, export_bundle
from node.sharing.outgoing import Ask
from node.sharing.peers import HttpReply
from node.sharing.store.exchanging import HeldConsent
from protocol.__main__ import verify_paths
from protocol.audit.findings import LogVerdict, Outcome, Report, Verdict
from protocol.bundle import MessageFilter
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry, RequestEntry, ResponseEntry, parse_entry
from schemas.summary import Section
from tests.support.auditing import codes
from tests.support.exchanges import Scene
from tests.support.log_changes import begin_next_log, cosign, name_log
from tests.support.nodes import HUB_KEY, NOW_S, TestNode
from tests.support.second_opinion import ask_goverify, has_goverify

SECTIONS = (Section.DELAY, Section.TREND)
DAY_S = 86_400


def hold(scene: Scene) -> HeldConsent:
    held, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(held))
    return held


def ask(scene: Scene, held: HeldConsent) -> None:
    question = Ask(consent=held.hash, purpose="P1", metrics=SECTIONS, last_months=12)
    asyncio.run(scene.consumer.asking.ask(question))


def acknowledge(scene: Scene) -> None:
    asyncio.run(scene.consumer.asking.acknowledge(scene.provider.member_id))


def change_under_way(scene: Scene, node: TestNode) -> None:
    """Have a node change its log while the consumer's next message is at the provider's."""
    send = scene.federation.peers.send_message

    async def send_and_change(endpoint: str, raw: bytes) -> HttpReply:
        scene.federation.peers.send_message = send  # type: ignore[method-assign]  # once
        if node is scene.provider:
            await asyncio.to_thread(begin_next_log, scene.federation, node)
            return await send(endpoint, raw)
        reply = await send(endpoint, raw)
        await asyncio.to_thread(begin_next_log, scene.federation, node)
        return reply

    scene.federation.peers.send_message = send_and_change  # type: ignore[method-assign]


def export(
    scene: Scene, node: TestNode, out: Path, *, chosen: MessageFilter | None = None
) -> ExportedBundle:
    with node.local.database.read() as uow:
        return export_bundle(
            uow,
            member_id=node.member_id,
            registry=scene.federation.registry,
            exported_at_s=NOW_S,
            out=out,
            redacted=False,
            chosen=chosen,
        )


def audit(scene: Scene, folder: Path) -> Report:
    for node in (scene.consumer, scene.provider):
        cosign(scene.federation, node)
        export(scene, node, folder / node.member_id)
    paths = [folder / node.member_id for node in (scene.consumer, scene.provider)]
    return verify_paths(paths, anchor=encode_b64u(HUB_KEY.public.raw))


def check_proven(report: Report) -> None:
    assert codes(report) == codes(report, Outcome.UNKNOWN) == set()
    assert {log.verdict for log in report.logs} == {LogVerdict.HOLDS}
    assert {one.verdict for one in report.exchanges} == {Verdict.PROVEN}
    assert {one.verdict for one in report.consents} == {Verdict.PROVEN}
    assert report.verdict is Verdict.PROVEN


def kinds(node: TestNode, number: int) -> list[type[object]]:
    with node.local.database.read() as uow:
        log = LogList(uow.connection).find(number)
        assert log is not None
        raws = LogStore(uow.connection, log.place).list_entries(first=0, count=log.size)
    return [type(parse_entry(raw)) for raw in raws]


@pytest.mark.parametrize("side", ["consumer", "provider"])
def test_two_logs_of_one_member_are_proven_with_its_peers(
    scene: Scene, tmp_path: Path, side: str
) -> None:
    node: TestNode = getattr(scene, side)
    held = hold(scene)
    ask(scene, held)
    acknowledge(scene)
    begin_next_log(scene.federation, node)
    ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path / "out")

    check_proven(report)
    origins = [log.origin for log in report.logs if log.member == node.member_id]
    assert origins == [name_log(node, 1), name_log(node, 2)]
    assert len(report.exchanges) == 5  # delivered; asked and acknowledged, twice


@pytest.mark.parametrize("side", ["consumer", "provider"])
def test_an_exchange_begun_in_one_log_and_finished_in_the_next_is_proven(
    scene: Scene, tmp_path: Path, side: str
) -> None:
    node: TestNode = getattr(scene, side)
    held = hold(scene)
    ask(scene, held)
    change_under_way(scene, node)
    ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path / "out")

    check_proven(report)
    if side == "consumer":
        assert kinds(node, 1)[-3] is RequestEntry
        assert kinds(node, 2)[1] is ResponseEntry
    else:
        assert kinds(node, 2)[1] is ExchangeEntry


def test_three_logs_and_the_independent_verifier(scene: Scene, tmp_path: Path) -> None:
    held = hold(scene)
    for _ in range(2):
        ask(scene, held)
        begin_next_log(scene.federation, scene.consumer)
    ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path / "out")

    check_proven(report)
    made = sorted((tmp_path / "out" / "alpha.example").iterdir())
    assert [one.name for one in made] == [f"alpha.example-{number}" for number in (1, 2, 3)]
    for one in made if has_goverify() else ():
        assert ask_goverify("log", one / "policy", one).startswith("OK:")


def test_one_bundle_of_two_leaves_the_other_open_and_contradicts_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    held = hold(scene)
    ask(scene, held)
    begin_next_log(scene.federation, scene.consumer)
    ask(scene, held)
    acknowledge(scene)
    audit(scene, tmp_path / "out")
    second = tmp_path / "out" / "alpha.example" / "alpha.example-2"

    report = verify_paths([second], anchor=encode_b64u(HUB_KEY.public.raw))

    assert codes(report) == set()
    assert "previous-absent" in codes(report, Outcome.UNKNOWN)


def test_days_choose_the_logs_that_they_touch(scene: Scene, tmp_path: Path) -> None:
    clock = scene.federation.clock
    begin_next_log(scene.federation, scene.consumer)
    changed_s = clock.now_ms() // 1000
    clock.advance_s(DAY_S)
    begin_next_log(scene.federation, scene.consumer)
    cosign(scene.federation, scene.consumer)

    def choose(name: str, *, from_s: int | None = None, until_s: int | None = None) -> int:
        chosen = MessageFilter(from_s=from_s, until_s=until_s, peers=())
        made = export(scene, scene.consumer, tmp_path / name, chosen=chosen)
        return len(made.bundles)

    assert choose("all") == 3
    assert choose("newest", from_s=changed_s + DAY_S + 1) == 1
    assert choose("second", from_s=changed_s + 1, until_s=changed_s + DAY_S) == 1
    assert choose("first", until_s=changed_s) == 1
    assert choose("long-ago", until_s=1) == 1
    assert (tmp_path / "first" / "manifest.json").is_file()


def test_a_log_that_nobody_has_cosigned_waits_for_the_next_export(
    scene: Scene, tmp_path: Path
) -> None:
    with pytest.raises(NotCosignedError):
        export(scene, scene.consumer, tmp_path / "none")
    cosign(scene.federation, scene.consumer)
    begin_next_log(scene.federation, scene.consumer)

    made = export(scene, scene.consumer, tmp_path / "one")

    assert made.bundles == (tmp_path / "one",)
    assert (tmp_path / "one" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("skipped", "failures"),
    [(10, set()), (0, {"counter-repeated"})],
    ids=["passed-over", "used-again"],
)
def test_after_a_rollback_the_next_log_uses_no_number_again(
    scene: Scene, tmp_path: Path, skipped: int, failures: set[str]
) -> None:
    held = hold(scene)
    cosign(scene.federation, scene.consumer)
    scene.consumer, backup = scene.federation.back_up(scene.consumer)
    ask(scene, held)  # lost at the consumer; the provider has it
    scene.consumer = scene.federation.restore(scene.consumer, backup)
    begin_next_log(scene.federation, scene.consumer, reason="rolled-back", skipped=skipped)
    ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path / "out")

    assert codes(report) == failures
    assert "counter-gap" in codes(report, Outcome.UNKNOWN) or failures
    newest = report.logs[1]
    assert (newest.origin, newest.verdict) == (name_log(scene.consumer, 2), LogVerdict.HOLDS)


@pytest.mark.parametrize(
    ("reason", "failures", "open_codes"),
    [
        ("rolled-back", set(), {"response-lost", "log-rolled-back"}),
        ("year", {"response-missing", "fork"}, set()),
    ],
    ids=["said-so", "kept-quiet"],
)
def test_an_answer_acknowledged_in_the_lost_part_of_a_log_is_open_where_its_owner_says_so(
    scene: Scene, tmp_path: Path, reason: str, failures: set[str], open_codes: set[str]
) -> None:
    held = hold(scene)
    cosign(scene.federation, scene.consumer)
    scene.consumer, backup = scene.federation.back_up(scene.consumer)
    ask(scene, held)
    acknowledge(scene)  # lost too, but the provider has it
    scene.consumer = scene.federation.restore(scene.consumer, backup)
    begin_next_log(scene.federation, scene.consumer, reason=reason, skipped=10)
    ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path / "out")

    assert failures <= codes(report)
    assert failures or not codes(report)
    found = codes(report, Outcome.UNKNOWN)
    assert open_codes == found & {"response-lost", "log-rolled-back"}
    texts = [one.text for log in report.logs for one in log.findings if one.code == "heads-beyond"]
    assert [("rolled back" in text) for text in texts] == [reason == "rolled-back"]


def test_what_was_acknowledged_before_the_lost_part_is_contradicted_after_a_rollback(
    scene: Scene, tmp_path: Path
) -> None:
    held = hold(scene)
    scene.consumer, backup = scene.federation.back_up(scene.consumer)
    ask(scene, held)
    scene.consumer = scene.federation.restore(scene.consumer, backup)
    ask(scene, held)
    acknowledge(scene)
    begin_next_log(scene.federation, scene.consumer, reason="rolled-back", skipped=10)

    report = audit(scene, tmp_path / "out")

    assert codes(report)
