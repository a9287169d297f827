"""Purposes and their ceilings: published, hashed, recomputed by everybody."""

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.limits import CONSENT_LIFE_S_MAX, CONSENT_MONTHS_MAX, CONSENT_USES_MAX
from protocol.purpose import DERIVATIONS, METRICS, TEMPLATES, PurposeTemplate
from protocol.strict_json import canonical_json

# What consents pin: a template never changes under its name. A new text is a new template.
HASHES = {code: encode_b64u(template.hash) for code, template in TEMPLATES.items()}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_is_named_by_the_hash_of_its_published_form(template: PurposeTemplate) -> None:
    assert template.hash == sha256(canonical_json(template.to_object()))
    assert set(template.metrics) <= set(METRICS)


def test_every_template_has_a_hash_and_a_name_of_its_own() -> None:
    assert len(set(HASHES.values())) == len(TEMPLATES)
    assert len({template.template for template in TEMPLATES.values()}) == len(TEMPLATES)


@pytest.mark.parametrize(("code", "template"), TEMPLATES.items(), ids=TEMPLATES)
def test_a_template_stays_within_the_limits_of_the_protocol(
    code: str, template: PurposeTemplate
) -> None:
    assert template.code == code
    assert 0 < template.months_max <= CONSENT_MONTHS_MAX
    assert 0 < template.uses_max <= CONSENT_USES_MAX
    assert 0 < template.life_s_max <= CONSENT_LIFE_S_MAX
    assert 0 < template.data_life_s_max <= CONSENT_LIFE_S_MAX
    assert template.k_min >= 1
    assert set(template.ops) <= {"query", "push"}
    assert set(template.derive) <= DERIVATIONS


def test_only_watching_lets_a_provider_push() -> None:
    assert [code for code, one in TEMPLATES.items() if "push" in one.ops] == ["P3"]


def test_watching_does_not_ask_how_much_others_sell() -> None:
    assert not {"relation", "volume", "money"} & set(TEMPLATES["P3"].metrics)
