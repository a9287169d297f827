"""``chengxin key rotate-fields``: a new key for what is encrypted, and which files there are."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.cli.main import app
from node.core.config import build_settings, write_config
from node.records.customers import ContactRole


def test_the_key_is_changed_and_the_archive_is_named(tmp_path: Path) -> None:
    settings = build_settings(home=tmp_path / "home", member_id="beta.example")
    init_home(settings, key_names=())
    node = build_local_node(settings)
    node.records.add_customer(scheme="sim", value="A1", name="Hongda")
    node.customers.add_contact(1, role=ContactRole.CREDIT, name="Wu", phone="1", by="x")
    node.close()
    write_config(settings.home, {"member_id": "beta.example"})

    done = CliRunner().invoke(app, ["key", "rotate-fields", "--home", str(settings.home)])

    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.endswith("is in use: 1 rows encrypted anew")
    assert "keys/archive" in second
    assert (settings.home / "keys" / "archive" / "fields.pem").exists()
