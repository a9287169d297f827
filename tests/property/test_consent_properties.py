"""Uses of a consent against a small model: the count never passes its bounds, in any order."""

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.consent import (
    TRANSITIONS,
    Consent,
    ConsentState,
    Span,
    Standing,
    Use,
    check_use,
    window_start,
)
from protocol.problems import PeerProblemError
from tests.support.federation import METRICS, NOW_S, build_consent

CONSUMER, PROVIDER = "alpha.example", "beta.example"


@dataclass
class Model:
    """What a provider keeps: the times of all uses, and the state."""

    consent: Consent
    uses_at_s: list[int] = field(default_factory=list)
    state: ConsentState = ConsentState.ACTIVE

    def is_covered(self, now_s: int) -> bool:
        first_s = window_start(self.consent.frequency, now_s=now_s)
        in_window = [at_s for at_s in self.uses_at_s if at_s >= first_s]
        return (
            self.state is ConsentState.ACTIVE
            and self.consent.nbf <= now_s < self.consent.exp
            and len(self.uses_at_s) < self.consent.max_uses
            and len(in_window) < self.consent.frequency.n
        )


class ConsentMachine(RuleBasedStateMachine):
    """Asks, waits and changes the state in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = NOW_S - 7_200
        self.model = Model(consent=build_consent(CONSUMER, PROVIDER))
        self.counted = 0
        self.windows: dict[int, int] = {}

    @initialize(
        uses=st.integers(1, 6),
        n=st.integers(1, 4),
        unit=st.sampled_from(["hour", "day", "month"]),
    )
    def sign(self, uses: int, n: int, unit: str) -> None:
        consent = replace(
            self.model.consent, max_uses=uses, frequency=Span(unit=unit, n=n), exp=NOW_S + 86_400
        )
        self.model = Model(consent=consent)

    @rule(seconds=st.integers(1, 40_000))
    def wait(self, seconds: int) -> None:
        self.now_s += seconds

    @rule(state=st.sampled_from(ConsentState))
    def change(self, state: ConsentState) -> None:
        if state in TRANSITIONS[self.model.state]:
            self.model.state = state

    @rule(stranger=st.booleans())
    def ask(self, *, stranger: bool) -> None:
        window_s = window_start(self.model.consent.frequency, now_s=self.now_s)
        use = Use(
            consumer="gamma.example" if stranger else CONSUMER,
            provider=PROVIDER,
            purpose="P1",
            op="query",
            metrics=METRICS,
            last_months=3,
        )
        standing = Standing(
            state=self.model.state,
            uses=self.counted,
            uses_in_window=self.windows.get(window_s, 0),
        )
        try:
            check_use(self.model.consent, use=use, standing=standing, now_s=self.now_s)
        except PeerProblemError:
            assert stranger or not self.model.is_covered(self.now_s)
            return
        assert not stranger
        assert self.model.is_covered(self.now_s)
        self.model.uses_at_s.append(self.now_s)
        self.counted += 1
        self.windows[window_s] = self.windows.get(window_s, 0) + 1

    @invariant()
    def bounds_hold(self) -> None:
        assert self.counted <= self.model.consent.max_uses
        assert all(count <= self.model.consent.frequency.n for count in self.windows.values())


TestConsentUses = ConsentMachine.TestCase
