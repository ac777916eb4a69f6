"""scikit-learn's callbacks (1.9 and later) on searches in the context."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has it since 1.9")

X, Y = load_iris(return_X_y=True)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorder:
    """Notes what happens, in order."""

    max_propagation_depth = 1

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append(("setup", type(estimator).__name__))

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.estimator_name, context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.estimator_name, context.task_name, context.task_id))

    def teardown(self, estimator, context):
        self.events.append(("teardown", type(estimator).__name__))


def make_search():
    pipe = make_pipeline(StandardScaler(), sknn.MLPClassifier(4, max_iter=3, random_state=0))
    return GridSearchCV(pipe, {"mlpclassifier__alpha": [0.0, 1.0]}, cv=3)


def test_fits_with_callbacks_share_a_stack_and_report_the_same_tasks(stack_sizes):
    outside, inside = Recorder(), Recorder()
    expected = make_search().set_callbacks(outside).fit(X, Y)
    stack_sizes.clear()
    with sknn.lockstep():
        search = make_search().set_callbacks(inside).fit(X, Y)

    assert stack_sizes == [6, 1]
    assert inside.events[0] == outside.events[0] == ("setup", "GridSearchCV")
    assert inside.events[-1] == outside.events[-1] == ("teardown", "GridSearchCV")
    # The tasks are the same; that they begin before others end is the point of the context.
    assert sorted(map(str, inside.events)) == sorted(map(str, outside.events))
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("depth", [0, 1])
def test_the_progress_bar_works(depth, capsys, stack_sizes):
    pytest.importorskip("rich", reason="scikit-learn's ProgressBar draws with rich")
    bar = callback.ProgressBar(max_propagation_depth=depth)
    with sknn.lockstep():
        make_search().set_callbacks(bar).fit(X, Y)

    assert stack_sizes == [6, 1]
    shown = capsys.readouterr().out
    assert "GridSearchCV - fit" in shown
    assert "100%" in shown


def test_verbose_searches_print_what_they_print_outside(capsys):
    def lines():
        text = capsys.readouterr().out
        return [line for line in text.splitlines() if not line.startswith("[Parallel")]

    def search():
        network = sknn.MLPClassifier(4, max_iter=3, random_state=0)
        distributions = {"alpha": [0.0, 1.0]}
        RandomizedSearchCV(network, distributions, n_iter=2, cv=2, random_state=0, verbose=3).fit(
            X, Y
        )

    def without_times(printed):
        return [line.split("total time")[0].rstrip(" .") for line in printed]

    search()
    outside = without_times(lines())
    with sknn.lockstep():
        search()

    assert without_times(lines()) == outside
    assert len(outside) == 5
