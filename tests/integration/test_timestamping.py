"""The log's head time-stamped by an authority that is OpenSSL's own, over loopback."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from typer.testing import CliRunner

from node.cli.main import app
from node.core.clock import ManualClock
from node.core.config import Settings, SettingsError, build_settings
from node.core.errors import ConflictError, NodeError
from node.core.log import LogStore
from node.core.timestamps import (
    TimestampCertificateError,
    TimestampInvalidError,
    read_certificates,
    verify_timestamp,
)
from node.sharing.commands_audit import audit_app
from node.sharing.export import export_bundle
from node.sharing.peers import HttpReply, PeerClient, PeerUnreachableError
from node.sharing.stamp_check import add_timestamps
from node.sharing.store.stamps import StampRecord, StampStore
from node.sharing.timestamping import (
    CLOCK_APART_S_MAX,
    INTERVAL_S,
    Timestamping,
    build_timestamping,
)
from protocol.__main__ import verify_paths
from protocol.audit.findings import ExitStatus
from protocol.checkpoint import parse_checkpoint
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import sha256
from protocol.entry import AnchorEntry, Entry, parse_entry
from protocol.note import add_signatures, parse_note, parse_vkey
from tests.support.exchanges import observe
from tests.support.log_changes import begin_next_log, cosign
from tests.support.nodes import NOW_S, WITNESS_KEY, TestFederation, TestNode
from tests.support.stamping import OPENSSL, Authority, Office, make_authority, run, serve
from tests.support.stores import fail_inserts

rfc3161 = pytest.importorskip("rfc3161_client", reason="the extra [timestamp] is not installed")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not on this machine")


@dataclass(kw_only=True)
class LoopbackAuthority:
    """The port over the node's real client; the test's clock is set to the authority's."""

    clock: ManualClock
    certificates: tuple[x509.Certificate, ...]
    ahead_s: int = 0
    sent: list[bytes] = field(default_factory=list)

    async def ask_timestamp(self, url: str, raw: bytes, *, bytes_max: int) -> HttpReply:
        self.sent.append(raw)
        client = PeerClient(timeout_s=20)
        try:
            reply = await client.ask_timestamp(url, raw, bytes_max=bytes_max)
        finally:
            await client.close()
        try:
            made_at = rfc3161.decode_timestamp_response(reply.body).tst_info.gen_time
        except ValueError:
            return reply
        assert made_at.tzinfo is not None
        self.clock.at_ms = (int(made_at.timestamp()) + self.ahead_s) * 1000
        return reply


@dataclass(frozen=True, kw_only=True)
class Bench:
    federation: TestFederation
    node: TestNode
    office: Office
    port: LoopbackAuthority
    stamping: Timestamping

    def entries(self) -> list[Entry]:
        return [parse_entry(raw) for raw in observe(self.node).entries]

    def stamps(self) -> list[StampRecord]:
        with self.node.local.database.read() as uow:
            return list(StampStore(uow.connection).list(span=range(1_000)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def bench(authority: Authority, tmp_path: Path) -> Iterator[Bench]:
    federation = TestFederation(folder=tmp_path)
    node = federation.nodes[0]
    certificates = read_certificates(authority.certificate)
    port = LoopbackAuthority(clock=federation.clock, certificates=certificates)
    with serve(authority) as office:
        stamping = Timestamping(
            database=node.local.database,
            writer=node.writer,
            clock=federation.clock,
            authority=port,
            url=office.url,
            name="authority.example",
            certificates=certificates,
        )
        yield Bench(federation=federation, node=node, office=office, port=port, stamping=stamping)
    federation.close()


def test_a_token_over_the_heads_signed_text_is_logged_and_kept(bench: Bench) -> None:
    text = parse_note(bench.node.writer.state.checkpoint).text.encode()
    size = bench.node.writer.state.edge.size

    index = asyncio.run(bench.stamping.stamp())

    (stamp,) = bench.stamps()
    entry = bench.entries()[index]
    assert isinstance(entry, AnchorEntry)
    assert (stamp.seq, entry.head.size, entry.authority) == (index, size, "authority.example")
    assert entry.token == sha256(stamp.token)
    certificates = bench.port.certificates
    assert verify_timestamp(stamp.token, text=text, certificates=certificates).token == stamp.token


def test_a_head_of_a_log_that_ended_meanwhile_is_not_stamped_in_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = bench.port.ask_timestamp

    async def ask_and_change(url: str, raw: bytes, *, bytes_max: int) -> HttpReply:
        reply = await ask(url, raw, bytes_max=bytes_max)
        await asyncio.to_thread(begin_next_log, bench.federation, bench.node)
        return reply

    monkeypatch.setattr(bench.port, "ask_timestamp", ask_and_change)
    with pytest.raises(ConflictError, match="has ended"):
        asyncio.run(bench.stamping.stamp())
    assert bench.stamps() == []
    monkeypatch.undo()

    index = asyncio.run(bench.stamping.stamp())

    (stamp,) = bench.stamps()
    assert stamp.seq == bench.node.writer.state.place.first + index
    cosign(bench.federation, bench.node)
    out = bench.node.local.settings.home / "bundles"
    with bench.node.local.database.read() as uow:
        made = export_bundle(
            uow,
            member_id=bench.node.member_id,
            registry=bench.federation.registry,
            exported_at_s=NOW_S,
            out=out,
            redacted=True,
        )
    first, second = made.bundles
    assert not (first / "anchors.jsonl").exists()
    report = verify_paths([second], anchor=None)
    stamped = add_timestamps(report, [out], certificate=bench.office.authority.certificate)
    assert [one.code for one in stamped.findings if one.code.startswith("timestamp")] == [
        "timestamp-holds"
    ]


def test_openssl_verifies_the_token_that_is_kept(bench: Bench, tmp_path: Path) -> None:
    text = parse_note(bench.node.writer.state.checkpoint).text.encode()
    asyncio.run(bench.stamping.stamp())
    token, data = tmp_path / "token.der", tmp_path / "head"
    token.write_bytes(bench.stamps()[0].token)
    data.write_bytes(text)

    done = run(
        "ts", "-verify", "-token_in", "-in", token, "-data", data,
        "-CAfile", bench.office.authority.certificate,
    )  # fmt: skip

    assert b"Verification: OK" in done.stdout + done.stderr


def test_a_head_is_stamped_once_a_day(bench: Bench) -> None:
    async def twice() -> list[bool]:
        return [await bench.stamping.stamp_daily(), await bench.stamping.stamp_daily()]

    assert asyncio.run(twice()) == [True, False]
    bench.federation.clock.advance_s(INTERVAL_S)
    assert asyncio.run(bench.stamping.stamp_daily())
    assert bench.office.asked == 2


def check_nothing_kept(bench: Bench, size: int) -> None:
    assert bench.node.writer.state.edge.size == size
    assert bench.stamps() == []


@pytest.mark.parametrize(
    ("status", "garbage"),
    [(500, b""), (200, b"no token"), (200, b"\x30\x05\x30\x03\x02\x01\x02")],
    ids=["status", "garbage", "rejection"],
)
def test_a_reply_that_is_no_token_leaves_nothing(bench: Bench, status: int, garbage: bytes) -> None:
    size = bench.node.writer.state.edge.size
    bench.office.status, bench.office.garbage = status, garbage

    with pytest.raises(TimestampInvalidError):
        asyncio.run(bench.stamping.stamp())

    check_nothing_kept(bench, size)


def test_a_reply_to_another_question_is_refused(bench: Bench) -> None:
    asyncio.run(bench.stamping.stamp())
    size, kept = bench.node.writer.state.edge.size, bench.stamps()
    bench.office.garbage = bench.office.authority.reply(bench.port.sent[0])

    with pytest.raises(TimestampInvalidError):
        asyncio.run(bench.stamping.stamp())

    assert (bench.node.writer.state.edge.size, bench.stamps()) == (size, kept)


def test_an_authority_with_another_certificate_is_refused(bench: Bench, tmp_path: Path) -> None:
    size = bench.node.writer.state.edge.size
    bench.office.authority = make_authority(tmp_path / "other", name="other")

    with pytest.raises(TimestampInvalidError):
        asyncio.run(bench.stamping.stamp())

    check_nothing_kept(bench, size)


def test_an_authority_whose_clock_is_far_from_ours_is_refused(bench: Bench) -> None:
    size = bench.node.writer.state.edge.size
    bench.port.ahead_s = CLOCK_APART_S_MAX + 1

    with pytest.raises(TimestampInvalidError):
        asyncio.run(bench.stamping.stamp())

    check_nothing_kept(bench, size)


def test_an_authority_that_does_not_answer_is_asked_again_later(bench: Bench) -> None:
    size = bench.node.writer.state.edge.size
    bench.office.garbage = b"x" * 100_000

    with pytest.raises(Exception, match="more than") as caught:
        asyncio.run(bench.stamping.stamp())

    assert not isinstance(caught.value, PeerUnreachableError)
    check_nothing_kept(bench, size)


def test_where_the_token_cannot_be_kept_no_entry_names_it(bench: Bench) -> None:
    size = bench.node.writer.state.edge.size
    with bench.node.local.database.write() as uow:
        fail_inserts(uow.connection, "log_stamp")

    with pytest.raises(NodeError):
        asyncio.run(bench.stamping.stamp())

    assert bench.node.writer.state.edge.size == size
    assert bench.entries()[size:] == []


def test_a_changed_token_or_text_does_not_verify(bench: Bench) -> None:
    text = parse_note(bench.node.writer.state.checkpoint).text.encode()
    asyncio.run(bench.stamping.stamp())
    token = bench.stamps()[0].token
    certificates = bench.port.certificates

    changed = bytearray(token)
    changed[-20] ^= 1
    for bad, said in ((bytes(changed), text), (token, text + b"x"), (b"", text), (b"x", text)):
        with pytest.raises(TimestampInvalidError):
            verify_timestamp(bad, text=said, certificates=certificates)


def test_a_certificate_of_no_version_in_a_reply_does_not_verify(bench: Bench) -> None:
    text = parse_note(bench.node.writer.state.checkpoint).text.encode()
    asyncio.run(bench.stamping.stamp())
    token = bench.stamps()[0].token
    version_3 = bytes.fromhex("a003020102")

    with pytest.raises(TimestampInvalidError):
        verify_timestamp(
            token.replace(version_3, version_3[:-1] + b"\x20", 1),
            text=text,
            certificates=bench.port.certificates,
        )


def settings_of(home: Path, **values: object) -> Settings:
    return build_settings(home=home, member_id="alpha.example", **values)


def test_the_settings_name_authority_and_certificate(bench: Bench, authority: Authority) -> None:
    node = bench.node
    parts = {
        "database": node.local.database,
        "writer": node.writer,
        "clock": bench.federation.clock,
        "authority": bench.port,
    }
    home = authority.folder
    url = bench.office.url

    def build(**values: object) -> Timestamping | None:
        return build_timestamping(settings_of(home, **values), **parts)  # type: ignore[arg-type]

    assert build() is None
    made = build(timestamp_url=url, timestamp_certificate=authority.certificate.name)
    assert made is not None
    index = asyncio.run(made.stamp())
    entry = bench.entries()[index]
    assert isinstance(entry, AnchorEntry)
    assert entry.authority == "127.0.0.1"
    for certificate in ("", "missing.pem", "serial"):
        with pytest.raises(SettingsError):
            build(timestamp_url=url, timestamp_certificate=certificate)
    with pytest.raises(SettingsError):
        build(timestamp_url="x", timestamp_certificate=authority.certificate.name)


def test_a_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")

    with pytest.raises(TimestampCertificateError):
        read_certificates(tmp_path / "empty.pem")


@pytest.fixture
def stamped(bench: Bench, tmp_path: Path) -> Path:
    """A bundle with one time-stamp."""
    asyncio.run(bench.stamping.stamp())
    note = bench.node.writer.state.checkpoint
    checkpoint = parse_checkpoint(parse_note(note).text)
    name = parse_vkey(bench.federation.registry.witness_vkey).name
    now_s = bench.federation.clock.now_ms() // 1000
    signature = cosign_checkpoint(checkpoint, name=name, key=WITNESS_KEY, now_s=now_s)
    out = tmp_path / "bundle"
    with bench.node.local.database.write() as uow:
        LogStore(uow.connection).store_witnessed(
            size=checkpoint.size, checkpoint=add_signatures(note, [signature]), at_s=now_s
        )
    with bench.node.local.database.read() as uow:
        export_bundle(
            uow,
            member_id=bench.node.member_id,
            registry=bench.federation.registry,
            exported_at_s=now_s,
            out=out,
            redacted=True,
        )
    return out


def verify(stamped: Path, certificate: Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(
        audit_app,
        ["verify", str(stamped), "--timestamp-certificate", str(certificate), "--json"],
    )
    value = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.exit_code, value


def test_the_bundle_holds_the_token_and_the_audit_says_when_it_was_made(
    stamped: Path, authority: Authority
) -> None:
    status, report = verify(stamped, authority.certificate)

    (finding,) = [one for one in report["findings"] if one["code"].startswith("timestamp")]
    assert finding["code"] == "timestamp-holds"
    assert "authority.example has seen the head of" in finding["text"]
    assert finding["place"]["file"] == "anchors.jsonl"
    assert status == report["exit_status"] != ExitStatus.CONTRADICTED


def test_a_token_of_another_authority_contradicts(stamped: Path, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", name="other")

    status, report = verify(stamped, other.certificate)

    assert status == ExitStatus.CONTRADICTED
    assert "timestamp-invalid" in [one["code"] for one in report["findings"]]


def test_certificates_that_cannot_be_read_are_wrong_usage(stamped: Path, tmp_path: Path) -> None:
    assert verify(stamped, tmp_path / "none.pem")[0] == ExitStatus.USAGE


def test_the_report_shows_the_time_stamp(
    stamped: Path, authority: Authority, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    options = ["--timestamp-certificate", str(authority.certificate)]

    CliRunner().invoke(
        app,
        ["audit", "report", str(stamped), "--out", str(out), *options],
    )

    assert "The time-stamp holds" in out.read_text("utf-8")
