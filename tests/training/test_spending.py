import numpy as np
import pytest

import sknn
from sknn.solvers import Stochastic
from sknn.training.spending import cost_on_all_rows, validation_cost

X = np.random.default_rng(0).standard_normal((100, 4))
Y = (X[:, 0] > 0).astype(int)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_without_samples_to_validate_on_there_is_nothing_to_pay():
    assert validation_cost(None, None, None, None) == 0


def fit(**parameters):
    return sknn.MLPClassifier((5,), random_state=0, batch_size=20, **parameters).fit(X, Y)


def test_epochs_on_all_rows_cost_what_a_fit_of_as_many_does(monkeypatch):
    problems, minimize = [], Stochastic.minimize

    def note(self, given):
        problems.extend(given)
        return minimize(self, given)

    monkeypatch.setattr(Stochastic, "minimize", note)
    fit(max_iter=2, early_stopping=True)

    expected = fit(max_iter=7).training_report_.flops
    assert cost_on_all_rows(problems[0], 7) == expected


def test_a_scorer_of_ones_own_predicts_once_more():
    costs = []
    for scoring in ("loss", None, "accuracy"):
        net = fit(max_iter=1, early_stopping=True, scoring=scoring)
        costs.append(net.training_report_.flops)

    assert costs[0] < costs[1] < costs[2]
