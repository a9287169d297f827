from datetime import date
from pathlib import Path

import pytest

from node.core.config import Settings, SettingsError, build_settings, load_settings


def write(home: Path, text: str) -> Path:
    (home / "chengxin.toml").write_text(text, encoding="utf-8")
    return home


def test_the_file_is_read_and_the_rest_has_defaults(tmp_path: Path) -> None:
    write(tmp_path, 'member_id = "alpha.example"\nport = 9000\nbusiness_date = 2026-06-30\n')

    settings = load_settings(tmp_path)

    assert (settings.home, settings.member_id, settings.port) == (tmp_path, "alpha.example", 9000)
    assert settings.business_date == date(2026, 6, 30)
    assert settings.url == "http://127.0.0.1:9000"
    assert settings.database == f"sqlite:///{tmp_path / 'node.sqlite'}"
    assert settings.first_log_origin == "alpha.example/chengxin/log/1"
    assert settings.witness_name == "alpha.example/chengxin/witness/1"


def test_what_is_set_wins_over_what_is_derived(tmp_path: Path) -> None:
    settings = build_settings(
        home=tmp_path,
        member_id="alpha.example",
        public_url="https://a.example",
        database_url="postgresql://db",
    )

    assert (settings.url, settings.database) == ("https://a.example", "postgresql://db")


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'member_id = "alpha.example"\nport = 9000\nname = "file"\n')
    monkeypatch.setenv("CHENGXIN_PORT", "9001")
    monkeypatch.setenv("CHENGXIN_API_TOKEN", "from-the-environment")

    settings = load_settings(tmp_path)

    assert (settings.port, settings.name) == (9001, "file")
    assert settings.api_token.get_secret_value() == "from-the-environment"


def test_the_environment_alone_can_name_the_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHENGXIN_MEMBER_ID", "beta.example")

    assert build_settings(home=tmp_path).member_id == "beta.example"


def test_the_home_is_where_the_file_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHENGXIN_HOME", "/elsewhere")

    assert build_settings(home=tmp_path, member_id="alpha.example").home == tmp_path


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "member_id"),
        ({"member_id": "Not A Member"}, "member_id"),
        ({"member_id": "alpha.example", "port": 70_000}, "port"),
        ({"member_id": "alpha.example", "role": "king"}, "role"),
        ({"member_id": "alpha.example", "clock_ahead_s": 61}, "clock_ahead_s"),
        ({"member_id": "alpha.example", "rate_per_s": 0}, "rate_per_s"),
        ({"member_id": "alpha.example", "log_level": "loud"}, "log_level"),
        ({"member_id": "alpha.example", "business_date": "yesterday"}, "business_date"),
        ({"member_id": "alpha.example", "prot": 8440}, "prot"),
    ],
)
def test_a_missing_or_wrong_setting_is_named(
    tmp_path: Path, values: dict[str, object], name: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        build_settings(home=tmp_path, **values)

    assert refusal.value.detail.startswith(f"setting {name}:")


def test_a_wrong_value_of_the_environment_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHENGXIN_PORT", "hunter2")

    with pytest.raises(SettingsError) as refusal:
        build_settings(home=tmp_path, member_id="alpha.example")

    assert "port" in refusal.value.detail
    assert "hunter2" not in refusal.value.detail


@pytest.mark.parametrize(
    "text", ["member_id = ", "\udcff", 'home = "/elsewhere"\nmember_id = "alpha.example"\n']
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "chengxin.toml").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(SettingsError):
        load_settings(tmp_path)


def test_a_missing_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chengxin init"):
        load_settings(tmp_path)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = build_settings(home=tmp_path, member_id="alpha.example")

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # what must fail


def test_no_secret_shows_in_what_is_printed(tmp_path: Path) -> None:
    secrets = {
        name: f"hunter2-{name}" for name in ("key_passphrase", "api_token", "enrolment_token")
    }
    settings = build_settings(home=tmp_path, member_id="alpha.example", **secrets)

    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"

    assert "hunter2" not in shown
    assert settings.api_token.get_secret_value() == "hunter2-api_token"


def test_every_text_that_names_a_secret_is_one() -> None:
    secret = {"passphrase", "token"}

    for name, field in Settings.model_fields.items():
        if secret & set(name.split("_")):
            assert field.annotation is not None
            assert field.annotation.__name__ == "SecretStr", name
