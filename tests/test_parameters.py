import numpy as np
import pytest

from sknn.parameters import ParameterLayout, fill, free, statistic, weight


def linear(n_in, n_out, **numbers):
    """Return the description of a linear layer."""
    return {
        "coef": weight((n_in, n_out), **numbers),
        "intercept": free((n_out,), "intercepts_", **numbers),
    }


LAYOUT = ParameterLayout([linear(2, 3), {}, linear(3, 1)])


def test_weights_come_first():
    assert LAYOUT.n_penalized == 2 * 3 + 3 * 1
    assert LAYOUT.size == LAYOUT.n_penalized + 3 + 1
    views = LAYOUT.views(np.arange(LAYOUT.size))
    np.testing.assert_array_equal(views[0]["coef"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(views[2]["coef"], [[6], [7], [8]])
    np.testing.assert_array_equal(views[0]["intercept"], [9, 10, 11])
    np.testing.assert_array_equal(views[2]["intercept"], [12])


def test_views_share_memory_also_in_a_stack():
    theta = np.zeros((4, LAYOUT.size))
    views = LAYOUT.views(theta)
    views[0]["coef"][2, 1, 1] = 7

    assert theta[2, 4] == 7
    assert views[2]["coef"].shape == (4, 3, 1)


def test_statistics_come_last():
    layout = ParameterLayout(
        [{"mean": statistic((2,), "m_"), "scale": free((2,), "s_"), "coef": weight((2, 1))}]
    )
    [views] = layout.views(np.arange(6))

    np.testing.assert_array_equal(views["coef"], [[0], [1]])
    np.testing.assert_array_equal(views["scale"], [2, 3])
    np.testing.assert_array_equal(views["mean"], [4, 5])
    assert layout.matrices() == [(slice(0, 2), (2, 1))]
    assert layout.n_trained == 4


def test_layers_of_layers_have_lists():
    layout = ParameterLayout([linear(1, 1), [linear(1, 2), [linear(2, 1)]]])
    views = layout.views(np.arange(layout.size))
    fill(
        views,
        [{"coef": 0, "intercept": 0}, [{"coef": 1, "intercept": 2}, [dict.fromkeys(views[0], 3)]]],
    )

    np.testing.assert_array_equal(views[1][0]["coef"], [[1, 1]])
    np.testing.assert_array_equal(views[1][1][0]["coef"], [[3], [3]])
    assert [len(leaf) for leaf in layout.leaves] == [2, 2, 2]


def test_what_is_trained_alike_lies_together():
    """A group is a slice: weights at two rates, intercepts at two rates."""
    layout = ParameterLayout([linear(1, 1, rate=6), linear(1, 1), linear(1, 1, rate=6, decay=2)])
    rates = layout.runs(slice(0, layout.n_trained), lambda group: group.rate)
    decays = layout.runs(slice(0, layout.n_trained), lambda group: group.decay)

    assert [g[1:] for g in layout.groups] == [
        ("weight", 6, 1), ("weight", 1, 1), ("weight", 6, 2), ("free", 6, 0), ("free", 1, 0),
        ("free", 6, 2),
    ]  # fmt: skip
    assert rates == [
        (slice(0, 1), 6), (slice(1, 2), 1), (slice(2, 4), 6), (slice(4, 5), 1), (slice(5, 6), 6)
    ]  # fmt: skip
    assert decays == [(slice(0, 2), 1), (slice(2, 3), 2), (slice(3, 5), 0), (slice(5, 6), 2)]
    assert layout.runs(slice(1, 3), lambda group: group.rate) == [
        (slice(1, 2), 1),
        (slice(2, 3), 6),
    ]


def test_usual_networks_are_one_run():
    assert LAYOUT.runs(slice(0, 13), lambda group: group.rate) == [(slice(0, 13), 1.0)]


def test_equal_descriptions_are_different_parameters():
    layout = ParameterLayout([dict.fromkeys(("a", "b"), weight((2,)))])
    [views] = layout.views(np.arange(4))

    np.testing.assert_array_equal(views["b"], [2, 3])


def test_vectors_among_the_weights_are_no_matrices():
    layout = ParameterLayout([{"scale": weight((3,)), "coef": weight((3, 2))}])

    assert layout.matrices() == [(slice(3, 9), (3, 2))]


@pytest.mark.parametrize("n_models", [2, 3])
def test_numbers_of_a_stack_are_compared_model_by_model(n_models):
    same, other = np.full((n_models, 1, 1), 6.0), np.arange(n_models).reshape(-1, 1, 1)
    layout = ParameterLayout([linear(1, 1, rate=same), linear(1, 1, rate=other.copy())])
    again = ParameterLayout([linear(1, 1, rate=other), linear(1, 1, rate=other.copy())])

    assert len(layout.groups) == 4
    assert len(again.groups) == 2
    assert layout.structure != again.structure


@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan])
@pytest.mark.parametrize("of", [float, lambda value: np.array([[1.0], [value]])])
def test_factors_are_finite(of, value):
    with pytest.raises(ValueError, match="rate of a parameter must be at least 0 and finite"):
        weight((2,), rate=of(value))
