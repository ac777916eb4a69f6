from dataclasses import replace

import numpy as np
import pytest
from sklearn.utils import shuffle

from sknn.samples import as_samples
from sknn.solvers.batches import Rows
from sknn.solvers.model import Model, arrange
from tests.solvers.problems import make_problem


def make_rows(rng, rows=None):
    return Rows(as_samples(np.zeros((11, 2))), np.zeros((11, 1)), None, rows, rng)


def test_draws_are_those_of_scikit_learns_shuffle():
    rows, reference = make_rows(np.random.RandomState(4)), np.random.RandomState(4)
    expected = np.arange(11)
    for _ in range(3):
        rows.shuffle()
        expected = shuffle(expected, random_state=reference)
        np.testing.assert_array_equal(rows.order, expected)


def test_without_a_random_state_the_order_stays():
    rows = make_rows(None)
    rows.shuffle()

    np.testing.assert_array_equal(rows.order, np.arange(11))


def test_the_callers_rows_are_left_as_they_are():
    chosen = np.array([7, 2, 5])
    rows = make_rows(np.random.RandomState(0), chosen)
    rows.shuffle()

    np.testing.assert_array_equal(chosen, [7, 2, 5])
    assert set(rows.order) == {7, 2, 5}


def make_model(seed=0, data=0, **options):
    problem = make_problem(seed=data, **options)
    problem = replace(problem, rng=np.random.RandomState(seed))
    return Model(problem)


def test_models_with_equal_samples_and_draws_share_rows_and_stand_together():
    models = [make_model(), make_model(data=1), make_model(), make_model(data=1), make_model()]
    arranged = arrange(models)

    assert models[0].rows is models[2].rows is models[4].rows
    assert models[1].rows is models[3].rows is not models[0].rows
    assert arranged == [models[m] for m in (0, 2, 4, 1, 3)]


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 1},
        {"data": 1},
        {"n_samples": 49},
        {"rows": np.arange(10)},
        {"is_weighted": True},
        {"shuffle": False},
    ],
)
def test_models_that_differ_have_rows_of_their_own(options):
    models = [make_model(), make_model(**options)]
    arrange(models)

    assert models[0].rows is not models[1].rows


def test_models_with_the_same_random_state_object_draw_in_turns():
    models = [make_model(), make_model()]
    shared = replace(models[1].problem, rng=models[0].problem.rng)
    models = [Model(models[0].problem), Model(shared)]
    arrange(models)

    assert models[0].rows is not models[1].rows


def test_models_of_fewer_samples_come_first():
    models = [make_model(n_samples=n) for n in (50, 48, 50, 49)]

    assert [model.rows.order.size for model in arrange(models)] == [48, 49, 50, 50]
