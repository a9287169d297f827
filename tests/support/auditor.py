"""A provider's node for an auditor to look at: answers, a withdrawal, a refusal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from node.core.people.service import PeopleService, Role, Scope
from node.sharing.outgoing import Ask
from protocol.consent import ConsentState
from schemas.summary import Section
from tests.support.exchanges import build_scene
from tests.support.log_changes import cosign
from tests.support.scene_console import SceneConsole

DAY_S = 86_400
SECTIONS = (Section.DELAY, Section.TREND)


class AuditedNode(SceneConsole):
    """What the console and the API need of the provider's node."""

    @property
    def people(self) -> PeopleService:
        return self.local.people

    def make_token(
        self,
        *scopes: Scope,
        life_s: int = DAY_S,
        peer: str = "",
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> str:
        """Make an auditor's token."""
        made = self.people.create_token(
            role=Role.AUDITOR,
            name="Li Wei",
            life_s=life_s,
            scopes=frozenset(scopes),
            peer=peer,
            from_ms=from_ms,
            to_ms=to_ms,
        )
        return made.token

    def list_looks(self) -> list[tuple[str, str, str, str]]:
        """Return who, what, scope and outcome of each look, the newest first."""
        return [(row.who, row.what, row.scope, row.outcome) for row in self.people.list_accesses()]

    def cosign(self) -> None:
        """Have the hub's witness cosign the newest head of each log."""
        cosign(self.scene.federation, self.scene.provider)


def build_audited_node(folder: Path) -> AuditedNode:
    """Return beta's node, which has answered alpha twice, seen a withdrawal and refused once."""
    scene = build_scene(folder)
    held, _ = scene.hold_at_consumer(scene.grant())
    ask = Ask(consent=held.hash, purpose="P1", metrics=SECTIONS, last_months=12)

    async def run() -> None:
        asking = scene.consumer.asking
        await asking.deliver(held)
        await asking.ask(ask)
        await asking.ask(ask)
        await asking.acknowledge(scene.provider.member_id)
        scene.change_state(held.hash, ConsentState.REVOKED)
        await asking.ask(ask)

    asyncio.run(run())
    return AuditedNode(scene=scene, member=scene.provider)
