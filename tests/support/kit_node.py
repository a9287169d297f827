"""Our own node as a process in the conformance kit's federation, set up as its page says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.cli.demo.processes import Server, pick_port, start_server, stop_server, wait_until_live
from node.cli.enrol import enrol_member
from node.cli.http import open_client
from node.core.config import ConfigValue, build_settings, load_settings, write_config
from protocol.strict_json import parse_object
from tests.conformance.chengxin_adapter import act
from tests.conformance.peer.adapter import Adapter
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import HUB_FILE, INVOICES_FILE, TOKEN_FILE

MEMBER = "node.example"


def read_values(folder: Path, *, port: int) -> dict[str, ConfigValue]:
    """Return the settings of a node in the kit's federation."""
    hub = parse_object((folder / HUB_FILE).read_bytes())
    return {
        "member_id": MEMBER,
        "name": "Node under test",
        "port": port,
        "hub_url": str(hub["hub_url"]),
        "hub_anchor": str(hub["hub_anchor"]),
        "business_date": str(hub["business_date"]),
        "rate_per_s": 20,
        "rate_burst": 300,
        "peer_timeout_s": 2,
        "registry_interval_s": 1,
        "witness_interval_s": 1,
        "status_interval_s": 2,
        "receipt_interval_s": 1,
        "standing_interval_s": 1,
        "defer_answers": "always",
    }


@contextmanager
def run_node(folder: Path, home: Path) -> Iterator[Server]:
    """Set a node up with the kit's material, enrol it and run it."""
    values = read_values(folder, port=pick_port())
    home.mkdir(parents=True)
    settings = build_settings(home=home, **values)
    init_home(settings)
    write_config(home, values)
    local = build_local_node(settings)
    try:
        local.records.import_file(folder / INVOICES_FILE)
    finally:
        local.close()
    enrol_member(settings, token=(folder / TOKEN_FILE).read_text(encoding="ascii"))
    server = start_server(["serve", "--home", str(home)], name=MEMBER, home=home, url=settings.url)
    try:
        wait_until_live(server)
        yield server
    finally:
        stop_server(server)


@contextmanager
def run_kit(folder: Path) -> Iterator[Kit]:
    """Run the kit against our own node, as provider and as asker."""
    home = folder / "node"
    kit = Kit()
    try:
        kit.write_folder(folder / "kit")
        with run_node(folder / "kit", home), closing(open_client(load_settings(home))) as client:
            # In this process: the command is tried on its own, and starting it takes a second.
            kit.adapter = Adapter(lambda verb, argument: act(client, verb, argument))
            kit.connect()
            yield kit
    finally:
        kit.close()
