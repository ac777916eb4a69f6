"""The display of a search over learning rates."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier
from sknn.model_selection import (
    LearningRateDisplay,
)
from tests.model_selection.searching import PREFIX, X, Y, make_pipe

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_the_display_draws_scores_spread_and_choice(search):
    display = LearningRateDisplay.from_estimator(search)

    np.testing.assert_allclose(display.line_.get_xdata(), search.rates_)
    np.testing.assert_allclose(display.line_.get_ydata(), display.scores.mean(axis=1))
    assert display.scores.shape == (6, 3)
    assert sorted(display.n_epochs) == [3] * 4 + [9] * 2
    assert display.best_rate == search.best_params_[f"{PREFIX}learning_rate_init"]
    assert display.best_line_.get_xdata() == [display.best_rate] * 2
    assert display.fill_between_ is not None
    assert display.ax_.get_xscale() == "log"
    assert display.figure_ is display.ax_.figure


def test_the_display_takes_axes_and_options(search):
    first = LearningRateDisplay.from_estimator(search)
    second = LearningRateDisplay.from_estimator(
        search, ax=first.ax_, std_display_style=None, line_kw={"color": "red"}
    )

    assert second.ax_ is first.ax_
    assert second.fill_between_ is None
    assert second.line_.get_color() == "red"


def test_the_display_shows_a_search_of_scikit_learn_and_the_best_of_each_rate():
    grid = {"learning_rate_init": [0.001, 0.1], "alpha": [0.0, 100.0]}
    network = MLPClassifier(5, max_iter=5, random_state=0, early_stopping=True)
    found = GridSearchCV(network, grid, cv=3, scoring="neg_log_loss").fit(X / X.std(axis=0), Y)
    display = LearningRateDisplay.from_estimator(found)

    scores = found.cv_results_["mean_test_score"].reshape(2, 2)  # alpha changes most slowly
    np.testing.assert_allclose(display.line_.get_ydata(), scores.max(axis=0))
    assert display.n_epochs is None
    assert display.ax_.get_ylabel() == "neg log loss"


def test_the_display_refuses_what_it_cannot_draw(search):
    with pytest.raises(NotFittedError):
        LearningRateDisplay.from_estimator(GridSearchCV(MLPClassifier(), {}))
    other = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [1.0]}, cv=2).fit(X, Y)
    with pytest.raises(ValueError, match=r"over one parameter 'learning_rate_init'.*param_C"):
        LearningRateDisplay.from_estimator(other)
    with pytest.raises(ValueError, match="'std_display_style' parameter"):
        LearningRateDisplay.from_estimator(search, std_display_style="stars")


@pytest.mark.parametrize("wrong", [MLPClassifier(), make_pipe(), LogisticRegression(), None])
def test_the_display_says_that_it_needs_a_search(wrong):
    message = (
        r"needs a fitted search over 'learning_rate_init', such as LearningRateSearchCV\. "
        f"Got {type(wrong).__name__} instead"
    )
    with pytest.raises(TypeError, match=message) as error:
        LearningRateDisplay.from_estimator(wrong)
    assert "lr_find_" not in str(error.value)


def test_the_display_names_lr_find_to_a_network_that_found_its_rate():
    network = MLPClassifier(3, max_iter=1, learning_rate_init="auto", random_state=0)
    network.fit(X / X.std(axis=0), Y)
    with pytest.raises(TypeError, match=r"Got MLPClassifier instead.*lr_find_"):
        LearningRateDisplay.from_estimator(network)
