import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier
from sknn.inspection import LossCurveDisplay

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_wine(return_X_y=True)
X = scale(X)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_draws_the_columns_of_the_history():
    model = MLPClassifier((5,), early_stopping=True, max_iter=30, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)

    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), range(1, model.n_iter_ + 1))
        np.testing.assert_array_equal(line.get_ydata(), model.history_[name])
    assert set(display.lines_) == {"loss", "val_loss", "val_score"}
    assert display.best_epoch == np.argmax(model.validation_scores_) + 1
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[-1] == f"best: epoch {display.best_epoch}"
    assert display.ax_.get_xlabel() == "Epoch"


def test_leaves_out_what_there_is_not():
    model = MLPClassifier((5,), max_iter=5).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)

    assert set(display.lines_) == {"loss"}
    assert display.score_ax_ is None
    assert display.best_line_ is None


def test_recorded_scores_have_no_best_epoch():
    model = MLPClassifier((5,), max_iter=5).fit(X, Y, X_val=X, y_val=Y)
    display = LossCurveDisplay.from_estimator(model, log_scale=True, line_kw={"linewidth": 3})

    assert display.best_line_ is None
    assert display.ax_.get_yscale() == "log"
    assert {line.get_linewidth() for line in display.lines_.values()} == {3}


def test_draws_into_given_axes_and_the_end_of_a_pipeline():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    model = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5)).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model, ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is figure


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match="got LogisticRegression"):
        LossCurveDisplay.from_estimator(LogisticRegression().fit(X, Y))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(MLPClassifier())
