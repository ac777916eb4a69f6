from dataclasses import replace

import numpy as np
import pytest

from sknn.solvers import HISTORY
from sknn.solvers.stopping import Epoch, Monitor
from tests.solvers.problems import make_problem


def make_monitor(scores=None, tol=0.1, patience=2, target=None, keeps_incoming=False):
    """Return a monitor whose validation scores are given in advance."""
    problem = make_problem()
    if scores is not None:
        scores = iter(scores)
        problem = replace(problem, validate=lambda theta: (next(scores), 0.5), stops_early=True)
    problem = replace(problem, keeps_incoming=keeps_incoming)
    return Monitor(problem, tol, patience, target, None)


def run(monitor, losses):
    """Return the reasons of epochs with the given losses; theta is the epoch's number."""
    thetas = [np.full(3, float(i)) for i in range(len(losses))]
    epochs = [Epoch(loss, 0.01) for loss in losses]
    return [monitor.end_epoch(e, t) for e, t in zip(epochs, thetas, strict=True)]


def test_stops_after_more_than_n_epochs_without_improvement():
    reasons = run(make_monitor(), [1.0, 0.95, 0.93, 0.91])

    assert reasons == [None, None, None, "plateau"]


def test_an_improvement_by_more_than_tol_starts_the_count_anew():
    monitor = make_monitor()

    assert run(monitor, [1.0, 0.95, 0.93, 0.5, 0.45, 0.44]) == [None] * 6
    assert monitor.state.best_loss == 0.44


def test_with_a_score_the_loss_does_not_count():
    monitor = make_monitor(scores=[0.5, 0.55, 0.52, 0.51])

    assert run(monitor, [4.0, 3, 2, 1]) == [None, None, None, "plateau"]
    monitor.finish()
    np.testing.assert_array_equal(monitor.state.theta, [1, 1, 1])
    assert monitor.state.best_score == 0.55


def test_the_best_is_that_of_the_current_call():
    monitor = make_monitor(scores=[0.2, 0.3])
    monitor.state.best_score = 0.9
    monitor = Monitor(monitor.problem, 0.1, 2, None, None)
    run(monitor, [1.0, 1.0])

    assert monitor.state.best_score == 0.3


def test_incoming_parameters_may_be_the_best():
    monitor = make_monitor(scores=[0.7, 0.2, 0.3], keeps_incoming=True)
    incoming = monitor.state.theta.copy()
    run(monitor, [1.0, 1.0])
    monitor.finish()

    np.testing.assert_array_equal(monitor.state.theta, incoming)
    assert monitor.state.best_score == 0.7
    assert monitor.state.validation_scores == [0.2, 0.3]


def test_a_score_that_is_not_a_number_is_never_the_best():
    monitor = make_monitor(scores=[0.4, np.nan])
    run(monitor, [1.0, 1.0])

    assert monitor.state.best_score == 0.4


def test_target_loss_ends_the_training():
    assert run(make_monitor(target=0.5), [1.0, 0.7, 0.5]) == [None, None, "target"]


def test_divergence_ends_the_training_and_names_the_epoch():
    monitor = make_monitor()
    reason = monitor.end_epoch(Epoch(1.0), np.zeros(3))
    diverged = monitor.end_epoch(Epoch(np.nan), np.full(3, np.nan))

    assert (reason, diverged) == (None, "diverged")
    assert monitor.state.first_bad_epoch == 2


def test_an_infinite_loss_with_finite_parameters_goes_on():
    assert make_monitor().end_epoch(Epoch(np.inf), np.zeros(3)) is None


def test_messages_are_scikit_learns(capsys):
    monitor = make_monitor(scores=[0.5])
    monitor.problem = replace(monitor.problem, verbose=True)
    run(monitor, [0.25])

    assert capsys.readouterr().out == (
        "Iteration 1, loss = 0.25000000\nValidation score: 0.500000\n"
    )
    assert monitor.plateau_message() == (
        "Validation score did not improve more than tol=0.100000 for 2 consecutive epochs."
    )


@pytest.mark.parametrize("has_score", [False, True])
def test_history_has_a_row_an_epoch(has_score):
    monitor = make_monitor(scores=[0.1, 0.2] if has_score else None)
    run(monitor, [3.0, 2.0])
    history = dict(zip(HISTORY, np.transpose(monitor.state.history), strict=True))

    np.testing.assert_array_equal(history["loss"], [3, 2])
    np.testing.assert_array_equal(history["val_score"], [0.1, 0.2] if has_score else [np.nan] * 2)
    np.testing.assert_array_equal(history["val_loss"], [0.5 if has_score else np.nan] * 2)
    np.testing.assert_array_equal(history["learning_rate"], [0.01, 0.01])
