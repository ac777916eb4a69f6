"""What workers do: the same, wherever and however often it is done."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score

from sknn.dask.tasks import (
    Judgement,
    Round,
    carry,
    find_gradient,
    judge,
    local_solver,
    take_steps,
    with_share_of_penalty,
    without_penalty,
)
from tests.dask.rows import CODES, LABELS, NUMBERS, WEIGHT, X, classifier, lazy, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def tasks_of(inline):
    """Return the tasks of a function in a fit: shard, local, state, about."""

    def tasks(function, estimator=regressor, y=NUMBERS, weight=None, **parameters):
        inline.tasks.clear()
        weight = None if weight is None else lazy(weight)
        net = estimator(**parameters).fit(lazy(X), lazy(y), weight)
        return net, inline.arguments_of(function)

    return tasks


def about(**changes):
    numbers = {
        "seed": 3,
        "epoch": 0,
        "first": 0,
        "n_steps": 1,
        "t": 0,
        "rates": 0.1,
        "decay_levels": 1.0,
        "noise_levels": 1.0,
    }
    return Round(**(numbers | changes))


# Which rows.


def test_the_rounds_of_an_epoch_visit_each_row_once(tasks_of):
    _, tasks = tasks_of(take_steps, batch_size=12, sync_every=2, early_stopping=True)

    for number in range(3):
        mine = [task for task in tasks if task[0].number == number]
        for epoch in range(3):
            visited = [
                local_about.rows(shard, local.solver.batch_size)
                for shard, local, _, local_about in mine
                if local_about.epoch == epoch
            ]
            assert len(visited) == 3
            assert [len(rows) for rows in visited] == [8, 8, 2]
            assert_array_equal(np.sort(np.concatenate(visited)), mine[0][0].train)


def test_orders_differ_between_epochs_and_shards_and_repeat(tasks_of):
    def orders():
        _, tasks = tasks_of(take_steps, batch_size=60)
        return [tuple(round_.rows(shard, 60)) for shard, _, _, round_ in tasks]

    first = orders()
    assert len(first) == len(set(first)) == 9
    assert orders() == first


def test_without_shuffling_rows_keep_their_order(tasks_of):
    _, [(shard, *_), *_] = tasks_of(take_steps, batch_size=60)

    assert_array_equal(about(seed=None, first=1, n_steps=2).rows(shard, 3), np.arange(3, 9))


# Steps.


@pytest.mark.parametrize("function", [take_steps, find_gradient])
def test_a_task_gives_the_same_whenever_it_is_done_and_changes_nothing(tasks_of, function):
    sync_every = 1 if function is find_gradient else 2
    settings = {"dropout": 0.5, "augmentation": "gaussian_noise", "weight_averaging": "ema"}
    _, tasks = tasks_of(function, sync_every=sync_every, batch_size=12, **settings)

    for task in tasks[-3:]:
        before = pickle.dumps(task)
        one, other = function(*task), function(*task)
        assert pickle.dumps(task) == before
        assert_array_equal(one.state.theta, other.state.theta)
        assert one.state.moments.keys() == other.state.moments.keys()
        assert one[1:4] == other[1:4]


def test_a_step_of_gradient_descent_goes_down_the_gradient(tasks_of):
    settings = {"solver": "sgd", "momentum": 0.0, "batch_size": 30, "alpha": 0.0}
    _, [task, *_] = tasks_of(take_steps, sync_every=2, **settings)
    shard, local, state, _ = task
    one = about(rates=0.25)

    made = take_steps(shard, local, state, one)

    gradient = find_gradient(shard, local, state, one)
    assert made.n_rows == gradient.n_rows == 10
    assert_allclose(made.state.theta, state.theta - 0.25 * gradient.state.theta / 10)
    assert_allclose(made.loss, gradient.loss)
    assert_allclose(made.grad_norm, np.linalg.norm(gradient.state.theta / 10))


def test_the_sum_of_the_gradients_of_parts_is_that_of_the_whole(tasks_of):
    _, tasks = tasks_of(find_gradient, sync_every=1, batch_size=60, weight=WEIGHT)
    _, [whole, *_] = tasks_of(find_gradient, sync_every=1, n_shards=1, batch_size=60, weight=WEIGHT)

    parts = [find_gradient(*task) for task in tasks[:3]]
    found = find_gradient(*whole)
    assert_allclose(sum(part.state.theta for part in parts), found.state.theta, rtol=1e-9)
    assert_allclose(sum(part.loss for part in parts), found.loss)
    assert sum(part.n_rows for part in parts) == found.n_rows == 60


def test_a_weight_of_two_is_a_row_twice(tasks_of):
    _, [(shard, local, state, _), *_] = tasks_of(find_gradient, sync_every=1, batch_size=60)
    weight = np.ones(len(shard.X))
    weight[:4] = 2
    twice = [*range(len(shard.X)), 0, 1, 2, 3]
    weighted = type(shard)(**(vars(shard) | {"weight": weight}))
    doubled = type(shard)(**(vars(shard) | {"X": shard.X[twice], "y": shard.y[twice]}))
    local = type(local)(**(vars(local) | {"solver": local.solver.changed(batch_size=99)}))

    one = find_gradient(weighted, local, state, about())
    other = find_gradient(doubled, local, state, about())

    assert_allclose(one.state.theta, other.state.theta, rtol=1e-9, atol=1e-12)
    assert_allclose(one.loss, other.loss)
    assert one.weight == other.weight == 24


def test_rows_without_weight_pull_nowhere(tasks_of):
    _, [(shard, local, state, _), *_] = tasks_of(find_gradient, sync_every=1, batch_size=60)
    nothing = type(shard)(**(vars(shard) | {"weight": np.zeros(len(shard.X))}))

    found = find_gradient(nothing, local, state, about())

    assert (found.weight, found.loss) == (0, 0)
    assert not found.state.theta.any()


@pytest.mark.parametrize("function", [take_steps, find_gradient])
@pytest.mark.parametrize("noise", [{"dropout": 0.5}, {"augmentation": "gaussian_noise"}])
def test_random_changes_differ_between_shards_and_rounds_and_repeat(tasks_of, function, noise):
    _, [(shard, local, state, _), *_] = tasks_of(
        function, sync_every=1 if function is find_gradient else 2, batch_size=60, **noise
    )
    local = type(local)(**(vars(local) | {"solver": local.solver.changed(batch_size=10)}))

    def run(number, first, epoch):
        other = type(shard)(**(vars(shard) | {"number": number}))
        round_ = about(seed=None, first=first, epoch=epoch)
        rows = type(other)(**(vars(other) | {"X": same_rows(other.X), "y": same_rows(other.y)}))
        return tuple(function(rows, local, state, round_).state.theta)

    found = {run(*place) for place in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}
    assert len(found) == 4
    assert run(1, 0, 0) in found


def same_rows(array):
    """Return an array whose first and second ten rows are equal."""
    return np.concatenate([array[:10], array[:10]])


# How a shard is trained on.


def test_the_penalty_is_shared_by_the_rows_of_a_whole_batch(tasks_of):
    _, [(_, local, *_), *_] = tasks_of(take_steps, batch_size=60, alpha=0.5)

    assert local.objective.alpha == pytest.approx(0.5 / 3)
    assert with_share_of_penalty(local.objective, 0.5).alpha == pytest.approx(0.25 / 3)
    assert without_penalty(local.objective).alpha == 0


def test_a_shard_keeps_its_rows_in_order_and_does_nothing_beside():
    solver = classifier(on_divergence="recover", max_time=3)._recipe_for(3, 60).solver

    local = local_solver(solver, 7)

    assert (local.batch_size, local.shuffle, local.recovers, local.max_time) == (
        7,
        False,
        False,
        None,
    )


def test_what_is_carried_stays_the_same():
    value = object()

    assert carry(value) is value


# Judging.


def judged(tasks_of, estimator, y, weight=None, **parameters):
    """Return the sum over shards of their judgements, the network, and all held-out rows."""
    net, tasks = tasks_of(
        judge, estimator, y, weight, early_stopping=True, validation_fraction=0.3, **parameters
    )
    parts = [judge(*task) for task in tasks[-3:]]
    whole = parts[0].plus(parts[1]).plus(parts[2])
    shards = [task[0] for task in tasks[-3:]]
    rows = [shard.number + 3 * shard.held_out for shard in shards]
    return net, whole, np.concatenate(rows)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("y", [NUMBERS, np.c_[NUMBERS, X[:, 0] ** 2 + 1e4]], ids=["one", "two"])
def test_r2_adds_up_over_shards(tasks_of, y, weight):
    net, whole, rows = judged(tasks_of, regressor, y, weight)

    net.max_iter = 1
    weights = None if weight is None else weight[rows]
    expected = r2_score(y[rows], net.predict(X[rows]), sample_weight=weights)
    # The last judgement is that of the last epoch; the best one may be an earlier one.
    assert net.validation_scores_[-1] == pytest.approx(whole.r2(), rel=1e-9)
    if net.best_validation_score_ == net.validation_scores_[-1]:
        assert whole.r2() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("y", [CODES, LABELS], ids=["classes", "labels"])
def test_accuracy_adds_up_over_shards(tasks_of, y, weight):
    # The network stays as good as it is, so the first epoch, too, has these parameters.
    net, whole, rows = judged(tasks_of, classifier, y, weight, learning_rate_init=1e-12)

    weights = None if weight is None else weight[rows]
    expected = accuracy_score(y[rows], net.predict(X[rows]), sample_weight=weights)
    assert whole.accuracy() == pytest.approx(expected)
    assert net.validation_scores_ == pytest.approx([expected] * 3)


def test_constant_targets_are_judged_as_scikit_learn_does():
    zero, one = np.zeros(1), np.ones(1)

    assert Judgement(4, 0, 0, residual=zero, deviation=zero, square=zero).r2() == 1
    assert Judgement(4, 0, 0, residual=one, deviation=zero, square=zero).r2() == 0


def test_the_score_of_what_has_diverged_is_no_number():
    nothing = np.full(1, np.nan)

    assert np.isnan(Judgement(4, 0, 0, residual=nothing, deviation=nothing, square=nothing).r2())
