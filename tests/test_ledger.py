import threading
import time
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import sknn
from sknn import energy
from sknn.ledger import NOTHING, Aside, Laps, Spent, TrainingReport
from sknn.solvers.cost import epoch_operations, validation_operations

X, Y = load_digits(return_X_y=True)
X = X[:230] / 16
Y = Y[:230]
KEYS = [
    "n_epochs", "n_steps", "n_samples_seen", "seconds", "cpu_seconds", "flops", "peak_bytes",
    "energy_joules", "energy_source",
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(X=X, y=Y, **parameters):
    settings = {"hidden_layer_sizes": (7,), "batch_size": 50, "max_iter": 3, "random_state": 0}
    return sknn.MLPClassifier(**settings | parameters).fit(X, y)


# Counts.


def test_the_operations_of_a_fit_are_those_counted_by_hand():
    """64-7-10 units, relu, log loss and adam: 4 batches of 50 rows and one of 30, 3 times."""
    n, n_parameters, n_weights = 230, 64 * 7 + 7 + 7 * 10 + 10, 64 * 7 + 7 * 10
    products = 2 * (3 * (64 * 7 + 7 * 10) - 64 * 7)  # forward, to the weights, to the input
    intercepts = 2 * (7 + 10)  # added, and their gradients summed
    relu = 2 + 1  # with its slope, and times it going back
    loss = 19 * 10 + 11
    each_step = 4 * n_weights + 16 * n_parameters  # the penalty is added; adam
    norms = 2 * 2 * n_parameters  # for the history, of a full batch and of the last
    expected = n * (products + intercepts + 7 * relu + loss) + 5 * each_step + norms

    assert fit().training_report_.flops == pytest.approx(3 * expected, rel=0.01)


def test_epochs_steps_and_samples_are_counted():
    report = fit().training_report_

    assert (report.n_epochs, report.n_steps, report.n_samples_seen) == (3, 15, 690)


def test_validation_is_counted():
    X_val, y_val = X[:40], Y[:40]
    net = sknn.MLPClassifier((7,), batch_size=50, max_iter=3, random_state=0)
    alone = net.fit(X, Y).training_report_.flops
    together = net.fit(X, Y, X_val=X_val, y_val=y_val).training_report_.flops

    cost = validation_operations(net._network, net._targets.loss, 40)
    assert together - alone == 3 * cost


def test_more_calls_add_up_and_a_new_fit_begins_anew():
    net = fit(max_iter=2)
    two = net.training_report_.flops
    three = net.partial_fit(X, Y).training_report_

    assert (three.n_epochs, three.flops) == (3, two * 3 // 2)
    assert net.fit(X, Y).training_report_.flops == two


def test_a_warm_start_adds_to_what_was_spent():
    net = fit(max_iter=2, warm_start=True)
    net.fit(X, Y)

    assert net.training_report_.n_epochs == 4


def test_the_range_test_is_counted():
    found, alone = fit(learning_rate_init="auto"), fit()

    assert found.training_report_.flops > 20 * alone.training_report_.flops


def test_lbfgs_counts_its_evaluations():
    report = fit(solver="lbfgs").training_report_
    net = fit(solver="lbfgs", max_iter=1)

    assert report.n_epochs == report.n_steps == 3
    assert report.n_samples_seen % len(X) == 0
    per_sample = report.flops / report.n_samples_seen
    assert net.training_report_.flops / net.training_report_.n_samples_seen == per_sample


def test_a_network_trained_anew_on_all_samples_has_spent_both():
    options = {"early_stopping": True, "max_iter": 6}
    first, both = fit(**options), fit(**options, refit_full=True)

    assert both.training_report_.flops > 1.5 * first.training_report_.flops


# A budget of operations.


@pytest.mark.parametrize("solver", ["adam", "sgd", "muon"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.35, 0.5, 0.9])
def test_training_ends_with_the_step_that_reaches_the_budget(solver, share):
    whole = fit(solver=solver)
    budget = share * whole.training_report_.flops
    cut = fit(solver=solver, max_flops=budget)

    costs = Steps(cut)
    spent = cut.training_report_
    assert spent.flops >= budget
    assert spent.flops - costs.of_last_step - costs.beside < budget
    assert spent.n_steps == cut._state.n_steps
    assert cut.t_ == spent.n_samples_seen


class Steps:
    """What the last step of a fit has cost, and what an epoch costs beside its steps."""

    def __init__(self, net):
        order = net._state.history
        self.of_last_step = net.training_report_.flops / net.training_report_.n_steps * 1.6
        self.beside = 4 * net._network.layout.size
        assert len(order) == net.n_iter_


def test_the_steps_before_the_budget_ends_are_those_of_any_fit():
    """A budget that ends with an epoch leaves the network of that epoch."""
    two, budget = fit(max_iter=2), None
    budget = two.training_report_.flops
    cut = fit(max_iter=50, max_flops=budget)

    assert cut.n_iter_ == 2
    np.testing.assert_array_equal(cut.coefs_[0], two.coefs_[0])


def test_a_part_of_an_epoch_is_its_first_steps():
    """Without shuffling the first 100 rows are what two steps of 50 see."""
    per_step = fit(shuffle=False).training_report_.flops / 15
    cut = fit(shuffle=False, max_flops=1.5 * per_step)
    few = sknn.MLPClassifier((7,), batch_size=50, max_iter=1, shuffle=False, random_state=0)
    few.partial_fit(X[:100], Y[:100], classes=np.unique(Y))

    assert cut.training_report_.n_steps == 2
    np.testing.assert_array_equal(cut.coefs_[0], few.coefs_[0])
    assert cut.loss_ == few.loss_


def test_in_a_search_each_fit_has_its_own_budget():
    budget = 0.4 * fit(max_iter=10).training_report_.flops
    grid = {"alpha": [1e-4, 0.1], "max_flops": [budget, budget / 3]}
    net = sknn.MLPClassifier((7,), batch_size=50, max_iter=10, random_state=0)
    outside = GridSearchCV(net, grid, cv=3).fit(X, Y)
    with sknn.lockstep():
        inside = GridSearchCV(net, grid, cv=3).fit(X, Y)

    for i in range(3):
        key = f"split{i}_test_score"
        np.testing.assert_array_equal(inside.cv_results_[key], outside.cv_results_[key])
    assert inside.best_estimator_.n_iter_ < 10


def test_lbfgs_ends_with_the_iteration_that_reaches_the_budget():
    whole = fit(solver="lbfgs", max_iter=20).training_report_
    cut = fit(solver="lbfgs", max_iter=20, max_flops=whole.flops / 2).training_report_

    assert whole.flops / 2 <= cut.flops < 0.8 * whole.flops


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_what_cannot_be_trained_anew_on_all_samples_stays_as_it_was_found(solver):
    options = {"early_stopping": True, "max_iter": 20, "n_iter_no_change": 20, "solver": solver}
    first = fit(**options)
    budget = 1.2 * first.training_report_.flops
    with pytest.warns(UserWarning, match=r"max_flops=.* leave too few operations for \d+ epochs"):
        found = fit(**options, refit_full=True, max_flops=budget)

    np.testing.assert_array_equal(found.coefs_[0], first.coefs_[0])
    assert found.training_report_.flops <= budget


def test_a_budget_for_both_is_used_for_both():
    options = {"early_stopping": True, "max_iter": 6, "refit_full": True}
    whole = fit(**options)
    found = fit(**options, max_flops=1.1 * whole.training_report_.flops)

    np.testing.assert_array_equal(found.coefs_[0], whole.coefs_[0])


def test_the_range_test_is_part_of_the_budget():
    whole = fit(learning_rate_init="auto", max_iter=30).training_report_.flops
    alone = fit(max_iter=30).training_report_.flops
    cut = fit(learning_rate_init="auto", max_iter=30, max_flops=whole - 0.5 * alone)

    assert cut.n_iter_ < 30
    assert whole - 0.5 * alone <= cut.training_report_.flops < whole
    with pytest.raises(ValueError, match=r"max_flops=1000 are fewer than the .* range test"):
        fit(learning_rate_init="auto", max_flops=1000)


@pytest.mark.parametrize("budget", [0, -1.0, "much", float("nan")])
def test_a_budget_is_positive(budget):
    with pytest.raises(ValueError, match="max_flops"):
        fit(max_flops=budget)


# Time.


def test_seconds_are_about_those_of_the_clock():
    begin = time.perf_counter()
    net = fit(max_iter=60, hidden_layer_sizes=(100,))
    seconds = time.perf_counter() - begin

    assert 0.5 * seconds < net.training_report_.seconds <= seconds
    assert net.training_report_.cpu_seconds > 0


def test_fits_that_are_trained_together_share_the_time():
    net = sknn.MLPClassifier((30,), max_iter=40, random_state=0)
    grid = {"alpha": np.logspace(-5, 1, 12).tolist()}
    fitted = []

    def note(net, X, y):
        fitted.append(net.training_report_.seconds)
        return 0.0

    begin = time.perf_counter()
    with sknn.lockstep():
        GridSearchCV(net, grid, cv=2, scoring=note, refit=False).fit(X, Y)
    seconds = time.perf_counter() - begin

    assert len(fitted) == 24
    assert sum(fitted) <= seconds


def test_laps_follow_each_other():
    laps = Laps(time.process_time)
    first, second = laps.lap(), laps.end()

    assert first.seconds >= 0
    assert second.cpu_seconds >= 0
    assert first.source == second.source == energy.current_meter().source


def test_what_is_done_aside_adds_up_also_after_an_error():
    aside = Aside()
    with aside.measured():
        time.sleep(0.001)
    first = aside.spent.seconds
    with pytest.raises(KeyError), aside.measured():
        raise KeyError

    assert 0.001 <= first < aside.spent.seconds


# Memory.


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hidden_layer_sizes": (300, 300)},
        {"hidden_layer_sizes": (40,) * 12},
        {"solver": "lbfgs", "hidden_layer_sizes": (50,)},
        {"solver": "lbfgs", "hidden_layer_sizes": (400,)},
        {"learning_rate_init": "auto", "hidden_layer_sizes": (200,)},
    ],
    ids=str,
)
def test_the_memory_is_about_what_is_allocated(parameters):
    fit(**parameters)
    tracemalloc.start()
    rows, labels = X.repeat(8, 0), Y.repeat(8)
    net = fit(rows, labels, **parameters)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.6 < net.training_report_.peak_bytes / peak < 1.5


def test_sparse_rows_need_the_memory_of_their_entries():
    rows = sp.random(2000, 3000, 0.002, format="csr", random_state=0)
    labels = np.arange(2000) % 3
    fit(rows, labels)
    tracemalloc.start()
    net = fit(rows.copy(), labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.5 < net.training_report_.peak_bytes / peak < 1.5


# The report.


def test_sources_of_energy_that_are_added_up_are_all_named():
    with sknn.metering("estimate", watts_per_core=5):
        net = fit()
    with sknn.metering("estimate", watts_per_core=6):
        net.partial_fit(X, Y)
        net.partial_fit(X, Y)

    assert net.training_report_.energy_source == (
        "estimated: 5 W for each busy core; estimated: 6 W for each busy core"
    )
    assert net.trim().training_report_.energy_source == ""


def test_equal_reports_are_equal():
    net = fit()

    assert net.training_report_ == net.training_report_
    assert net.training_report_ != fit(max_iter=2).training_report_


def test_two_threads_count_their_own_time():
    """Beside each other they have as much of it together as the process has used."""
    reports = []

    def run():
        net = fit(max_iter=60, hidden_layer_sizes=(60,), tol=0, n_iter_no_change=99)
        reports.append(net.training_report_)

    threads = [threading.Thread(target=run) for _ in range(3)]
    begin = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = time.process_time() - begin

    assert sum(report.cpu_seconds for report in reports) <= 1.05 * used


def test_a_report_has_these_keys():
    report = fit().training_report_

    assert list(report.to_dict()) == KEYS
    assert {type(value) for value in report.to_dict().values()} == {int, float, str}


def test_a_report_says_what_it_holds():
    spent = Spent(3, 15, 690, 12_345_678, 1.5, 2.5, 4200.0, 7_300_000, "guessed & said")
    report = TrainingReport(spent)

    assert repr(report) == (
        "TrainingReport(epochs 3, steps 15, samples seen 690, operations 12.3 M, memory 7.3 MB, "
        "seconds 1.5 (2.5 of CPU), energy 4.2 kJ (guessed & said))"
    )
    assert "<td>4.2 kJ (guessed &amp; said)</td>" in report._repr_html_()


def test_trimmed_fits_have_counts_but_no_times():
    report = fit().trim().training_report_

    assert report.flops == fit().training_report_.flops
    assert (report.seconds, report.cpu_seconds, report.energy_joules) == (None, None, None)
    assert "seconds" not in repr(report)


def test_an_unfitted_estimator_has_no_report():
    with pytest.raises(ValueError, match="not fitted"):
        sknn.MLPClassifier().training_report_  # noqa: B018


def test_an_ensemble_reports_all_its_networks():
    model = sknn.TabularMLPClassifier("fast", max_iter=2, random_state=0).fit(X, Y % 2)
    report = model.training_report_

    n_networks = sum(len(kind.members) for kind in model.members_)
    assert report.n_epochs == 2 * n_networks
    assert report.flops == sum(kind.spent.operations for kind in model.members_)
    assert list(report.to_dict()) == KEYS
    assert report.seconds > 0


def test_a_further_fit_of_an_ensemble_adds_to_its_report():
    model = sknn.TabularMLPClassifier("fast", max_iter=2, random_state=0, warm_start=True)
    once = model.fit(X[:90], Y[:90] % 2).training_report_
    twice = model.fit(X[:90], Y[:90] % 2).training_report_

    assert twice.n_epochs == 2 * once.n_epochs
    assert twice.seconds > once.seconds


def test_what_was_spent_adds_up():
    one = Spent(1, 2, 3, 4, 0.5, 0.25, 8.0, 100, "here")
    other = Spent(1, 1, 1, 1, 1.0, 1.0, 1.0, 50, "")

    assert one.plus(other) == Spent(2, 3, 4, 5, 1.5, 1.25, 9.0, 100, "here")
    assert NOTHING.plus(one) == one
    assert one.with_share(0.5) == one._replace(seconds=0.25, cpu_seconds=0.125, joules=4.0)


def test_epochs_cost_what_the_engine_says():
    """The ledger adds up what :mod:`sknn.solvers.cost` says of an epoch."""
    net, seen = fit(max_iter=1), []
    from sknn.solvers import model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "Costs", Watched(model.Costs, seen))
        net = fit(max_iter=1)

    [problem] = seen
    assert net.training_report_.flops == epoch_operations(problem, 50, 230)


class Watched:
    """Notes the problems whose costs are asked for."""

    def __init__(self, costs, seen):
        self.costs, self.seen = costs, seen

    def of(self, problem, *args):
        self.seen.append(problem)
        return self.costs.of(problem, *args)
