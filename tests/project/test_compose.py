import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer.main
import yaml

from node.core.config import Settings

PREFIX = "CHENGXIN_"
COMMAND = re.compile(r"(?:^| )chengxin ([^>]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What the Dockerfile says of the containers made of it."""

    environment: dict[str, str]
    port: str
    volume: str
    text: str


@pytest.fixture(scope="module")
def compose(project_root: Path) -> dict[str, Any]:
    loaded = yaml.safe_load((project_root / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def image(project_root: Path) -> Image:
    text = (project_root / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", text)
    variables = " ".join(re.findall(r"^ENV (.+)$", joined, re.MULTILINE))
    (port,) = re.findall(r"^EXPOSE (\d+)$", text, re.MULTILINE)
    (volume,) = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    environment = dict(pair.split("=", 1) for pair in shlex.split(variables))
    return Image(environment=environment, port=port, volume=volume, text=joined)


def read_settings(service: dict[str, Any], image: Image) -> Settings:
    """The settings that the code makes of a container's environment; it forbids unknown ones."""
    variables = {**image.environment, **service["environment"]}
    return Settings.model_validate_strings(
        {
            name.removeprefix(PREFIX).lower(): value
            for name, value in variables.items()
            if name.startswith(PREFIX)
        }
    )


def test_compose_starts_a_hub_and_three_members(
    services: dict[str, dict[str, Any]], image: Image
) -> None:
    settings = [read_settings(service, image) for service in services.values()]

    assert [one.role for one in settings] == ["hub", "member", "member", "member"]
    assert len({one.member_id for one in settings}) == len(settings)


def test_every_variable_is_a_setting_of_the_code(
    services: dict[str, dict[str, Any]], image: Image
) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    used = {name for service in services.values() for name in service["environment"]}
    used |= {name for name in image.environment if name.startswith(PREFIX)}

    assert used - known == set()


def test_every_service_runs_the_one_image_of_this_version(
    project_root: Path, services: dict[str, dict[str, Any]]
) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]

    assert {(one["image"], one["build"]) for one in services.values()} == {
        (f"chengxin:{project['version']}", ".")
    }


def test_each_port_is_published_on_loopback_and_is_the_one_the_node_listens_on(
    services: dict[str, dict[str, Any]], image: Image
) -> None:
    published: list[str] = []
    for service in services.values():
        ((host, outer, inner),) = (port.split(":") for port in service["ports"])
        published.append(outer)
        assert host == "127.0.0.1"
        assert inner == image.port == str(read_settings(service, image).port)

    assert len(set(published)) == len(services)
    assert image.port == str(Settings.model_fields["port"].default)


def test_each_node_keeps_its_home_in_a_volume_of_its_own(
    compose: dict[str, Any], services: dict[str, dict[str, Any]], image: Image
) -> None:
    homes: list[str] = []
    for service in services.values():
        mounts = dict(mount.split(":")[1::-1] for mount in service["volumes"])
        homes.append(mounts[str(read_settings(service, image).home)])
        assert set(mounts.values()) <= set(compose["volumes"])

    assert image.environment["CHENGXIN_HOME"] == image.volume
    assert len(set(homes)) == len(services)


def test_members_can_read_and_not_change_what_the_hub_hands_over(
    services: dict[str, dict[str, Any]],
) -> None:
    shared = {
        name: [mount for mount in service["volumes"] if mount.startswith("federation:")]
        for name, service in services.items()
    }

    assert all(mounts[0].endswith(":ro") for name, mounts in shared.items() if name != "hub")
    assert not shared["hub"][0].endswith(":ro")


def test_members_wait_for_the_hub_and_look_for_it_where_it_is(
    services: dict[str, dict[str, Any]], image: Image
) -> None:
    hub = read_settings(services["hub"], image)
    members = {name: service for name, service in services.items() if name != "hub"}

    for name, service in members.items():
        settings = read_settings(service, image)
        assert service["depends_on"]["hub"]["condition"] == "service_healthy"
        assert settings.hub_url == hub.url
        assert urlsplit(settings.url).netloc == f"{name}:{settings.port}"


def test_the_image_runs_as_no_root_installs_by_hash_and_tells_its_health(image: Image) -> None:
    assert re.search(r"^USER chengxin$", image.text, re.MULTILINE)
    assert "--require-hashes" in image.text
    assert re.search(r"^HEALTHCHECK .*/readyz", image.text, re.MULTILINE)


def test_every_file_the_image_copies_is_let_through(project_root: Path, image: Image) -> None:
    ignore = (project_root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+) \S+$", image.text, re.MULTILINE)
    sources = {source.removeprefix("./") for line in copies for source in line.split()}

    assert sources == let_through
    assert [source for source in sources if not (project_root / source).exists()] == []


def test_every_command_of_the_start_script_exists(project_root: Path) -> None:
    from node.cli.main import app  # noqa: PLC0415 - a broken command line fails this test alone

    script = (project_root / "docker" / "start").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
    found = [words for line in lines for words in COMMAND.findall(line)]

    assert found
    for line in found:
        words = shlex.split(line)
        command: Any = typer.main.get_command(app)
        while words and not words[0].startswith("-"):
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
