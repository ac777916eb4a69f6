"""What is trained on: encoded targets; those that were given are for splitters and scorers."""

from dataclasses import replace

import numpy as np
import pytest

from sknn import MLPRegressor
from sknn.estimators.settings import make_recipe
from sknn.losses import SquaredError
from sknn.samples import as_samples
from sknn.targets import Numbers, TargetSettings
from sknn.training import HeldOut, Order, TrainingSet, train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = X[:, :1] - X[:, 1:2] ** 2
WEIGHT = RNG.random(40)


class Unread:
    """Targets that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} of the labels has been asked for")


def train_on(data, **parameters):
    network = MLPRegressor((4,), max_iter=4, random_state=0, **parameters)
    targets = Numbers.learn(Y, TargetSettings(loss=SquaredError()))
    return train(Order(recipe=make_recipe(network), targets=targets, data=data))


def test_training_reads_the_encoded_targets_alone():
    data = TrainingSet(as_samples(X), Y, Unread(), WEIGHT)
    trained = train_on(data)

    np.testing.assert_array_equal(trained.theta(), train_on(replace(data, labels=Y)).theta())


def test_samples_that_are_given_to_validate_on_are_read_encoded_too():
    held_out = HeldOut(samples=as_samples(X[:9]), y=Y[:9], labels=Unread())
    trained = train_on(TrainingSet(as_samples(X), Y, Unread(), held_out=held_out))
    scores = trained.state.validation_scores

    residual = trained.raw_scores(X[:9])[0] - Y[:9, 0]
    assert scores[-1] == pytest.approx(1 - np.mean(residual**2) / Y[:9].var())


@pytest.mark.parametrize("is_held_out", [False, True])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_training_leaves_the_data_as_they_are(is_held_out, solver):
    held_out = HeldOut(samples=as_samples(X[:9]), y=Y[:9], labels=Y[:9], given_weight=WEIGHT[:9])
    arrays = [array.copy() for array in (X, Y, WEIGHT)]
    data = TrainingSet(
        as_samples(arrays[0]), arrays[1], Y, arrays[2], held_out=held_out if is_held_out else None
    )
    train_on(data, solver=solver, early_stopping=True)

    for array, expected in zip(arrays, (X, Y, WEIGHT), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert held_out.sample_weight is None  # what it weighs in a training is that training's
