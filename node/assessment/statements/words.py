"""Words of the statements' chart, ratios and models in both languages."""

from __future__ import annotations

from typing import NamedTuple

from node.assessment.policy_file import Language


class Words(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str

    def render(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language is Language.ZH else self.en
