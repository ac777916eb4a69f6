"""skops dumps, loads and shows what we have, with our list of types to trust and no other."""

import copy

import numpy as np
import pytest
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    LearningRateSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sknn.optimizers import AdamW
from sknn.persistence import TRUSTED_TYPES
from sknn.schedules import Cosine, Warmup
from tests.persistence.models import CODES, MODELS, NUMBERS, X, answer, fitted, same, train
from tests.test_plain import CASES

skops = pytest.importorskip("skops.io", reason="make test-clients runs them where skops is")

# JSON, in which skops keeps dicts, has no tuples as keys.
STORED = [name for name in MODELS if name != "names that are numbers"]


def there_and_back(model, *more):
    content = skops.dumps(model)
    assert {*skops.get_untrusted_types(data=content)} <= {*TRUSTED_TYPES, *more}
    return skops.loads(content, trusted=[*TRUSTED_TYPES, *more])


@pytest.mark.parametrize("name", STORED)
def test_every_fitted_model_answers_the_same(name):
    model = fitted(name)
    again = there_and_back(model)

    assert same(answer(name, again), answer(name, model))


def test_a_fitted_network_needs_trust_for_its_own_class_only():
    for name in ("labels: str", "loss: gaussian", "classifier", "encoder"):
        kind = type(fitted(name))
        needed = skops.get_untrusted_types(data=skops.dumps(fitted(name)))
        assert needed == [f"{kind.__module__}.{kind.__name__}"]


@pytest.mark.parametrize("name", ["labels: int", "loss: quantile", "solver: sgd, float32"])
def test_networks_go_on_to_the_same_bits(name):
    _, X, y = MODELS[name]
    model = copy.deepcopy(fitted(name))
    again = there_and_back(model)
    for each in (model, again):
        each.partial_fit(X, y)

    assert same(again.coefs_, model.coefs_)
    assert same(again.loss_curve_, model.loss_curve_)


def test_every_component_is_stored():
    for case in CASES:
        assert repr(there_and_back(case)) == repr(case)


def test_what_users_choose_is_stored():
    rate = Warmup(Cosine(), 2)
    model = train(MLPRegressor(solver=AdamW(0.8), learning_rate=rate, **NUMBERS), X, X[:, 0])
    again = there_and_back(model)

    assert repr(again) == repr(model)
    assert same(again.predict(X), model.predict(X))


def test_trimmed_models_are_smaller():
    model = train(MLPClassifier((100, 100), max_iter=1, random_state=0), X, CODES)
    again = there_and_back(model.trim())

    assert len(skops.dumps(model.trim())) < 0.6 * len(skops.dumps(model))
    assert same(again.predict_proba(X), model.predict_proba(X))


NETWORK = MLPClassifier(**NUMBERS)
GRID = {"alpha": [0.0, 0.1]}
SCORERS = "sklearn.metrics._ranking.roc_auc_score"
SEARCHES = {
    "learning rate": (LearningRateSearchCV(NETWORK, n_rates=2, cv=2), []),
    "learning rate in a pipeline": (
        LearningRateSearchCV(make_pipeline(StandardScaler(), NETWORK), n_rates=2, cv=KFold(2)),
        [],
    ),
    "grid": (GridSearchCV(NETWORK, GRID, cv=KFold(2)), []),
    "grid that scores": (GridSearchCV(NETWORK, GRID, cv=2, scoring="roc_auc"), [SCORERS]),
    "random": (RandomizedSearchCV(NETWORK, GRID, n_iter=1, cv=2, random_state=0), []),
    "halving": (
        HalvingGridSearchCV(
            NETWORK, GRID, cv=2, resource="max_iter", max_resources=2, min_resources=1
        ),
        [],
    ),
    "threshold": (
        TunedThresholdClassifierCV(NETWORK, cv=2),
        ["sklearn.metrics._classification.balanced_accuracy_score"],
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_are_stored_with_what_they_score_by(name):
    search, more = SEARCHES[name]
    search = train(search, X, CODES > 0)
    again = there_and_back(search, *more)

    assert same(again.predict(X), search.predict(X))
    if hasattr(search, "cv_results_"):
        scores = [each.cv_results_["mean_test_score"] for each in (again, search)]
        np.testing.assert_array_equal(*scores)
    if hasattr(search, "range_test_"):
        assert again.range_test_.equals(search.range_test_)


def test_pipelines_are_stored():
    pipeline = train(make_pipeline(StandardScaler(), NETWORK), X, CODES)

    assert same(there_and_back(pipeline).predict_proba(X), pipeline.predict_proba(X))


@pytest.mark.parametrize(
    "name", ["labels: str", "range test", "random state", "classifier", "encoder"]
)
def test_files_can_be_looked_into(name, capsys):
    skops.visualize(skops.dumps(fitted(name)), trusted=TRUSTED_TYPES)

    printed = capsys.readouterr().out
    assert type(fitted(name)).__name__ in printed
    assert "UNSAFE" not in printed


def test_a_search_can_be_looked_into(capsys):
    search = train(SEARCHES["learning rate"][0], X, CODES > 0)
    skops.visualize(skops.dumps(search), trusted=TRUSTED_TYPES)

    assert "LearningRateSearchCV" in capsys.readouterr().out


def test_without_trust_nothing_is_loaded():
    with pytest.raises(TypeError, match="MLPClassifier"):
        skops.loads(skops.dumps(fitted("labels: int")))
