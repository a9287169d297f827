"""Notices by e-mail: what leaves, when, how it is encrypted, what becomes of a failure."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from email.policy import default
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from node.bootstrap.local import LocalNode
from node.bootstrap.mail import build_mail, count_waiting
from node.cli.mail import mail_app
from node.core.clock import ManualClock
from node.core.config import Settings, SettingsError
from node.core.keystore import KeyFileError
from node.core.mail.rules import TRIES_MAX, WAIT_MS_MAX, measure_wait_ms, parse_recipients
from node.core.mail.sending import MailFailedError, MailTlsError
from node.core.mail.service import MailOffError, MailService
from node.core.people.service import Role
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel
from node.governance.cases.rules_case import CaseKind
from tests.support.console_people import Desk, close_desk, make_home, open_desk
from tests.support.smtp import PASSWORD, USER, SmtpDouble, run_smtp

DAY_S = 86_400
TO_ZH = "credit-manager zh li@corp.example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("mail") / "home")


@pytest.fixture
def desk(tmp_path: Path, home: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=home)
    yield desk
    close_desk(desk)


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[SmtpDouble]:
    with run_smtp(tmp_path) as double:
        yield double


def set_up(local: LocalNode, smtp: SmtpDouble, **changes: object) -> LocalNode:
    """Return the node with settings that lead to the double."""
    values = {
        "mail_host": "127.0.0.1",
        "mail_port": smtp.port,
        "mail_ca_file": str(smtp.certificate or ""),
        "mail_from": "node@alpha.example",
        "mail_user": USER,
        "mail_password": SecretStr(PASSWORD),
        "mail_recipients": TO_ZH,
        "public_url": "https://alpha.example",
        **changes,
    }
    settings: Settings = local.settings.model_copy(update=values)
    return replace(local, settings=settings)


def clock_of(local: LocalNode) -> ManualClock:
    assert isinstance(local.clock, ManualClock)
    return local.clock


def let_wait(desk: Desk) -> None:
    """Let a complaint be late."""
    desk.node.local.governance.cases.receive(
        NewCase(
            kind=CaseKind.SERVICE,
            complainant="Hongda",
            text="too slow",
            channel=CaseChannel.PHONE,
            received_on=date(2026, 2, 10),
            customer_id=desk.customer_id,
        ),
        by="zhao",
    )


def states(mail: MailService) -> list[tuple[str, int, str]]:
    return [(row.state, row.tries, row.failure) for row in mail.list_newest()]


def test_one_mail_a_day_says_how_many_wait_and_nothing_else(desk: Desk, smtp: SmtpDouble) -> None:
    let_wait(desk)
    local = set_up(desk.node.local, smtp)
    mail = build_mail(local)

    made = [mail.queue_daily(), mail.queue_daily()]
    sent = [mail.send_due(), mail.send_due()]

    assert (made, sent) == ([1, 0], [1, 0])
    (raw,) = smtp.messages
    message = email.message_from_string(raw, policy=default)
    text = message.get_content()
    assert message["Subject"] == "诚信：有 1 项待您处理"
    assert message["To"] == "li@corp.example"
    assert "https://alpha.example/console/" in text
    assert "Hongda" not in raw + text
    assert "C1" not in text
    assert smtp.clear_commands == ["EHLO", "STARTTLS"]
    assert states(mail) == [("sent", 1, "")]


def test_nobody_is_told_that_nothing_waits(desk: Desk, smtp: SmtpDouble) -> None:
    local = set_up(desk.node.local, smtp, mail_recipients=f"{TO_ZH}; sales en a@corp.example")

    assert build_mail(local).queue_daily() == 0


def test_refused_mail_is_tried_again_later_under_the_same_id(desk: Desk, smtp: SmtpDouble) -> None:
    let_wait(desk)
    local = set_up(desk.node.local, smtp)
    mail = build_mail(local)
    smtp.refusals = 1

    mail.queue_daily()
    at_once = [mail.send_due(), mail.send_due()]
    after_failure = states(mail)
    clock_of(local).advance_s(61)
    later = mail.send_due()

    assert (at_once, later) == ([0, 0], 1)
    assert after_failure == [("due", 1, "mail-refused")]
    assert states(mail) == [("sent", 2, "")]
    assert "Message-ID: <1.alpha.example@alpha.example>" in smtp.messages[0]


def test_mail_that_no_server_takes_is_given_up_in_the_end(desk: Desk, smtp: SmtpDouble) -> None:
    let_wait(desk)
    local = set_up(desk.node.local, smtp)
    mail = build_mail(local)
    smtp.refusals = TRIES_MAX
    mail.queue_daily()

    for _ in range(TRIES_MAX + 1):
        mail.send_due()
        clock_of(local).advance_s(WAIT_MS_MAX // 1000)

    assert smtp.messages == []
    assert states(mail) == [("given-up", TRIES_MAX, "mail-refused")]


def test_password_never_leaves_to_a_server_without_encryption(desk: Desk, tmp_path: Path) -> None:
    with run_smtp(tmp_path, offers_tls=False) as plain:
        local = set_up(desk.node.local, plain, mail_ca_file="")
        with pytest.raises(MailTlsError):
            build_mail(local).test("li@corp.example", language="en")

    assert "AUTH" not in plain.commands
    assert "MAIL" not in plain.commands


def test_certificate_of_a_stranger_is_refused_before_anything_is_said(
    desk: Desk, smtp: SmtpDouble
) -> None:
    local = set_up(desk.node.local, smtp, mail_ca_file="")

    with pytest.raises(MailTlsError):
        build_mail(local).test("li@corp.example", language="en")

    assert smtp.commands == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"mail_password": SecretStr("wrong")}, "mail-sign-in", id="wrong password"),
        pytest.param({"mail_port": 9}, "mail-failed", id="nobody there"),
    ],
)
def test_failure_says_what_is_wrong(
    desk: Desk, smtp: SmtpDouble, changes: dict[str, object], code: str
) -> None:
    mail = build_mail(set_up(desk.node.local, smtp, **changes))

    with pytest.raises(MailFailedError) as failed:
        mail.test("li@corp.example", language="en")

    assert failed.value.code == code
    assert PASSWORD not in str(failed.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"mail_from": ""},
        {"mail_from": "a@b.example\r\nBcc: x@y.example"},
        {"mail_recipients": "credit-manager zh"},
        {"mail_recipients": "king zh li@corp.example"},
        {"mail_recipients": "credit-manager fr li@corp.example"},
        {"mail_recipients": f"{TO_ZH}; {TO_ZH}"},
        {"mail_recipients": "credit-manager zh li@corp.example\nx"},
    ],
    ids=str,
)
def test_wrong_settings_are_told_at_the_start(
    desk: Desk, smtp: SmtpDouble, changes: dict[str, object]
) -> None:
    with pytest.raises(SettingsError):
        build_mail(set_up(desk.node.local, smtp, **changes))


def test_user_without_a_password_file_is_told_and_a_file_is_taken(
    desk: Desk, smtp: SmtpDouble
) -> None:
    local = set_up(desk.node.local, smtp, mail_password=SecretStr(""))
    with pytest.raises(KeyFileError):
        build_mail(local)
    (local.settings.home / "mail_password").write_text(f"{PASSWORD}\n")

    build_mail(local).test("li@corp.example", language="zh")

    assert len(smtp.messages) == 1


def test_without_a_server_nothing_is_queued_or_tested(desk: Desk) -> None:
    mail = build_mail(desk.node.local)

    assert (mail.queue_daily(), mail.send_due()) == (0, 0)
    with pytest.raises(MailOffError):
        mail.test("li@corp.example", language="en")


def test_commands_send_a_test_and_list_what_was_sent(desk: Desk, smtp: SmtpDouble) -> None:
    let_wait(desk)
    local = set_up(desk.node.local, smtp)
    mail = build_mail(local)
    mail.queue_daily()
    mail.send_due()
    runner = CliRunner()

    class Home:
        def __init__(self) -> None:
            self.local = local

    tested = runner.invoke(mail_app, ["test", "--to", "li@corp.example"], obj=Home())
    listed = runner.invoke(mail_app, ["list"], obj=Home())

    assert tested.output == "taken by 127.0.0.1\n"
    assert len(smtp.messages) == 2
    assert "li@corp.example" in listed.output
    assert "sent" in listed.output


def test_each_role_s_number_is_of_what_it_can_act_on(desk: Desk) -> None:
    let_wait(desk)

    waiting = count_waiting(desk.node.local)

    assert waiting[Role.CREDIT_MANAGER] == waiting[Role.COLLECTOR] == 1
    assert waiting[Role.STEWARD] == waiting[Role.CFO] == 0
    assert Role.SALES not in waiting


def test_waits_double_up_to_a_limit() -> None:
    waits = [measure_wait_ms(tries) for tries in range(1, TRIES_MAX + 1)]

    assert waits[:3] == [60_000, 120_000, 240_000]
    assert waits == sorted(waits)
    assert waits[-1] == WAIT_MS_MAX
    assert sum(waits[:-1]) > DAY_S * 1_000


def test_recipients_are_read_one_by_one() -> None:
    found = parse_recipients("cfo en a.b+c@corp.example; steward zh d@corp.example;")

    assert [(one.role, one.language, one.address) for one in found] == [
        (Role.CFO, "en", "a.b+c@corp.example"),
        (Role.STEWARD, "zh", "d@corp.example"),
    ]
