import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.model_selection import neg_training_cost, per_watt_hour
from sknn.model_selection.cost import COSTS

X, Y = load_iris(return_X_y=True)
NETWORK = sknn.MLPClassifier((5,), max_iter=3, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_score_is_divided_by_watt_hours():
    net = NETWORK.fit(X, Y)
    joules = net.training_report_.energy_joules

    assert per_watt_hour("accuracy")(net, X, Y) == net.score(X, Y) / (joules / 3600)
    assert per_watt_hour()(net, X, Y) == net.score(X, Y) / (joules / 3600)


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_is_a_score_with_a_minus(name):
    net = NETWORK.fit(X, Y)

    assert neg_training_cost(name)(net, X, Y) == -net.training_report_.to_dict()[name]


def test_several_networks_cost_their_sum():
    model = BaggingClassifier(NETWORK, 3, random_state=0).fit(X, Y)
    flops = [net.training_report_.flops for net in model.estimators_]

    assert neg_training_cost("flops")(model, X, Y) == -sum(flops)


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_they_are_columns_of_a_search(in_lockstep):
    scoring = {
        "accuracy": "accuracy",
        "accuracy_per_wh": per_watt_hour("accuracy"),
        "flops": neg_training_cost("flops"),
    }
    grid = {"mlpclassifier__hidden_layer_sizes": [(5,), (20,)]}
    pipeline = make_pipeline(StandardScaler(), NETWORK)
    cls = sknn.model_selection.GridSearchCV if in_lockstep else GridSearchCV
    search = cls(pipeline, grid, scoring=scoring, refit="accuracy", cv=2, error_score="raise")
    results = search.fit(X, Y).cv_results_

    assert (results["mean_test_accuracy_per_wh"] > 0).all()
    small, large = results["mean_test_flops"]
    assert 0 > small > large


def test_scorers_can_be_pickled_and_say_what_they_are():
    for scorer in (per_watt_hour("accuracy"), neg_training_cost("flops")):
        assert repr(pickle.loads(pickle.dumps(scorer))) == repr(scorer)
    assert repr(per_watt_hour("accuracy")) == "per_watt_hour('accuracy')"


def test_what_holds_no_network_has_no_cost():
    with pytest.raises(ValueError, match="LogisticRegression holds no fitted estimator of sknn"):
        per_watt_hour()(LogisticRegression().fit(X, Y), X, Y)


def test_a_trimmed_network_has_no_energy():
    net = NETWORK.fit(X, Y).trim()
    with pytest.raises(ValueError, match=r"MLPClassifier has no energy_joules: trim"):
        per_watt_hour()(net, X, Y)
    assert np.isfinite(neg_training_cost("flops")(net, X, Y))


def test_an_unknown_cost_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of 'n_epochs'.*got 'money'"):
        neg_training_cost("money")


def test_of_a_negative_score_waste_would_be_better():
    net = NETWORK.fit(X, Y)
    with pytest.raises(ValueError, match=r"a score of at least 0; 'neg_log_loss' gave -"):
        per_watt_hour("neg_log_loss")(net, X, Y)


def test_without_energy_there_is_no_quotient(monkeypatch):
    net = NETWORK.fit(X, Y)
    net._state.spent = net._state.spent._replace(joules=0.0)
    with pytest.raises(ValueError, match=r"use sknn.metering\('estimate'\)"):
        per_watt_hour()(net, X, Y)
