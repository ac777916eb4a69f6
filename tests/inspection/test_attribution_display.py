import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection.attribution_display import DIAMETER, N_LEVELS, AttributionDisplay, swarm
from sknn.inspection.attributions import Attributions
from sknn.inspection.drawing import NEGATIVE, POSITIVE
from sknn.inspection.integrated import integrated_gradients

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FRAME, CLASSES = load_wine(return_X_y=True, as_frame=True)
FRAME = FRAME.iloc[:, :5]
SETTINGS = {"solver": "lbfgs", "tol": 0.01, "max_iter": 500, "random_state": 0}
REGRESSOR = make_pipeline(StandardScaler(), MLPRegressor((4,), **SETTINGS)).fit(FRAME, CLASSES)
CLASSIFIER = make_pipeline(StandardScaler(), MLPClassifier((4,), **SETTINGS)).fit(FRAME, CLASSES)
GRAY = mpl.colors.to_rgba("gray")

VALUES = np.array(
    [[0.5, -2.0, 0.0, 1.0], [0.5, 4.0, 0.0, -1.0], [-0.5, 3.0, 0.25, 0.0], [0.5, 1.0, 0.0, 2.0]]
)


def make(values=VALUES, data=None):
    n, n_features = values.shape
    return Attributions(
        values=values,
        base_values=np.full(n, 10.0),
        predictions=10.0 + values.sum(axis=1),
        errors=np.zeros(n),
        data=np.arange(values.size).reshape(values.shape) if data is None else data,
        feature_names=list("abcd")[:n_features],
        target_names=[0],
        n_steps=8,
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def draw(*args, **options):
    return AttributionDisplay.from_attributions(make(*args), **options)


def lengths_of(display):
    return [bar.get_width() for bar in display.bars_]


def labels_of(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def colors_of(points):
    points.update_scalarmappable()
    return points.get_facecolors()


# One row


def test_a_row_is_drawn_as_signed_bars_by_absolute_size():
    display = draw(kind="row", row=1)

    assert lengths_of(display) == [4.0, -1.0, 0.5, 0.0]
    assert display.columns_.tolist() == [1, 3, 0, 2]
    assert labels_of(display) == ["b = 5", "d = 7", "a = 4", "c = 6"]
    colors = [bar.get_facecolor() for bar in display.bars_]
    expected = [POSITIVE, NEGATIVE, POSITIVE, POSITIVE]
    assert colors == [mpl.colors.to_rgba(color) for color in expected]
    assert [text.get_text() for text in display.bar_labels_] == ["+4", "-1", "+0.5", "+0"]
    assert display.ax_.get_title() == "Row 1: answer 13.5, base value 10"
    assert display.ax_.get_ylim() == (3.5, -0.5)  # the first one on top
    assert display.points_ is display.colorbar_ is None


def test_a_row_may_be_counted_from_the_end():
    display = draw(kind="row", row=-1)

    assert lengths_of(display) == [2.0, 1.0, 0.5, 0.0]
    assert display.ax_.get_title() == "Row 3: answer 13.5, base value 10"


def test_the_other_columns_of_a_row_are_summed():
    display = draw(kind="row", row=2, max_features=2)
    assert lengths_of(display) == [3.0, -0.5, 0.25]
    assert labels_of(display) == ["b = 9", "a = 8", "2 other columns"]

    display = draw(kind="row", row=2, max_features=3)
    assert labels_of(display)[-1] == "1 other column"


def test_cells_are_written_as_they_are_read():
    data = pd.DataFrame(
        {
            "a": ["red", None, "a very long category of many words", "blue"],
            "b": [0.123456, 2.5, 123456.7, np.nan],
            "c": pd.array([1, 2, None, 4], dtype="Int64"),
            "d": [True, False, True, False],
        },
        index=[7, 7, 8, 9],
    )
    values = np.tile([4.0, 3.0, 2.0, 1.0], (4, 1))

    labels = [labels_of(draw(values, data, kind="row", row=row)) for row in range(4)]
    assert labels == [
        ["a = red", "b = 0.1235", "c = 1", "d = True"],
        ["a = missing", "b = 2.5", "c = 2", "d = False"],
        ["a = a very long cat…", "b = 123457", "c = missing", "d = True"],
        ["a = blue", "b = missing", "c = 4", "d = False"],
    ]


# Means


def test_bars_are_means_of_absolute_attributions():
    display = draw(kind="bar")

    assert lengths_of(display) == [2.5, 1.0, 0.5, 0.0625]
    assert labels_of(display) == ["b", "d", "a", "c"]
    assert display.ax_.get_xlabel() == "Mean absolute attribution"
    assert display.ax_.get_xlim()[0] == 0


def test_means_of_the_other_columns_are_summed():
    display = draw(kind="bar", max_features=1, bar_kw={"color": "green"})

    assert lengths_of(display) == [2.5, 1.5625]
    assert labels_of(display) == ["b", "3 other columns"]
    assert display.bars_[0].get_facecolor() == mpl.colors.to_rgba("green")


# Beeswarms


def test_a_beeswarm_has_a_point_for_each_row_and_column():
    display = draw()

    assert labels_of(display) == ["b", "d", "a", "c"]
    for line, (points, column) in enumerate(zip(display.points_, [1, 3, 0, 2], strict=True)):
        x, y = points.get_offsets().T
        np.testing.assert_array_equal(x, VALUES[:, column])
        assert np.all(np.abs(y - line) <= 0.4)
    low, high = display.ax_.get_xlim()
    assert low < VALUES.min() < VALUES.max() < high
    assert display.bars_ is display.bar_labels_ is None


def test_points_of_the_other_columns_are_sums_without_a_colour():
    display = draw(max_features=2)

    assert labels_of(display) == ["b", "d", "2 other columns"]
    np.testing.assert_array_equal(display.points_[2].get_offsets()[:, 0], [0.5, 0.5, -0.25, 0.5])
    np.testing.assert_array_equal(colors_of(display.points_[2]), [GRAY] * 4)


def test_colours_are_ranks_of_numbers_and_gray_for_what_has_none():
    data = pd.DataFrame(
        {
            "a": [1.0, 1000.0, np.nan, 2.0],
            "b": pd.Categorical([3, 1, 2, 3]),
            "c": pd.array([5, None, 5, 5], dtype="Int64"),
            "d": [False, True, True, False],
        }
    )
    values = np.tile([4.0, 3.0, 2.0, 1.0], (4, 1))
    display = draw(values, data)

    ranks = [points.get_array().filled(np.nan) for points in display.points_]
    np.testing.assert_array_equal(ranks[0], [0, 1, np.nan, 0.5])
    np.testing.assert_array_equal(ranks[1], [np.nan] * 4)
    np.testing.assert_array_equal(ranks[2], [0.5, np.nan, 0.5, 0.5])
    np.testing.assert_array_equal(ranks[3], [0, 1, 1, 0])
    red, blue = colors_of(display.points_[0])[[1, 0]]
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    np.testing.assert_array_equal(colors_of(display.points_[0])[2], GRAY)
    np.testing.assert_array_equal(colors_of(display.points_[1]), [GRAY] * 4)


def test_columns_of_an_array_of_objects_are_told_apart():
    data = np.array([[1, "x"], [3, "y"], [2, "x"]], dtype=object)
    display = draw(np.tile([2.0, 1.0], (3, 1)), data)

    assert display.points_[0].get_array().tolist() == [0, 1, 0.5]
    assert np.isnan(display.points_[1].get_array().filled(np.nan)).all()


def test_a_colour_bar_says_what_is_low_and_high():
    display = draw()
    labels = [label.get_text() for label in display.colorbar_.ax.get_yticklabels()]
    assert labels == ["low", "high"]
    assert display.colorbar_.ax.get_ylabel() == "Value of the column"

    display = draw(np.ones((2, 1)), np.array([["x"], ["y"]], dtype=object))
    assert display.colorbar_ is None


def test_points_of_a_figure_do_not_cover_each_other():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((80, 3)) * [3, 2, 1]
    display = draw(values, rng.random((80, 3)))
    display.figure_.draw_without_rendering()

    diameter = DIAMETER * display.figure_.dpi / 72
    for points in display.points_:
        places = display.ax_.transData.transform(points.get_offsets())
        distances = np.abs(places[:, np.newaxis] - places).max(axis=2)
        np.fill_diagonal(distances, np.inf)
        assert distances.min() > 0.99 * diameter


def test_a_swarm_is_narrow_where_points_are_few():
    x = np.array([0.0, 5.0, 5.0, 5.0, 10.0, 10.5])

    moved = swarm(x, 1.0, 0.1)
    assert moved[0] == 0
    assert sorted(moved[1:4]) == [-0.1, 0.0, 0.1]
    assert sorted(moved[4:]) == [0.0, 0.1]
    np.testing.assert_array_equal(moved, swarm(x, 1.0, 0.1))


def test_a_crowd_stays_within_its_line():
    moved = swarm(np.zeros(N_LEVELS + 500), 1.0, 0.1)

    assert np.abs(moved).max() == pytest.approx(0.4)


def test_attributions_of_zero_can_be_drawn():
    for kind in ("beeswarm", "bar", "row"):
        display = draw(np.zeros((3, 2)), kind=kind)
        assert display.zero_line_.get_xdata() == [0, 0]


# Where they come from


def test_an_estimator_is_explained_by_integrated_gradients():
    found = integrated_gradients(REGRESSOR, FRAME, baseline="zero", n_steps=16)
    display = AttributionDisplay.from_estimator(REGRESSOR, FRAME, baseline="zero", n_steps=16)

    np.testing.assert_array_equal(display.attributions.values, found.values)
    for points, column in zip(display.points_, display.columns_, strict=True):
        np.testing.assert_array_equal(points.get_offsets()[:, 0], found.values[:, column])
    assert sorted(labels_of(display)) == sorted(FRAME.columns)
    assert display.ax_.get_xlabel() == "Attribution"


def test_options_of_the_plot_are_passed_on():
    options = {"kind": "row", "row": 5, "max_features": 2, "bar_kw": {"color": "green"}}
    display = AttributionDisplay.from_estimator(REGRESSOR, FRAME, **options)
    assert len(display.bars_) == 3
    assert display.ax_.get_title().startswith("Row 5: ")
    assert display.bars_[0].get_facecolor() == mpl.colors.to_rgba("green")

    options = {"scatter_kw": {"s": 9, "cmap": "viridis"}}
    display = AttributionDisplay.from_estimator(REGRESSOR, FRAME, **options)
    assert display.points_[0].get_sizes().tolist() == [9]
    assert display.colorbar_.cmap.name == display.points_[0].get_cmap().name == "viridis"


def test_one_of_several_outputs_must_be_chosen():
    message = r"attributions to 3 outputs: set target to one of \[0, 1, 2\]"
    with pytest.raises(ValueError, match=message):
        AttributionDisplay.from_estimator(CLASSIFIER, FRAME)
    found = integrated_gradients(CLASSIFIER, FRAME)
    with pytest.raises(ValueError, match=message):
        AttributionDisplay.from_attributions(found)
    with pytest.raises(ValueError, match="target=3 is none of"):
        AttributionDisplay.from_attributions(found, target=3)

    one = AttributionDisplay.from_estimator(CLASSIFIER, FRAME, target=0, kind="bar")
    other = AttributionDisplay.from_attributions(found, target=0, kind="bar")
    means = np.abs(found.values[:, :, 0]).mean(axis=0)[one.columns_]
    np.testing.assert_allclose(lengths_of(one), means, rtol=1e-2)
    np.testing.assert_array_equal(lengths_of(other), means)
    for display in (one, other):
        assert display.ax_.get_xlabel() == "Mean absolute attribution to output 0"


def test_outputs_of_a_regressor_may_be_counted_from_the_end():
    model = MLPRegressor((), **SETTINGS).fit(FRAME, FRAME.iloc[:, :2])
    display = AttributionDisplay.from_estimator(model, FRAME, target=-1, kind="bar")

    assert display.target == 1
    assert display.ax_.get_xlabel() == "Mean absolute attribution to output 1"


def test_of_two_classes_the_second_is_drawn():
    y = np.where(CLASSES == 1, "yes", "no")
    model = make_pipeline(StandardScaler(), MLPClassifier((4,), **SETTINGS)).fit(FRAME, y)
    display = AttributionDisplay.from_estimator(model, FRAME, output="probability")

    assert display.ax_.get_xlabel() == "Attribution to output yes"


def test_draws_the_best_of_a_search():
    search = GridSearchCV(REGRESSOR, {"mlpregressor__alpha": [0.1, 1.0]}, cv=2)
    search.fit(FRAME, CLASSES)
    display = AttributionDisplay.from_estimator(search, FRAME, kind="bar")
    other = AttributionDisplay.from_estimator(search.best_estimator_, FRAME, kind="bar")

    assert lengths_of(display) == lengths_of(other)


@pytest.mark.parametrize("kind", ["beeswarm", "bar", "row"])
def test_draws_into_given_axes(kind):
    import matplotlib.pyplot as plt

    figure, (ax, _) = plt.subplots(1, 2)
    display = draw(kind=kind, ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is figure


def test_draws_into_a_part_of_a_figure():
    import matplotlib.pyplot as plt

    part, _ = plt.figure().subfigures(1, 2)
    display = draw(ax=part.subplots())

    assert len(display.points_) == 4


@pytest.mark.parametrize("kind", ["beeswarm", "bar", "row"])
def test_everything_that_is_written_lies_within_the_figure(kind):
    frame = FRAME.add_prefix("a column with a very long name: ")
    model = MLPRegressor((), **SETTINGS).fit(frame, CLASSES)
    display = AttributionDisplay.from_estimator(model, frame, kind=kind)
    display.figure_.draw_without_rendering()

    ax, whole = display.ax_, display.figure_.bbox
    texts = [*ax.get_yticklabels(), ax.xaxis.label, *([ax.title] if kind == "row" else [])]
    for text in texts:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1
    for text in display.bar_labels_ or []:  # beside the bars and inside of the frame
        assert ax.bbox.x0 <= text.get_window_extent().x0
        assert text.get_window_extent().x1 <= ax.bbox.x1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "violin"}, r"kind must be one of \['beeswarm', 'bar', 'row'\]; got 'violin'"),
        ({"max_features": 0}, "max_features must be an int of at least 1; got 0"),
        ({"kind": "row", "row": 4}, r"row must be an int in \[-4, 3\]; got 4"),
        ({"kind": "row", "row": 1.0}, r"row must be an int in \[-4, 3\]; got 1.0"),
    ],
)
def test_options_that_are_not_valid_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(**options)


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match="LogisticRegression cannot be explained"):
        AttributionDisplay.from_estimator(LogisticRegression(), FRAME)
    with pytest.raises(NotFittedError):
        AttributionDisplay.from_estimator(MLPRegressor(), FRAME)
