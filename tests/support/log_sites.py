"""A member's site that goes on in its next log, and one that is restored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from node.bootstrap.home import open_key_ring
from node.core.keyring import KeyFile, KeyRing
from node.core.log import LogStore
from node.core.log_list import LogList
from node.core.witnesses import LogRolledBackError
from node.sharing.export import export_bundle
from protocol.__main__ import verify_paths
from protocol.audit.findings import Report
from protocol.encoding import encode_b64u
from protocol.keychange import KeyChange, sign_key_change
from protocol.message import LogHead
from tests.support import hubs
from tests.support.logs import append
from tests.support.sites import MemberSite
from tests.support.stores import back_up_store, restore_store

LEAD_S = 600
DAY_S = 86_400
ORIGIN = hubs.ALPHA.log_origin
ORIGIN_2, ORIGIN_3 = (f"{hubs.ALPHA.member}/chengxin/log/{number}" for number in (2, 3))


def open_ring(site: MemberSite) -> KeyRing:
    return open_key_ring(site.settings, "log")


def announce(site: MemberSite, origin: str = ORIGIN_2, *, reason: str = "year") -> KeyFile:
    """Make the next log's key and enter it at the hub, as the command does."""
    ring = open_ring(site)
    old, new = ring.load()[-1], ring.add()
    change = KeyChange(
        member=hubs.ALPHA.member,
        use="log",
        old=old.key.kid,
        new=new.key.public,
        iat=site.now_s,
        nbf=site.now_s + LEAD_S,
        reason=reason,
        origin=origin,
    )
    tokens = sign_key_change(change, old=old.key, new=new.key)
    ring.keep_statement(new.number, tokens)
    site.hub.service.change_key(tokens)
    site.follow_registry()
    return new


def announce_and_wait(site: MemberSite, origin: str = ORIGIN_2, *, reason: str = "year") -> KeyFile:
    new = announce(site, origin, reason=reason)
    site.hub.clock.advance_s(LEAD_S)
    return new


def get_cosigned(site: MemberSite) -> int:
    return asyncio.run(site.node.witnessing.get_cosigned()).size


def read_head(site: MemberSite) -> tuple[str, LogHead]:
    state = site.node.writer.state
    return state.vkey.name, state.head


def find_witnessed(site: MemberSite, number: int) -> int | None:
    with site.node.local.database.read() as uow:
        log = LogList(uow.connection).find(number)
        assert log is not None
        found = LogStore(uow.connection, log.place).find_witnessed()
    return None if found is None else found[0]


def kinds(site: MemberSite, number: int) -> list[type[object]]:
    return [type(entry) for entry in site.read_log(number)]


def go_back(site: MemberSite, backup: bytes | str) -> None:
    """Restore the disk and start again, as after a loss."""
    asyncio.run(site.node.close())
    restore_store(site.settings.database, backup)
    site.restart_from_disk()
    site.follow_registry()


def back_up(site: MemberSite) -> bytes | str:
    asyncio.run(site.node.close())
    backup = back_up_store(site.settings.database)
    site.restart_from_disk()
    site.confirm()
    return backup


def audit(site: MemberSite, out: Path) -> Report:
    with site.node.local.database.read() as uow:
        export_bundle(
            uow,
            member_id=hubs.ALPHA.member,
            registry=site.node.registry.newest,
            exported_at_s=site.now_s,
            out=out,
            redacted=False,
        )
    return verify_paths([out], anchor=encode_b64u(hubs.HUB_KEY.public.raw))


def roll_back(site: MemberSite, *, lost: Sequence[bytes]) -> int:
    """Restore a backup from before these entries; return the size that the log had with them."""
    backup = back_up(site)
    for entry in lost:
        site.node.writer.run(append(entry))
    get_cosigned(site)
    size = read_head(site)[1].size
    go_back(site, backup)
    with pytest.raises(LogRolledBackError):
        site.confirm()
    return size
