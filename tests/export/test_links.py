import numpy as np
import pytest

from sknn.export.formula import matrix
from sknn.export.links import LINK_FORMULAS, invert_link
from sknn.losses import (
    CLASSIFICATION_LOSSES,
    LOSSES,
    Grouped,
    LabelWeighted,
    LogLoss,
    Quantile,
    SquaredError,
)
from tests.cases import LOSS_CASES, name_of
from tests.export.running import evaluate

CASES = [
    *LOSS_CASES,
    Grouped(LogLoss(), (2, 3)),
    LabelWeighted(CLASSIFICATION_LOSSES.resolve("focal").for_targets(False, False), (1.0, 2.0)),
    Quantile([0.3]),
]


@pytest.mark.parametrize(
    ("family", "name"),
    [(LOSSES, name) for name in LOSSES]
    + [(CLASSIFICATION_LOSSES, name) for name in CLASSIFICATION_LOSSES],
)
def test_every_loss_has_a_formula(family, name):
    loss = family.resolve(name)
    for each in (loss, *(loss.for_targets(many, False) for many in (True, False))):
        assert type(each) in LINK_FORMULAS


@pytest.mark.parametrize("n_targets", [1, 5])
@pytest.mark.parametrize("loss", CASES, ids=name_of)
def test_formulas_give_the_predictions_of_the_losses(loss, n_targets):
    n_targets = sum(loss.sizes) if isinstance(loss, Grouped) else n_targets
    n_raw = n_targets * loss.raw_per_target
    raw = 3 * np.random.default_rng(0).standard_normal((20, n_raw))
    expected = loss.predictions(raw.T.copy())
    found = evaluate(invert_link(matrix(n_raw), loss, n_targets), raw)

    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-13)


@pytest.mark.parametrize("name", ["log_loss", "focal"])
def test_small_probabilities_keep_their_digits(name):
    raw = np.array([[-700.0], [-40.0], [0.0], [40.0], [800.0]])
    loss = CLASSIFICATION_LOSSES.resolve(name).for_targets(False, False)
    expected = loss.predictions(raw.T.copy())
    found = evaluate(invert_link(matrix(1), loss, 1), raw)

    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-13)


class Own(SquaredError):
    pass


@pytest.mark.parametrize("loss", [Own(), Grouped(Own(), (2, 3))], ids=name_of)
def test_losses_of_ones_own_are_refused(loss):
    with pytest.raises(ValueError, match=r"loss has a Own of .*cannot be exported"):
        invert_link(matrix(5), loss, 5)
