import inspect
import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn.model_selection as original
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression

import sknn
import sknn.model_selection as ours
from sknn.model_selection import tools
from sknn.parallel import LockstepBackend

X, Y = load_iris(return_X_y=True)
GRID = {"learning_rate_init": [0.001, 0.01], "alpha": [0.0, 1.0]}
RANGE = {"param_name": "learning_rate_init", "param_range": [0.001, 0.01], "cv": 3}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SEARCHES = [
    ("GridSearchCV", {"param_grid": GRID, "cv": 3}),
    ("RandomizedSearchCV", {"param_distributions": GRID, "n_iter": 3, "random_state": 0, "cv": 3}),
    ("HalvingGridSearchCV", {"param_grid": GRID, "cv": 3, "random_state": 0}),
    (
        "HalvingRandomSearchCV",
        {"param_distributions": GRID, "cv": 3, "random_state": 0, "n_candidates": 4},
    ),
]
FUNCTIONS = [
    ("cross_validate", {"cv": 3}),
    ("cross_val_score", {"cv": 3}),
    ("cross_val_predict", {"cv": 3}),
    ("learning_curve", {"cv": 3, "train_sizes": [0.5, 1.0]}),
    ("permutation_test_score", {"cv": 3, "n_permutations": 3, "random_state": 0}),
    ("validation_curve", RANGE),
]


def make_network():
    return sknn.MLPClassifier(4, max_iter=4, random_state=0)


def assert_equal(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            if "time" not in key and key != "params":
                assert_equal(one[key], other[key])
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        np.testing.assert_array_equal(one, other)


def test_every_public_name_of_scikit_learn_is_here():
    assert set(original.__all__) - set(ours.__all__) == set()
    assert set(ours.__all__) - set(original.__all__) == {
        "LearningRateDisplay",
        "LearningRateSearchCV",
        "neg_training_cost",
        "per_watt_hour",
    }


@pytest.mark.parametrize(("name", "options"), SEARCHES)
def test_searches_train_stacks_and_give_the_same_answers(name, options, stack_sizes):
    expected = getattr(original, name)(make_network(), **options).fit(X, Y)
    assert set(stack_sizes) == {1}
    search = getattr(ours, name)(make_network(), **options).fit(X, Y)

    assert max(stack_sizes) > 1
    assert_equal(search.cv_results_, expected.cv_results_)
    assert search.best_params_ == expected.best_params_
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))


@pytest.mark.parametrize(("name", "options"), FUNCTIONS)
def test_functions_train_stacks_and_give_the_same_answers(name, options, stack_sizes):
    expected = getattr(original, name)(make_network(), X, Y, **options)
    assert set(stack_sizes) == {1}
    results = getattr(ours, name)(make_network(), X, Y, **options)

    assert max(stack_sizes) > 1
    assert_equal(results, expected)


@pytest.mark.parametrize(
    ("name", "options"), [("LearningCurveDisplay", {"cv": 3}), ("ValidationCurveDisplay", RANGE)]
)
def test_displays_train_stacks(name, options, stack_sizes):
    display = getattr(ours, name).from_estimator(make_network(), X, Y, **options)

    assert max(stack_sizes) > 1
    assert isinstance(display, getattr(original, name))


def test_thresholds_are_tuned_on_stacks(stack_sizes):
    tuned = ours.TunedThresholdClassifierCV(make_network(), cv=3).fit(X[:100], Y[:100])
    expected = original.TunedThresholdClassifierCV(make_network(), cv=3).fit(X[:100], Y[:100])

    assert max(stack_sizes) > 1
    assert tuned.best_threshold_ == expected.best_threshold_


@pytest.mark.parametrize("name", [name for name, _ in SEARCHES])
def test_signatures_are_scikit_learns(name):
    one, other = getattr(ours, name), getattr(original, name)

    assert str(inspect.signature(one)) == str(inspect.signature(other))
    assert list(inspect.signature(one.fit).parameters) == ["self", "X", "y", "params"]


WRAPPED = [name for name in ours.__all__ if getattr(ours, name).__module__ == tools.__name__]


def parameters_of(value):
    """Return what the documentation says of each parameter."""
    sections = NumpyDocString(inspect.getdoc(value))
    return {item.name: " ".join(item.desc) for item in sections["Parameters"]}


@pytest.mark.parametrize("name", WRAPPED)
def test_parameters_are_documented_in_scikit_learns_words(name):
    one, other = (parameters_of(getattr(module, name)) for module in (ours, original))

    assert list(one) == list(other) == list(inspect.signature(getattr(ours, name)).parameters)
    assert "n_jobs" not in one or one["n_jobs"].startswith(
        "Workers among which the fits are shared"
    )
    for parameter, text in one.items():
        assert (
            parameter == "n_jobs" or text.split() == tools._without_links(other[parameter]).split()
        ), parameter


@pytest.mark.parametrize("name", WRAPPED)
def test_documentation_says_whose_versions_it_means_and_has_no_link_that_leads_nowhere(name):
    text = getattr(ours, name).__doc__

    assert ":ref:" not in text
    assert ":term:" not in text
    assert "Glossary" not in text
    assert "User Guide" not in text
    assert re.findall(r"(?:version\w+|deprecated):: (?!scikit-learn-\d)", text) == []


def test_links_of_scikit_learn_become_words():
    text = """By :ref:`folds <search>`, a :term:`splitter` and :ref:`scoring`, as
    :class:`KFold` does, or :class:`~sklearn.svm.SVC`. See :term:`Glossary <cv>` for
    more details. Based on``train_sizes``.

    Refer :ref:`User Guide <search>` for more.

    See :ref:`an_example.py`

    Last.

    .. versionchanged:: 1.6
        More.

    .. deprecated:: v0.20
    """

    assert " ".join(tools._without_links(text).split()) == (
        "By folds, a splitter and scikit-learn's user guide, as ``KFold`` "
        "does, or :class:`~sklearn.svm.SVC`. Based on ``train_sizes``. Last. "
        ".. versionchanged:: scikit-learn-1.6 More. "
        ".. deprecated:: scikit-learn-0.20"
    )


def test_without_docstrings_there_are_none():
    code = "import sknn.model_selection as ours; print(ours.GridSearchCV.__doc__)"
    run = [sys.executable, "-OO", "-c", code]

    assert subprocess.check_output(run, text=True).strip() == "None"


@pytest.mark.parametrize("name", [name for name, _ in FUNCTIONS])
def test_functions_keep_name_and_signature(name):
    one, other = getattr(ours, name), getattr(original, name)

    assert one.__name__ == other.__name__
    assert str(inspect.signature(one)) == str(inspect.signature(other))


def test_a_search_can_be_cloned_pickled_and_shown():
    search = ours.GridSearchCV(make_network(), GRID, cv=3, n_jobs=1)
    fitted = pickle.loads(pickle.dumps(clone(search).fit(X, Y)))

    assert repr(search).startswith("GridSearchCV(")
    assert "MLPClassifier" in search._repr_html_()
    assert fitted.score(X, Y) == fitted.best_estimator_.score(X, Y)


class Witness(LogisticRegression):
    """Tells the backend that it is fitted in."""

    def fit(self, X, y):
        self.backend_ = joblib.parallel.get_active_backend()[0]
        self.thread_workers_ = getattr(self.backend_, "_workers", None)
        return super().fit(X, y)


def witness(**options):
    results = ours.cross_validate(Witness(), X, Y, cv=3, return_estimator=True, **options)
    return [fitted.backend_ for fitted in results["estimator"]]


def test_n_jobs_and_the_ambient_backend_rule_the_workers(monkeypatch):
    made = []
    init = LockstepBackend.__init__

    def note(self, memory="256MB", workers=None, *args, **kwargs):
        made.append(workers and (workers[0], type(workers[1]).__name__))
        init(self, memory, workers, *args, **kwargs)

    monkeypatch.setattr(LockstepBackend, "__init__", note)
    assert all(isinstance(backend, LockstepBackend) for backend in witness())
    assert set(made) == {None}
    made.clear()
    with joblib.parallel_config(backend="threading", n_jobs=2):
        witness()
    assert (2, "ThreadingBackend") in made
    made.clear()
    with joblib.parallel_config(backend="threading"):
        witness(n_jobs=3)
    assert (3, "ThreadingBackend") in made


def test_an_outer_lockstep_context_stays_in_charge(stack_sizes):
    with sknn.lockstep(memory=1):
        ours.cross_validate(make_network(), X, Y, cv=3, n_jobs=2)

    assert stack_sizes == [1, 1, 1]


@pytest.mark.parametrize("n_jobs", ["many", 1.5, 0])
def test_a_wrong_n_jobs_is_refused_as_by_scikit_learn(n_jobs):
    messages = []
    for module in (original, ours):
        search = module.GridSearchCV(make_network(), GRID, n_jobs=n_jobs)
        with pytest.raises(ValueError, match="n_jobs") as error:
            search.fit(X, Y)
        messages.append((type(error.value), str(error.value)))

    assert messages[0] == messages[1]
