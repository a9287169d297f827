"""Expected loss: probability of default · loss given default · exposure at default. Pure.

The regulatory identity of credit risk (Basel II framework, 2004, §212 and after): of amounts in
minor units and shares in millionths, so that nothing is rounded but the result.
"""

from __future__ import annotations

from node.core.errors import RejectedError
from node.core.money import divide_half_even
from node.rating.scale import PPM


class LossInvalidError(RejectedError):
    """A share is below 0 or above 1, or the exposure below 0."""

    code = "loss-invalid"


def expected_loss_minor(*, pd_ppm: int, lgd_ppm: int, ead_minor: int) -> int:
    """Return the expected loss in minor units of the exposure's currency, half to even.

    Args:
        pd_ppm: Probability of default, in millionths.
        lgd_ppm: Share of the exposure that is lost then, in millionths.
        ead_minor: Exposure at default, in minor units.

    Raises:
        LossInvalidError: A share is not within 0 and 1, or the exposure is below 0.
    """
    if not (0 <= pd_ppm <= PPM and 0 <= lgd_ppm <= PPM) or ead_minor < 0:
        raise LossInvalidError("shares are within 0 and 1, and an exposure is not below 0")
    return divide_half_even(pd_ppm * lgd_ppm * ead_minor, PPM * PPM)
