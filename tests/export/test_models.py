import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.export.models import best_of, formula_of, is_table_model, single_of
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from tests.export.running import IRIS, SPECIES, classifier, evaluate, fit, fitted, regressor


def test_the_raw_scores_are_those_of_the_network():
    network = fitted("words")
    found = evaluate(formula_of(network).raw, IRIS)

    np.testing.assert_allclose(found, network._predict_raw(IRIS).T, rtol=1e-13)


@pytest.mark.parametrize("estimator", [classifier(), regressor(), TabularMLPRegressor()])
def test_what_is_not_fitted_has_no_formula(estimator):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        formula_of(estimator)


@pytest.mark.parametrize("estimator", [LogisticRegression(), TableEncoder(), None, "relu"])
def test_other_estimators_have_no_formula(estimator):
    message = rf"{type(estimator).__name__} cannot be exported: pass a fitted estimator of sknn"
    with pytest.raises(ValueError, match=message):
        formula_of(estimator)


def test_ensembles_for_tables_are_told_from_others():
    assert is_table_model(TabularMLPClassifier())
    assert not is_table_model(classifier())


def test_of_a_search_its_best_estimator_counts():
    search = GridSearchCV(classifier(), {"alpha": [0.1]}, cv=2)
    with pytest.raises(NotFittedError, match="GridSearchCV has no best_estimator_: fit it"):
        best_of(search)
    fit(GridSearchCV(search, {"cv": [2]}, cv=2), IRIS, SPECIES)
    nested = fit(GridSearchCV(search, {"cv": [2]}, cv=2), IRIS, SPECIES)

    assert best_of(nested) is nested.best_estimator_.best_estimator_
    assert single_of(nested, "to_python") is best_of(nested)


def test_of_a_pipeline_the_last_step_has_to_be_exported():
    pipeline = make_pipeline(StandardScaler(), classifier())
    message = (
        r"to_python cannot express the steps of a Pipeline before 'mlpclassifier' "
        r"\(MLPClassifier\): export its last step alone, to_python\(pipeline\[-1\]\)"
    )
    with pytest.raises(ValueError, match=message):
        single_of(pipeline, "to_python")
