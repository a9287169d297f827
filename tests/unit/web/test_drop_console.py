"""Bundles dropped on a page: taken, judged by the verifier itself, shown, gone."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.sharing.auditing.reach import pack_folder
from node.sharing.export import export_bundle
from node.web.console import build_console_routes
from node.web.drop_desk import DROP_FILES_MAX
from protocol.encoding import encode_b64u
from tests.support.auditing import flip
from tests.support.auditor import AuditedNode, build_audited_node
from tests.support.log_changes import cosign
from tests.support.nodes import HUB_KEY
from tests.support.scene_console import OPERATOR_TOKEN

HOST = "http://testserver"
ORIGIN = {"origin": HOST}
DROPS = "/console/audit/drops"
ANCHOR = encode_b64u(HUB_KEY.public.raw)
WAIT_S = 60


@dataclass(frozen=True, kw_only=True)
class Site:
    node: AuditedNode
    client: TestClient
    bundles: dict[str, Path]

    @property
    def home(self) -> Path:
        return self.node.local.settings.home / "drops"

    def sign_in(self, token: str = OPERATOR_TOKEN) -> None:
        self.client.cookies.clear()
        self.client.post("/console/login", data={"token": token}, headers=ORIGIN)

    def drop(self, *files: tuple[str, bytes], anchor: str = ANCHOR) -> Response:
        sent = [("bundle", (name, content, "application/x-tar")) for name, content in files]
        return self.client.post(
            DROPS, files=sent, data={"anchor": anchor}, headers=ORIGIN, params={"lang": "en"}
        )

    def show(self, path: str) -> str:
        answer = self.client.get(path, params={"lang": "en"})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def wait(self, answer: Response) -> str:
        """Load a drop's page again until the verifier has ended."""
        assert answer.status_code == 303, answer.text
        path, until = answer.headers["location"], time.monotonic() + WAIT_S
        while time.monotonic() < until:
            page = self.show(path)
            if "Verifying" not in page:
                return page
            time.sleep(0.1)
        raise AssertionError("the verifier did not end")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("drops")
    node = build_audited_node(folder)
    scene = node.scene
    bundles = {}
    for side, member in (("alpha", scene.consumer), ("beta", scene.provider)):
        cosign(scene.federation, member)
        out = folder / f"bundle-{side}"
        with member.local.database.read() as uow:
            export_bundle(
                uow,
                member_id=member.member_id,
                registry=scene.federation.registry,
                exported_at_s=scene.now_s,
                out=out,
                redacted=False,
            )
        bundles[side] = folder / f"{side}.tar"
        pack_folder(out, bundles[side])
    app = Starlette(routes=build_console_routes(node))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        site = Site(node=node, client=client, bundles=bundles)
        yield site
    scene.federation.close()


@pytest.fixture(autouse=True)
def signed_in(site: Site) -> None:
    site.sign_in()


def read_files(site: Site) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in site.bundles.values()]


def make_tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def name_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def test_both_sides_bundles_are_proven_and_the_report_is_that_of_the_command(site: Site) -> None:
    answer = site.drop(*read_files(site))
    page = site.wait(answer)
    here = answer.headers["location"]

    report = site.client.get(f"{here}/report", params={"lang": "en"})
    sent = site.client.get(f"{here}/report.json")
    html = site.client.get(f"{here}/report.html", params={"lang": "zh"})

    assert "proven" in page
    assert "alpha.example/chengxin/log/1" in page
    value = json.loads(sent.text)
    assert value["verdict"] == "proven"
    assert value["anchor"] == {"key": ANCHOR, "given": True}
    assert "sha256-" in report.headers["content-security-policy"]
    assert "timeline" in report.text
    assert html.headers["content-disposition"].startswith("attachment")
    assert "判定" in html.text
    assert not list((site.home / here.rpartition("/")[2]).glob("*.part"))


def test_changed_bundle_is_contradicted(site: Site) -> None:
    def change(name: str, content: bytes) -> bytes:
        return flip(content, len(content) // 2) if name.endswith("messages.jsonl") else content

    page = site.wait(site.drop(("beta.tar", rewrite(site.bundles["beta"], change))))

    assert 'state-stop">contradicted</span></h2>' in page


def rewrite(path: Path, change: Callable[[str, bytes], bytes]) -> bytes:
    members = []
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            content = b"" if file is None else change(member.name, file.read())
            members.append((name_member(member.name, member.type), content))
    return make_tar(*members)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no archive" * 100, id="no archive"),
        pytest.param(make_tar(), id="archive of nothing"),
        pytest.param(make_tar((name_member("../out"), b"x")), id="name that climbs"),
        pytest.param(make_tar((name_member("a", tarfile.SYMTYPE, "/etc/passwd"), b"")), id="link"),
        pytest.param(make_tar((name_member("a", tarfile.CHRTYPE), b"")), id="device"),
    ],
)
def test_file_that_is_no_bundle_is_said_not_to_be_judged(site: Site, content: bytes) -> None:
    page = site.wait(site.drop(("x.tar", content)))

    assert "could not be judged" in page
    assert str(site.home) not in page
    assert not (site.home / "out").exists()


@pytest.mark.parametrize("name", ["/etc/x", "b/manifest.json"])
def test_archive_that_holds_no_bundle_proves_nothing(site: Site, name: str) -> None:
    page = site.wait(site.drop(("x.tar", make_tar((name_member(name), b"{}")))))

    assert 'state-good">proven</span></h2>' not in page
    assert 'class="state state-' in page


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda site: site.drop(), id="no file"),
        pytest.param(
            lambda site: site.drop(*[(f"{n}.tar", b"x") for n in range(DROP_FILES_MAX + 1)]),
            id="too many",
        ),
        pytest.param(lambda site: site.drop(("a.tar", b"x"), anchor="no key"), id="no anchor"),
        pytest.param(
            lambda site: site.client.post(DROPS, data={"anchor": ANCHOR}, headers=ORIGIN),
            id="form without files",
        ),
        pytest.param(
            lambda site: site.client.post(
                DROPS,
                content=b'--x\r\ncontent-disposition: form-data; name="bundle"; filename="a"'
                b"\r\n\r\ncut off",
                headers={**ORIGIN, "content-type": "multipart/form-data; boundary=x"},
            ),
            id="cut off",
        ),
    ],
)
def test_unfit_form_is_refused_and_leaves_no_file(
    site: Site, send: Callable[[Site], Response]
) -> None:
    before = set(site.home.glob("*"))

    answer = send(site)

    assert answer.status_code == 422
    assert set(site.home.glob("*")) <= before


def test_drop_is_its_sender_s_and_goes_when_he_says_so(site: Site) -> None:
    answer = site.drop(("x.tar", b"nothing"))
    site.wait(answer)
    here = answer.headers["location"]
    site.sign_in(site.node.make_token())
    of_another = site.client.get(here).status_code
    own_page = site.client.get(DROPS).status_code
    site.sign_in(site.node.people.create_token(role=Role.SALES, name="Li", life_s=600).token)
    of_sales = site.client.get(DROPS).headers["location"]
    site.sign_in()

    removed = site.client.post(f"{here}/removal", headers=ORIGIN)

    assert (of_another, own_page, of_sales) == (404, 200, "/console/")
    assert removed.headers["location"] == DROPS
    assert site.client.get(here).status_code == 404
    assert not (site.home / here.rpartition("/")[2]).exists()
    assert ("operator", "drop") in [look[:2] for look in site.node.list_looks()]
