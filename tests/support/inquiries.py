"""A console at which peers of the same process are asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.sharing.store import HeldConsent
from node.web.console import build_console_routes
from protocol.encoding import encode_b64u
from tests.support.exchanges import build_scene
from tests.support.scene_console import OPERATOR_TOKEN, SceneConsole

HOST = "http://testserver"
ORIGIN = {"origin": HOST}
WAIT_S = 20


@dataclass(kw_only=True)
class AskingSite:
    """That console in a browser whose node goes on between two pages."""

    node: SceneConsole
    client: TestClient
    customer_id: int
    held: dict[str, HeldConsent] = field(default_factory=dict)

    @property
    def ask_path(self) -> str:
        return f"/console/customers/{self.customer_id}/ask"

    def sign_in(self, role: Role = Role.OPERATOR) -> None:
        token = OPERATOR_TOKEN
        if role is not Role.OPERATOR:
            token = self.node.local.people.create_token(role=role, name="Li", life_s=600).token
        self.client.cookies.clear()
        answer = self.client.post("/console/login", data={"token": token}, headers=ORIGIN)
        assert answer.status_code == 303

    def hold(self, provider: str, *, is_delivered: bool = True) -> HeldConsent:
        """Hold a consent that names a provider, and hand it over."""
        scene = self.node.scene
        consent = scene.grant(lambda one: replace(one, provider=provider, id=provider))
        held, _ = scene.hold_at_consumer(consent)
        if is_delivered:
            asyncio.run(scene.consumer.asking.deliver(held))
        self.held[provider] = held
        return held

    def begin(self, *held: HeldConsent) -> str:
        """Send the form; return the address of the inquiry's page."""
        form = {"purpose": "P1", "consent": [encode_b64u(one.hash) for one in held]}
        answer = self.client.post(self.ask_path, data=form, headers=ORIGIN)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def show(self, path: str) -> str:
        answer = self.client.get(path, params={"lang": "en"})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def wait_for_end(self, path: str) -> str:
        """Load an inquiry's page again until it has ended."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            page = self.show(path)
            if "Ended at" in page:
                return page
        raise AssertionError("the inquiry did not end")


@contextmanager
def open_asking_site(folder: Path) -> Iterator[AskingSite]:
    """Open a console of alpha, which asks beta and gamma."""
    scene = build_scene(folder, member_count=3)
    node = SceneConsole(scene=scene, member=scene.consumer)
    customer_id = node.local.records.add_customer(
        scheme="sim", value="S000001", name="Hongda", country="CN"
    ).customer_id
    app = Starlette(routes=build_console_routes(node))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        yield AskingSite(node=node, client=client, customer_id=customer_id)
    scene.federation.close()
