import pytest

from node.rating.rules_loss import LossInvalidError, expected_loss_minor


@pytest.mark.parametrize(
    ("pd_ppm", "lgd_ppm", "ead_minor", "loss_minor"),
    [
        (20_000, 600_000, 50_000_000, 600_000),  # .02 · .6 · 500 000.00 = 6 000.00
        (1_000_000, 1_000_000, 7, 7),
        (0, 600_000, 50_000_000, 0),
        (500_000, 1_000_000, 1, 0),  # a half goes to the even one
        (500_000, 1_000_000, 3, 2),
        (500, 450_000, 10**15, 225_000_000_000),
    ],
)
def test_expected_loss(pd_ppm: int, lgd_ppm: int, ead_minor: int, loss_minor: int) -> None:
    assert expected_loss_minor(pd_ppm=pd_ppm, lgd_ppm=lgd_ppm, ead_minor=ead_minor) == loss_minor


@pytest.mark.parametrize(
    ("pd_ppm", "lgd_ppm", "ead_minor"), [(-1, 0, 0), (0, 1_000_001, 0), (0, 0, -1)]
)
def test_what_is_no_share_or_no_exposure_is_refused(
    pd_ppm: int, lgd_ppm: int, ead_minor: int
) -> None:
    with pytest.raises(LossInvalidError):
        expected_loss_minor(pd_ppm=pd_ppm, lgd_ppm=lgd_ppm, ead_minor=ead_minor)
