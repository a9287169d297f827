"""Who previews a policy: the room whose results follow from its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Protocol

from node.core.policies.records import PolicyPreview
from node.core.policies.rules_states import Actor
from node.core.policies.service import PolicyService

Progress = Callable[[int, int], None]


class Previewer(Protocol):
    """Tries a version on the portfolio and keeps the summary."""

    def preview(
        self,
        version_id: int,
        *,
        as_of: date,
        actor: Actor,
        on_progress: Progress | None = None,
    ) -> PolicyPreview:
        """Try a version as of a day; ``on_progress`` hears how many of how many are done."""
        ...


class Previews:
    """The previews of all kinds."""

    def __init__(
        self,
        *,
        policies: PolicyService,
        others: Previewer,
        by_kind: Mapping[str, Previewer],
        check_day: Callable[[date], None],
    ) -> None:
        """``others`` previews kinds that are not named, or refuses; ``check_day`` refuses a day."""
        self._policies = policies
        self._others = others
        self._by_kind = by_kind
        self._check_day = check_day

    def preview(
        self,
        version_id: int,
        *,
        as_of: date,
        actor: Actor,
        on_progress: Progress | None = None,
    ) -> PolicyPreview:
        """Try a version on every customer, and keep the summary.

        Raises:
            PolicyNotFoundError: There is none with this key.
            PreviewDayError: The day is to come, or no record can be of it.
            PreviewKindError: Policies of its kind change nothing of a customer.
            PolicyChangedError: It, or what is active, changed meanwhile.
        """
        self.check_day(as_of)
        kind = self._policies.get(version_id).name.kind
        chosen = self._by_kind.get(kind, self._others)
        return chosen.preview(version_id, as_of=as_of, actor=actor, on_progress=on_progress)

    def check_day(self, as_of: date) -> None:
        """Check that a portfolio can be looked at as of a day.

        Raises:
            PreviewDayError: It is to come, or no record can be of it.
        """
        self._check_day(as_of)
