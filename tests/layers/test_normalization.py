import numpy as np
import pytest

from sknn._component import stack
from sknn.activations import ReLU
from sknn.architecture import build_layers
from sknn.layers import BatchNorm, LayerNorm, Share, Site, Team, meet
from sknn.network import Network
from sknn.operations import Cost
from tests.gradcheck import check_gradient

LAYERS = [BatchNorm(), LayerNorm()]
layers = pytest.mark.parametrize("layer", LAYERS, ids=["batch", "layer"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# What torch 2.13's BatchNorm1d and LayerNorm make of sines and cosines, in float64.
TORCH_MEANS = [
    [-0.0031730142, 0.0170163329],
    [0.0754975601, 0.0034413851],
    [0.1407481902, 0.143214791],
]
TORCH_VARIANCES = [
    [0.949120588, 0.9654444399],
    [1.4205049817, 1.4123733012],
    [1.2856563745, 1.2776262494],
]
TORCH_BATCH = {
    "out": [
        [2.1117918943, 1.6250283713],
        [0.1992150757, 0.9736990273],
        [-1.5610069701, 0.4012726014],
    ],
    "gradient": [
        [1.2143500744, -1.0432132611],
        [-2.531324092, 2.2300342989],
        [1.3169740176, -1.1868210378],
    ],
    "scale": [2.0444526888, -0.387811427],
    "intercept": [-0.0697904574, -0.1660280053],
    "predicted": [[0.7252543285, 1.5057014821]],
}
TORCH_LAYER = {
    "out": [
        [0.645630531, 0.4644123508, -3.6698579716],
        [0.9429633015, 1.6942591389, 0.853085487],
    ],
    "gradient": [
        [7.2117460457, -4.790737261, -2.4210087847],
        [-2.327939366, 0.4671712171, 1.8607681489],
    ],
    "scale": [-0.1935986253, 1.4863545985, 0.818351614],
    "shift": [0.0100075034, -0.113341315, -0.1324846511],
}


def make_parameters(layer, n_units, dtype=np.float64, rng=None):
    """Return parameters and gradients; drawn at random, or as training begins with."""
    parameters = {name: np.zeros(p.shape, dtype) for name, p in layer.parameters(n_units).items()}
    layer.initialize(parameters, None, None)
    if rng is not None:
        for name in ("scale", "intercept", "shift"):
            if name in parameters:
                parameters[name][...] = rng.standard_normal(n_units)
    return parameters, {name: np.zeros_like(array) for name, array in parameters.items()}


def step(layer, x, parameters, gradients, grad=None):
    """Run a forward pass on a copy of x, and a backward one; return output and gradient."""
    x = x.copy()
    bound = layer.bind(
        Site(x, parameters, gradients, Share.alone(np.empty((x.shape[-2], 0), np.uint64)))
    )
    grad = np.ones_like(x) if grad is None else grad.copy()
    backward, gradient = bound.backward(grad)
    for call in bound.forward:
        call()
    out = bound.out.copy()
    for call in backward:
        call()
    return out, gradient


def test_batch_normalisation_is_torchs_step_for_step():
    batches = [
        np.sin(np.arange(8.0)).reshape(4, 2),
        np.cos(2 * np.arange(8.0)).reshape(4, 2) * 3,
        np.sin(3 * np.arange(6.0)).reshape(3, 2) + 1,
    ]
    layer = BatchNorm()
    parameters, gradients = make_parameters(layer, 2)
    parameters["scale"][...], parameters["intercept"][...] = [1.5, -0.5], [0.25, 1]
    for x, mean, variance in zip(batches, TORCH_MEANS, TORCH_VARIANCES, strict=True):
        grad = np.cos(np.arange(float(x.size))).reshape(x.shape)
        out, gradient = step(layer, x, parameters, gradients, grad)
        np.testing.assert_allclose(parameters["mean"], mean, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(parameters["variance"], variance, rtol=1e-8)

    close = {"rtol": 1e-8, "atol": 1e-9}
    np.testing.assert_allclose(out, TORCH_BATCH["out"], **close)
    np.testing.assert_allclose(gradient, TORCH_BATCH["gradient"], **close)
    np.testing.assert_allclose(gradients["scale"], TORCH_BATCH["scale"], **close)
    np.testing.assert_allclose(gradients["intercept"], TORCH_BATCH["intercept"], **close)
    predicted = layer.apply(np.array([[0.5, -1.0]]), parameters)
    np.testing.assert_allclose(predicted, TORCH_BATCH["predicted"], **close)


def test_layer_normalisation_is_torchs():
    layer, x = LayerNorm(), np.sin(3 * np.arange(6.0)).reshape(2, 3)
    parameters, gradients = make_parameters(layer, 3)
    parameters["scale"][...], parameters["shift"][...] = [1.5, -0.5, 2], [0.25, 1, -1]
    grad = np.cos(np.arange(6.0)).reshape(2, 3)
    out, gradient = step(layer, x, parameters, gradients, grad)

    close = {"rtol": 1e-8, "atol": 1e-9}
    np.testing.assert_allclose(out, TORCH_LAYER["out"], **close)
    np.testing.assert_allclose(layer.apply(x.copy(), parameters), TORCH_LAYER["out"], **close)
    np.testing.assert_allclose(gradient, TORCH_LAYER["gradient"], **close)
    np.testing.assert_allclose(gradients["scale"], TORCH_LAYER["scale"], **close)
    np.testing.assert_allclose(gradients["shift"], TORCH_LAYER["shift"], **close)


def test_training_normalises_with_the_statistics_of_the_batch():
    rng = np.random.default_rng(0)
    x = 5 + 3 * rng.standard_normal((40, 6))
    out, _ = step(BatchNorm(), x, *make_parameters(BatchNorm(), 6))

    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)


def test_each_sample_is_normalised_by_itself():
    rng = np.random.default_rng(0)
    x = 5 + 3 * rng.standard_normal((40, 6))
    out, _ = step(LayerNorm(), x, *make_parameters(LayerNorm(), 6))

    expected = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)


@dtypes
def test_running_statistics_follow_the_batches(dtype):
    rng = np.random.default_rng(0)
    layer = BatchNorm()
    parameters, gradients = make_parameters(layer, 3, dtype)
    mean, variance = np.zeros(3), np.ones(3)
    for n in (20, 20, 2, 7, 1, 20):
        x = rng.normal(2, 3, (n, 3)).astype(dtype)
        step(layer, x, parameters, gradients)
        exact = x.astype(np.float64)
        mean = 0.9 * mean + 0.1 * exact.mean(axis=0)
        if n > 1:
            variance = 0.9 * variance + 0.1 * exact.var(axis=0, ddof=1)

    rtol = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(parameters["mean"], mean, rtol=rtol)
    np.testing.assert_allclose(parameters["variance"], variance, rtol=rtol)
    assert parameters["mean"].dtype == parameters["variance"].dtype == dtype


def test_a_batch_of_one_row_changes_no_variance_and_passes_no_gradient():
    rng = np.random.default_rng(0)
    layer = BatchNorm()
    parameters, gradients = make_parameters(layer, 3, rng=rng)
    out, gradient = step(layer, np.full((1, 3), 7.0), parameters, gradients)

    np.testing.assert_array_equal(parameters["variance"], 1)
    np.testing.assert_allclose(parameters["mean"], 0.7)
    np.testing.assert_array_equal(out[0], parameters["intercept"])
    np.testing.assert_array_equal(gradient, 0)


def test_prediction_uses_the_running_statistics_and_leaves_them():
    rng = np.random.default_rng(0)
    layer = BatchNorm()
    parameters, _ = make_parameters(layer, 3, rng=rng)
    parameters["mean"][...], parameters["variance"][...] = [1, 2, 3], [4, 9, 16]
    before = {name: array.copy() for name, array in parameters.items()}
    x = rng.standard_normal((5, 3))

    expected = (x - [1, 2, 3]) / np.sqrt(np.array([4, 9, 16]) + 1e-5)
    expected = expected * parameters["scale"] + parameters["intercept"]
    np.testing.assert_allclose(layer.apply(x.copy(), parameters), expected, rtol=1e-12)
    for name, array in before.items():
        np.testing.assert_array_equal(parameters[name], array)


@layers
def test_parameters_begin_as_those_that_change_nothing(layer):
    parameters, _ = make_parameters(layer, 4)

    for name, array in parameters.items():
        np.testing.assert_array_equal(array, 1.0 if name in ("scale", "variance") else 0.0)


@layers
@pytest.mark.parametrize("what", ["input", "scale", "intercept or shift"])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_gradients_are_numeric_derivatives(layer, what, n):
    rng = np.random.default_rng(0)
    x, grad = rng.standard_normal((2, n, 4))
    parameters, gradients = make_parameters(layer, 4, rng=rng)
    name = "input" if what == "input" else next(k for k in what.split(" or ") if k in parameters)

    def value_and_grad(values):
        here = x if name != "input" else values
        if name != "input":
            parameters[name][...] = values
        out, gradient = step(layer, here, parameters, gradients, grad)
        return (out * grad).sum(), (gradient if name == "input" else gradients[name]).copy()

    check_gradient(value_and_grad, x if name == "input" else parameters[name].copy(), rng)


@layers
@dtypes
def test_a_stack_is_its_models(layer, dtype):
    rng = np.random.default_rng(0)
    x, grad = rng.standard_normal((2, 3, 17, 5)).astype(dtype)
    singles = [make_parameters(layer, 5, dtype, rng) for _ in range(3)]
    parameters, gradients = (
        {name: np.stack([single[i][name] for single in singles]) for name in singles[0][i]}
        for i in (0, 1)
    )
    out, gradient = step(stack([layer] * 3, 2), x, parameters, gradients, grad)

    for m, (own, own_gradients) in enumerate(singles):
        single_out, single_gradient = step(layer, x[m], own, own_gradients, grad[m])
        np.testing.assert_array_equal(out[m], single_out)
        np.testing.assert_array_equal(gradient[m], single_gradient)
        for name in own:
            np.testing.assert_array_equal(parameters[name][m], own[name])
            np.testing.assert_array_equal(gradients[name][m], own_gradients[name])


@layers
@dtypes
def test_the_dtype_is_kept_and_constant_input_stays_finite(layer, dtype):
    parameters, gradients = make_parameters(layer, 4, dtype)
    x = np.full((6, 4), 3, dtype)
    out, gradient = step(layer, x, parameters, gradients)
    applied = layer.apply(x.copy(), parameters)

    assert out.dtype == gradient.dtype == applied.dtype == dtype
    for array in (out, gradient, applied, *parameters.values(), *gradients.values()):
        assert np.isfinite(array).all()


def test_statistics_have_no_gradient_and_come_last():
    network = Network(build_layers([3], [ReLU()], 2, normalization="batch"), 4)
    theta = np.arange(float(network.layout.size))
    views = network.layout.views(theta)

    np.testing.assert_array_equal(
        np.concatenate([views[1]["mean"], views[1]["variance"]]), theta[-6:]
    )
    assert network.layout.n_trained == network.layout.size - 6
    parameters, gradients = make_parameters(BatchNorm(), 3)
    step(BatchNorm(), np.random.default_rng(0).standard_normal((5, 3)), parameters, gradients)
    assert np.all(gradients["intercept"] != 0)
    np.testing.assert_array_equal([gradients["mean"], gradients["variance"]], 0)


@pytest.mark.parametrize("sizes", [(5, 4), (1, 8), (3, 3, 3)])
def test_workers_that_share_the_rows_normalize_over_all_of_them(sizes):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 9, 4))
    names = ("scale", "intercept", "mean", "variance")
    parameters = {name: rng.random(4) + 0.5 for name in names}

    def run(sizes):
        """Return output, input gradient, parameter gradients and statistics."""
        theta = {name: array.copy() for name, array in parameters.items()}
        team, ends = Team(list(sizes)), np.cumsum([0, *sizes])
        gradients = [{name: np.zeros(4) for name in names} for _ in sizes]
        calls, outs, grads = [], [], []
        for w, size in enumerate(sizes):
            rows = slice(ends[w], ends[w + 1])
            part, grad = x[rows].copy(), g[rows].copy()
            share = team.share(w, np.empty((size, 0), np.uint64))
            bound = BatchNorm().bind(Site(part, theta, gradients[w], share))
            backward, gradient = bound.backward(grad)
            calls.append([*bound.forward, *backward])
            outs.append(bound.out)
            grads.append(gradient)
        while any(calls):  # each runs to its next meeting
            for own in calls:
                while own and (call := own.pop(0)) is not meet:
                    call()
        total = {name: sum(array[name] for array in gradients) for name in names}
        return np.vstack(outs), np.vstack(grads), total, theta

    alone, shared = run((9,)), run(sizes)
    for one, other in zip(alone[:2], shared[:2], strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-14)
    for one, other in zip(alone[2:], shared[2:], strict=True):
        for name in names:
            np.testing.assert_allclose(other[name], one[name], rtol=1e-12, atol=1e-14)


def test_operations_over_a_batch_worked_out_by_hand():
    cost = BatchNorm().operations(5)
    mean, inverse_root = 1, 1 + 4 + 4

    # The mean, z - mean, its square, the variance, times a / sigma, plus b; once the means' factors
    # 1 / n, 1 / sigma, a / sigma, and two running means.
    assert cost.forward == Cost((mean + 1 + 1 + mean + 1 + 1) * 5, (2 + inverse_root + 1 + 6) * 5)
    # Two products with two means and what is made of them.
    assert cost.backward == Cost((1 + 2 * mean + 1 + 2 + 1) * 5, (2 + 1 + 2 + 2) * 5)
    assert cost.prediction == Cost(2 * 5, (1 + 4 + 4 + 1 + 1) * 5)


def test_operations_over_units_worked_out_by_hand():
    cost = LayerNorm().operations(5)
    mean, inverse_root = 5 + 1, 1 + 4 + 4

    assert cost.forward == Cost(2 * mean + 5 * 5 + inverse_root)
    # The gradients of scale and shift, then five products, two differences and two means.
    assert cost.backward == Cost(2 * 5 + 2 * mean + 7 * 5)
    # NumPy's means divide.
    assert cost.prediction == Cost(2 * (5 + 4) + 5 + 5 + (1 + 4) + 4 * 5 + 2 * 5)


def test_rows_whose_squares_overflow_become_what_they_do_in_training():
    parameters = {"scale": np.full(3, 2.0), "shift": np.ones(3)}
    found = LayerNorm().apply(np.array([[1e300, -1e300, 0.0]]), parameters)

    np.testing.assert_array_equal(found, np.ones((1, 3)))
