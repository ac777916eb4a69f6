import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from sknn.activations import ACTIVATIONS
from sknn.initializers import INITIALIZERS, GlorotUniform, is_pair_of_lists

NORMAL = {"he": 2.0, "lecun": 1.0, "data": 1.0}
names = pytest.mark.parametrize("name", INITIALIZERS)


def draw(name, n_in, n_out, factor=6.0, seed=0):
    return INITIALIZERS.resolve(name).draw(np.random.RandomState(seed), n_in, n_out, factor)


def test_these_are_there():
    assert set(INITIALIZERS) >= {"auto", "glorot", "he", "lecun", "orthogonal", "data"}


def test_bounds_are_glorots():
    rng = np.random.RandomState(0)
    coef, intercept = GlorotUniform().draw(rng, 30, 20, factor=6.0)
    bound = np.sqrt(6 / 50)

    assert coef.shape == (30, 20)
    assert intercept.shape == (20,)
    assert np.abs(coef).max() <= bound
    assert np.abs(coef).max() > 0.99 * bound


def test_weights_are_drawn_before_intercepts():
    coef, intercept = GlorotUniform().draw(np.random.RandomState(3), 2, 2, factor=2.0)
    rng, bound = np.random.RandomState(3), np.sqrt(2 / 4)

    np.testing.assert_array_equal(coef, rng.uniform(-bound, bound, (2, 2)))
    np.testing.assert_array_equal(intercept, rng.uniform(-bound, bound, 2))


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_auto_is_scikit_learns(activation):
    # A rate of almost nothing leaves its network as it was drawn.
    options = {"hidden_layer_sizes": (3, 5), "activation": activation, "random_state": 7}
    options |= {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}
    X, y = np.arange(40.0).reshape(10, 4), np.arange(20.0).reshape(10, 2)
    with pytest.warns(ConvergenceWarning):
        theirs = MLPRegressor(**options).fit(X, y)
    rng, factor = np.random.RandomState(7), ACTIVATIONS[activation].glorot_factor

    for coef, intercept in zip(theirs.coefs_, theirs.intercepts_, strict=True):
        ours = INITIALIZERS.resolve("auto").draw(rng, *coef.shape, factor)
        np.testing.assert_array_equal(ours[0], coef)
        np.testing.assert_array_equal(ours[1], intercept)


@names
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (7, 3), (3, 7), (5, 5)])
def test_shapes_fit_and_draws_can_be_repeated(name, n_in, n_out):
    coef, intercept = draw(name, n_in, n_out)
    again, _ = draw(name, n_in, n_out)
    other, _ = draw(name, n_in, n_out, seed=2)

    assert coef.shape == (n_in, n_out)
    assert intercept.shape == (n_out,)
    np.testing.assert_array_equal(coef, again)
    assert np.any(coef != other)


@names
def test_only_scikit_learns_intercepts_are_drawn(name):
    _, intercept = draw(name, 30, 20)

    assert np.any(intercept != 0) == (name == "auto")


@names
def test_only_auto_heeds_the_activation(name):
    coef, _ = draw(name, 30, 20, factor=6.0)
    other, _ = draw(name, 30, 20, factor=2.0)

    assert np.any(coef != other) == (name == "auto")


def test_glorots_weights_are_uniform_up_to_their_bound():
    coef, _ = draw("glorot", 200, 100, factor=2.0)
    bound = np.sqrt(6 / 300)

    assert 0.999 * bound < np.abs(coef).max() <= bound
    np.testing.assert_allclose(coef.var(), bound**2 / 3, rtol=0.03)
    shares = np.histogram(coef, bins=10, range=(-bound, bound))[0] / coef.size
    np.testing.assert_allclose(shares, 0.1, atol=0.01)


@pytest.mark.parametrize("name", NORMAL)
@pytest.mark.parametrize(("n_in", "n_out"), [(50, 400), (400, 50)])
def test_normal_weights_have_the_variance_of_their_rule(name, n_in, n_out):
    coef, _ = draw(name, n_in, n_out)
    normal = coef / np.sqrt(NORMAL[name] / n_in)

    # Of n = 20,000 normal numbers the mean has the deviation 0.007, the variance 0.01, and the
    # fourth moment 0.07.
    np.testing.assert_allclose(normal.mean(), 0, atol=0.03)
    np.testing.assert_allclose(normal.var(), 1, atol=0.04)
    np.testing.assert_allclose((normal**4).mean(), 3, atol=0.3)


@pytest.mark.parametrize(("n_in", "n_out"), [(20, 20), (30, 12), (12, 30), (1, 8), (8, 1)])
def test_orthogonal_weights_are_orthonormal(n_in, n_out):
    coef, _ = draw("orthogonal", n_in, n_out)
    narrow = coef if n_in >= n_out else coef.T

    np.testing.assert_allclose(narrow.T @ narrow, np.eye(min(n_in, n_out)), atol=1e-13)


def test_orthogonal_weights_point_anywhere():
    signs = [draw("orthogonal", 3, 3, seed=seed)[0].ravel() > 0 for seed in range(400)]
    determinants = [np.linalg.det(draw("orthogonal", 3, 3, seed=seed)[0]) for seed in range(400)]

    # Without the correction of signs some elements would have only one.
    np.testing.assert_allclose(np.mean(signs, axis=0), 0.5, atol=0.1)
    np.testing.assert_allclose(np.mean(np.array(determinants) > 0), 0.5, atol=0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (([1], [2]), True),
        ([[1], (2,)], True),
        (("he", "he"), False),
        ("he", False),
        (([1],), False),
        (([1], [2], [3]), False),
        (None, False),
    ],
)
def test_a_pair_of_lists_is_known(value, expected):
    assert is_pair_of_lists(value) == expected


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"Unknown initializer 'hee'.*'he'"):
        INITIALIZERS.resolve("hee")


def test_only_what_is_driven_by_data_adapts():
    assert [name for name in INITIALIZERS if INITIALIZERS[name].adapts] == ["data"]
