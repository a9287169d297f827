import json
from pathlib import Path
from typing import Any

import pytest

from node.assessment.policy import (
    ENGINE_CODES,
    Step,
    choose_step,
    parse_policy,
    read_preset_policy,
)
from node.assessment.policy_file import (
    POLICY_BYTES_MAX,
    Language,
    PolicyInvalidError,
    UnknownTextError,
)
from protocol.encoding import encode_b64u, sha256


def read_preset_object(project_root: Path) -> dict[str, Any]:
    raw = (project_root / "node/assessment/policies/expert-1.json").read_bytes()
    loaded: dict[str, Any] = json.loads(raw)
    return loaded


def set_member(body: dict[str, Any], path: str, value: object) -> bytes:
    target: Any = body
    *parents, last = path.split("/")
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return json.dumps(body).encode()


def test_policy_is_named_by_id_version_and_hash_of_its_bytes(project_root: Path) -> None:
    raw = (project_root / "node/assessment/policies/expert-1.json").read_bytes()

    reference = read_preset_policy("expert-1").reference

    assert reference.label == "expert-1"
    assert reference.sha256_b64u == encode_b64u(sha256(raw))


def test_factors_of_the_preset_add_up_to_a_hundred() -> None:
    factors = read_preset_policy("expert-1").body.factors

    assert sum(factor.points_max_deci for factor in factors) == 1000


def test_every_code_has_words_in_both_languages() -> None:
    policy = read_preset_policy("expert-1")
    codes = [
        *ENGINE_CODES,
        *(factor.id for factor in policy.body.factors),
        *(f"{factor.id}.{band}" for factor in policy.body.factors for band in ("good", "unknown")),
    ]

    for code in codes:
        assert policy.describe(code, Language.ZH) != policy.describe(code, Language.EN)


@pytest.mark.parametrize("code", ["", "dbt.", "dbt.best", "nothing", "nothing.good", "dbt.zh"])
def test_unknown_code_has_no_words(code: str) -> None:
    with pytest.raises(UnknownTextError):
        read_preset_policy("expert-1").describe(code, Language.EN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "rating-scale"),
        ("version", 0),
        ("version", "1"),
        ("surplus", 1),
        ("formula", "pbs-2"),
        ("factors/0/points_max_deci", 241),
        ("factors/0/id", "dbt"),
        ("factors/0/sources", ["own", "own"]),
        ("factors/0/steps/1/at", 0),
        ("factors/0/steps/0/points_deci", 1),
        ("factors/0/steps/3/points_deci", 0),
        ("factors/0/reads", "price"),
        ("peers/weight_max_invoices/1/value", 61),
        ("peers/age_permille/1/value", 1001),
        ("own/age_permille/0/at", 1),
        ("own/age_permille/0/value", 10),
        ("bands/invoices", {"5-9": 7}),
        ("bands/overdue_days/<=30", 200),
        ("confidence/0/level", "none"),
        ("confidence/8/own_invoices_min", 1),
        ("confidence/8/code", "unheard"),
        ("texts/used", None),
        ("texts/surplus", {"zh": "多", "en": "more"}),
    ],
)
def test_wrong_member_is_refused(project_root: Path, path: str, value: object) -> None:
    body = read_preset_object(project_root)

    with pytest.raises(PolicyInvalidError):
        parse_policy(set_member(body, path, value))


def test_factors_that_do_not_add_up_to_a_hundred_are_refused(project_root: Path) -> None:
    body = read_preset_object(project_root)
    body["factors"] = body["factors"][1:]

    with pytest.raises(PolicyInvalidError, match=r"add up to 100\.0"):
        parse_policy(json.dumps(body).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"kind": "assessment-policy", "kind": "assessment-policy"}',
        b'{"version": 1.0}',
        b" " * (POLICY_BYTES_MAX + 1),
    ],
    ids=["empty", "list", "duplicate", "float", "oversized"],
)
def test_bytes_that_are_no_policy_are_refused(raw: bytes) -> None:
    with pytest.raises(PolicyInvalidError):
        parse_policy(raw)


@pytest.mark.parametrize(("at", "value"), [(0, 9), (4, 9), (5, 3), (100, 3)])
def test_step_holds_until_the_next(at: int, value: int) -> None:
    steps = (Step(at=0, value=9), Step(at=5, value=3))

    assert choose_step(steps, at) == value
