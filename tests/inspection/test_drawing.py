import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknn import MLPClassifier
from sknn.inspection.drawing import input_names, network_of, shorten


def test_a_name_that_a_step_gives_is_that_of_the_input():
    numbers = pd.DataFrame({"a": np.arange(8.0)})
    double = FunctionTransformer(
        lambda frame: np.concatenate([frame, frame], axis=1),
        feature_names_out=lambda step, names: [*names, f"{names[0]} again"],
    )
    model = make_pipeline(StandardScaler(), double, MLPClassifier((), solver="lbfgs"))
    network, before = network_of(model.fit(numbers, numbers["a"] > 3), "NetworkDisplay")

    assert input_names(network, before) == ["a", "a again"]


def test_a_search_that_has_kept_no_estimator_says_what_to_do():
    search = GridSearchCV(MLPClassifier((), solver="lbfgs"), {"alpha": [1.0]}, cv=2, refit=False)
    X = np.arange(8.0).reshape(-1, 1)
    with pytest.raises(NotFittedError, match="no best_estimator_: fit it, with refit=True"):
        network_of(search.fit(X, X[:, 0] % 2), "NetworkDisplay")


def test_texts_are_shortened_only_if_they_are_too_long():
    assert shorten("abcde", 5) == "abcde"
    assert shorten("abcdef", 5) == "abcd…"
    assert shorten(123456, 5) == "1234…"
