"""The verdict on a range test, which learning_rate_init="auto" and the search share."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from sknn import MLPRegressor
from sknn.model_selection import LearningRateSearchCV
from sknn.solvers.range_test import RATES, choose_rates

DECADES = np.logspace(-5, 0, 6)
X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X[:100]), scale(Y[:100])

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("losses", "low", "high", "rate"),
    [
        ([1.0, 1.0, 0.5, 0.0, 0.1, 2.0], 1e-3, 1e-1, 1e-2 / 3),
        # Not beyond a rate that is too large; above the lower end, so a third of the best.
        ([1.0, 0.95, 0.89, 0.0, 0.3, 0.1], 1e-3, 1e-2, 1e-2 / 3),
        ([1.0, 0.8, 0.4, 0.0, np.nan, np.nan], 1e-4, 1e-2, 1e-2 / 3),
        ([1.0, 0.8, 0.4, 0.2, 0.1, 0.0], 1e-4, 1.0, 1 / 3),
        ([np.nan, 1.0, 0.0, 1.0, 1.0, 1.0], 1e-4, 1e-2, 1e-3 / 3),  # a single good one
        ([1.0, np.inf, np.inf, np.inf, np.inf, np.inf], 1e-5, 1e-4, 1e-5),  # not below the range
    ],
)
def test_the_rate_is_a_third_of_the_best_within_what_learns_and_is_stable(losses, low, high, rate):
    assert choose_rates(DECADES, np.array(losses)) == pytest.approx((low, high, rate))


def test_infinite_and_undefined_losses_are_the_same_verdict():
    losses = np.array([1.0, 0.8, 0.4, 0.0, np.inf, np.inf])

    assert choose_rates(DECADES, losses) == choose_rates(
        DECADES, np.where(np.isinf(losses), np.nan, losses)
    )


def test_auto_takes_the_rate_and_the_search_the_ends_of_one_verdict():
    model = MLPRegressor(5, learning_rate_init="auto", max_iter=1, random_state=0).fit(X, Y)
    network = MLPRegressor(5, max_iter=1, random_state=0)
    search = LearningRateSearchCV(network, n_rates=2, cv=2).fit(X, Y)

    assert model.learning_rate_ == choose_rates(*model.lr_find_.to_numpy().T)[2]
    table = search.range_test_.to_numpy().T
    assert search.rates_ == pytest.approx(choose_rates(*table)[:2])
    np.testing.assert_array_equal(table[0], RATES)


def test_divergence_everywhere_says_what_to_do():
    with pytest.raises(ValueError, match=r"every learning rate.*1e-05 to 1\. Scale X"):
        choose_rates(DECADES, np.full(6, np.nan))


def test_auto_and_the_search_refuse_data_that_diverge_in_the_same_words():
    network = MLPRegressor(5, solver="sgd", max_iter=1, random_state=0)
    message = r"every learning rate of the range test, from 1e-06 to 10\. Scale X"
    with np.errstate(all="ignore"):
        with pytest.raises(ValueError, match=message):
            MLPRegressor(
                5, solver="sgd", learning_rate_init="auto", max_iter=1, random_state=0
            ).fit(X, Y * 1e200)
        with pytest.raises(ValueError, match=message):
            LearningRateSearchCV(network, n_rates=2, cv=2).fit(X, Y * 1e200)
