"""What users write, with every public class and function, for type checkers.

``make types`` has mypy and pyright check it as they check a user's code, with the package as a
library; a test runs it. Types are asserted, since an annotated variable would take Any, too.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor, lockstep
from sknn.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    SELU,
    Activation,
    Custom,
    Identity,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    SiLU,
    Softplus,
    Tanh,
)
from sknn.augmentation import AUGMENTATIONS, Augmentation, GaussianNoise, Mixup, SwapNoise
from sknn.averaging import AVERAGINGS, EMA, SWA, Averaging
from sknn.data import StoredRows, from_memmap, from_parquet
from sknn.export import register_onnx, to_onnx, to_python, to_sklearn
from sknn.initializers import (
    INITIALIZERS,
    DataDriven,
    Glorot,
    GlorotUniform,
    He,
    Initializer,
    LeCun,
    Orthogonal,
)
from sknn.inspection import (
    ActivationDisplay,
    AttributionDisplay,
    Attributions,
    LossCurveDisplay,
    NetworkDisplay,
    RowExplanation,
    WeightsDisplay,
    explain_row,
    importance,
    input_gradients,
    integrated_gradients,
)
from sknn.layers import BoundLayer, Fourier, Layer, Linear, PiecewiseLinear, Site
from sknn.ledger import TrainingReport
from sknn.losses import (
    CLASSIFICATION_LOSSES,
    LOSSES,
    AbsoluteError,
    BinaryFocal,
    BinaryLogLoss,
    Focal,
    GammaLoss,
    Gaussian,
    Grouped,
    Huber,
    LabelWeighted,
    LogCosh,
    LogLoss,
    Loss,
    PoissonLoss,
    Quantile,
    SquaredError,
    Tweedie,
)
from sknn.model_selection import (
    BaseCrossValidator,
    BaseShuffleSplit,
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    LearningCurveDisplay,
    LearningRateDisplay,
    LearningRateSearchCV,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    ParameterGrid,
    ParameterSampler,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
    ValidationCurveDisplay,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    neg_training_cost,
    per_watt_hour,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sknn.optimizers import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    RMSprop,
    ScheduleFree,
)
from sknn.parameters import Parameter, free, statistic, weight
from sknn.penalties import L2, PENALTIES, ElasticNet, Penalty
from sknn.persistence import TRUSTED_TYPES
from sknn.schedules import (
    SCHEDULES,
    Adaptive,
    Around,
    Constant,
    Cosine,
    CosLog,
    Decay,
    EveryStep,
    Exponential,
    FlatCosine,
    FromFunction,
    InverseScaling,
    Joined,
    OneCycle,
    Polynomial,
    Schedule,
    Step,
    Warmup,
)
from sknn.tabular import TableEncoder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

X, y = load_iris(return_X_y=True)
X, y = X[::3], y[::3]
diabetes: Any = load_diabetes(as_frame=True)
frame = diabetes["frame"][:60]
U, v = frame.drop(columns="target"), frame["target"]
FAST: dict[str, Any] = {"max_iter": 5, "random_state": 0}


class Square:
    """An activation of one's own."""

    def forward(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return z * z

    def backward(self, z: NDArray[np.float64], grad: NDArray[np.float64]) -> NDArray[np.float64]:
        return 2 * z * grad


class Factors(Layer):
    """A layer of one's own: a factor for each input."""

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        return {"factor": free((n_in,), "factors_.factor", rate=6.0)}

    def initialize(self, parameters: Any, draw: Any, rng: np.random.RandomState) -> None:
        parameters["factor"].fill(1)

    def bind(self, site: Site) -> BoundLayer:
        x, factor = site.x, site.parameters["factor"][..., np.newaxis, :]
        out, products = np.empty_like(x), np.empty_like(x)
        gradient = site.gradients["factor"]

        def backward(grad: NDArray[Any]) -> Any:
            return [
                partial(np.multiply, grad, x, products),
                partial(np.sum, products, axis=-2, out=gradient),
                partial(np.multiply, grad, factor, grad),
            ], grad

        return BoundLayer(out, [partial(np.multiply, x, factor, out)], backward)

    def apply(self, x: Any, parameters: Any) -> NDArray[Any]:
        return np.asarray(x * parameters["factor"])


class Halved(Decay):
    """A schedule of one's own."""

    def at(self, share: float) -> float:
        return 1.0 if share < 0.5 else 0.5


def half(epoch: int) -> float:
    return 0.5**epoch


def classify() -> MLPClassifier:
    net = MLPClassifier(
        (8, 8),
        "tanh",
        loss="focal",
        solver="adamw",
        batch_size="auto",
        learning_rate="one_cycle",
        learning_rate_init="auto",
        dropout=[0.1, 0.0],
        normalization="batch",
        weight_averaging="ema",
        augmentation="mixup",
        initializer="orthogonal",
        class_weight={0: 1, 1: 2.0},
        scoring="balanced_accuracy",
        early_stopping=True,
        validation_fraction=0.2,
        on_divergence="recover",
        target_type="auto",
        intercept_init="target",
        parametrization="standard",
        verbose=False,
        max_iter=5,
        random_state=np.random.RandomState(0),
    )
    fitted = net.fit(X, y, sample_weight=np.ones(len(y)))
    assert_type(fitted, MLPClassifier)
    assert_type(fitted.coefs_, list[NDArray[Any]])
    assert_type(fitted.intercepts_, list[NDArray[Any]])
    assert_type(fitted.loss_, float)
    assert_type(fitted.best_loss_, float | Any)
    assert_type(fitted.loss_curve_, list[float])
    assert_type(fitted.validation_scores_, list[float] | Any)
    assert_type(fitted.best_validation_score_, float | Any)
    assert_type(fitted.n_iter_, int)
    assert_type(fitted.t_, int)
    assert_type(fitted.n_layers_, int)
    assert_type(fitted.n_features_in_, int)
    assert_type(fitted.n_outputs_, int)
    assert_type(fitted.out_activation_, str)
    assert_type(fitted.learning_rate_, float)
    assert_type(fitted.has_stopped_, bool)
    assert_type(fitted.normalization_, list[dict[str, NDArray[Any]]])
    assert_type(fitted.classes_, NDArray[Any] | Any)
    assert_type(fitted.training_report_, TrainingReport)
    assert_type(fitted.feature_importances_, NDArray[Any])
    assert_type(fitted.predict(X), NDArray[Any] | Any)
    assert_type(fitted.predict_proba(X), NDArray[Any] | Any)
    assert_type(fitted.predict_log_proba(X), NDArray[Any] | Any)
    assert_type(fitted.score(X, y), float)
    assert_type(fitted.hidden_layer_outputs(X), NDArray[Any])
    assert_type(fitted.summary(), str)
    assert_type(fitted.trim(), MLPClassifier)
    assert_type(fitted.get_params(), dict[str, Any])
    assert_type(fitted.set_params(alpha=0.1), MLPClassifier)
    print(fitted.predict_proba(X)[:, 1].mean().round(1), fitted.lr_find_["loss"].min())
    print(fitted.history_["loss"].iloc[-1], fitted.classes_.tolist())
    online = MLPClassifier(5, solver=Adam(beta_1=0.8), **FAST)
    assert_type(online.partial_fit(X, y, classes=np.unique(y)), MLPClassifier)
    others = (
        MLPClassifier(activation=Square(), loss=Focal(gamma=2.0)),
        MLPClassifier(activation=["relu", Square(), LeakyReLU(0.1)], class_weight="balanced"),
        MLPClassifier(learning_rate=half, scoring="loss", front=["scale", Fourier(3)]),
        MLPClassifier(learning_rate=Halved(), front=PiecewiseLinear(8), scoring=per_watt_hour()),
        MLPClassifier(validation_fraction=KFold(3), batch_size=32, learning_rate_init=1),
        MLPClassifier(initializer=(fitted.coefs_, fitted.intercepts_), checkpoint=Path("x.sknn")),
        MLPClassifier(hidden_layer_sizes=np.array([3, 4]), dropout=0.1, n_iter_no_change=np.inf),
        MLPClassifier(augmentation=Mixup(0.1), weight_averaging=EMA(), dropout_schedule="flat_cos"),
    )
    for name in ("relu", "tanh"):
        MLPClassifier(activation=name)
    twin: Any = clone(others[0])
    twin.set_params(**FAST).fit(X, y)
    return fitted


def regress() -> MLPRegressor:
    scaled = (v - v.mean()) / v.std()
    net = MLPRegressor(10, loss=Quantile([0.1, 0.9]), solver=Muon(), **FAST)
    with sklearn.config_context(enable_metadata_routing=True):
        assert_type(net.set_fit_request(sample_weight=True), MLPRegressor)
    assert_type(net.fit(U, scaled, X_val=U, y_val=scaled), MLPRegressor)
    assert_type(net.predict(U), NDArray[Any])
    assert_type(net.score(U, scaled), float)
    assert_type(net.feature_names_in_, NDArray[Any])
    both = MLPRegressor(loss="gaussian", **FAST).fit(U, scaled)
    mean, std = both.predict(U, return_std=True)
    assert_type(mean, NDArray[Any])
    assert_type(std, NDArray[Any])
    assert_type(both.partial_fit(U, scaled), MLPRegressor)
    return MLPRegressor(loss="huber", solver="lbfgs", **FAST).fit(U, scaled)


def use_tables() -> TabularMLPRegressor:
    few: dict[str, Any] = {"cv": 2, "max_iter": 2, "random_state": 0}
    classes = TabularMLPClassifier("fast", activation="mish", class_weight="balanced", **few)
    assert_type(classes.fit(X, y), TabularMLPClassifier)
    assert_type(classes.predict(X), NDArray[Any] | Any)
    assert_type(classes.predict_proba(X), NDArray[Any] | Any)
    assert_type(classes.predict_log_proba(X), NDArray[Any] | Any)
    assert_type(classes.predict_set(X, confidence=0.8), NDArray[Any])
    assert_type(classes.score(X, y), float)
    assert_type(classes.oof_score_, float)
    assert_type(classes.oof_prediction_, NDArray[Any] | Any)
    assert_type(classes.classes_, NDArray[Any] | Any)
    assert_type(classes.n_iter_, list[int])
    assert_type(classes.preset_, dict[str, Any])
    assert_type(classes.feature_importances_, NDArray[Any])
    assert_type(classes.training_report_.flops, int)
    print(classes.member_weights_.shape, len(classes.members_))
    table = pd.DataFrame({"size": U["bmi"], "sex": (U["sex"] > 0).astype(str)})
    numbers = TabularMLPRegressor("fast", categorical_features=["sex"], **few)
    assert_type(numbers.fit(table, v, groups=None), TabularMLPRegressor)
    assert_type(numbers.predict(table), NDArray[Any])
    assert_type(numbers.predict_interval(table, confidence=0.9), NDArray[Any])
    assert_type(numbers.predict(table, return_std=True), tuple[NDArray[Any], NDArray[Any]])
    assert_type(numbers.trim(), TabularMLPRegressor)
    encoder = TableEncoder(numeric=["robust", "fourier"], n_bins=8, random_state=0)
    assert_type(encoder.set_output(transform="pandas"), TableEncoder)
    assert_type(encoder.fit(table), TableEncoder)
    assert_type(encoder.n_features_out_, int)
    assert_type(encoder.origins_, NDArray[Any])
    print(encoder.transform(table).columns, encoder.get_feature_names_out().tolist())
    print(encoder.slopes(table).shape)
    return numbers


def read_files() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        mapped: np.memmap[Any, Any] = np.load(path, mmap_mode="r")
        rows = from_memmap(mapped, y, memory="1MB")
        assert_type(rows, StoredRows)
        assert_type(rows[:40], StoredRows)
        assert_type(len(rows), int)
        assert_type(rows.shape, tuple[int, int])
        assert_type(MLPClassifier(5, **FAST).fit(rows), MLPClassifier)
        net = MLPClassifier(5, **FAST).fit(rows[:40])
        assert_type(net.score(rows[40:]), float)
        assert_type(MLPRegressor(5, **FAST).fit(rows).predict(rows), NDArray[Any])
        print(net.predict(rows).shape, [block.shape for block, _ in rows.blocks()])
        del mapped, rows
        if importlib.util.find_spec("pyarrow") is not None:
            path = path.with_name("frame.parquet")
            frame.to_parquet(path)
            table = from_parquet(path, ["bmi", "s5"], "target", dtype="float64", memory=10**6)
            assert_type(table, StoredRows)
            assert_type(MLPRegressor(5, **FAST).fit(table), MLPRegressor)
            few = TabularMLPRegressor("fast", cv=2, max_iter=2, random_state=0)
            assert_type(few.fit(table), TabularMLPRegressor)
            print(table.feature_names, table.y.mean(), sknn.data.from_parquet)


def share_a_fit() -> None:
    if importlib.util.find_spec("distributed") is None:
        return
    from sknn.dask import DaskMLPClassifier, DaskMLPRegressor

    dask: Any = importlib.import_module("dask.array")  # neither comes with all types
    distributed: Any = importlib.import_module("distributed")
    classes = DaskMLPClassifier(5, n_shards=2, sync_every=4, outer_momentum=0.5, **FAST)
    numbers = DaskMLPRegressor(
        (5, 5), "tanh", loss="huber", client=None, outer_learning_rate=0.9, **FAST
    )
    given = dask.from_array(X, 20), dask.from_array(y, 20)
    with distributed.Client(processes=False, n_workers=1, dashboard_address=":0"):
        assert_type(classes.fit(*given), DaskMLPClassifier)
        assert_type(numbers.fit(*given, sample_weight=None), DaskMLPRegressor)
        print(classes.predict(given[0]).compute(), float(classes.score(*given)))
        print(classes.predict_proba(given[0]), classes.classes_, numbers.predict(X))
    assert_type(numbers.coefs_, list[NDArray[Any]])
    assert_type(classes.training_report_, TrainingReport)
    print(classes.to_local().summary(), sknn.dask.DaskMLPRegressor())


def search() -> None:
    net = MLPClassifier(5, **FAST)
    rates = {"learning_rate_init": [0.01, 0.1]}
    with lockstep("256MB", n_jobs=None):
        GridSearchCV(net, rates, cv=2).fit(X, y)
    grid = GridSearchCV(make_pipeline(StandardScaler(), net), {}, cv=2, scoring="accuracy")
    assert_type(grid.fit(X, y).best_score_, float)
    assert_type(grid.best_params_, dict[str, Any])
    assert_type(grid.best_index_, int)
    print(grid.cv_results_["mean_test_score"], grid.best_estimator_.predict(X), grid.score(X, y))
    assert_type(RandomizedSearchCV(net, rates, n_iter=2, cv=2).fit(X, y).best_score_, float)
    halving = HalvingGridSearchCV(net, rates, cv=2, resource="max_iter", max_resources=6)
    assert_type(halving.fit(X, y).n_resources_, list[int])
    at_random = HalvingRandomSearchCV(net, rates, n_candidates=2, cv=2, random_state=0)
    assert_type(at_random.fit(X, y).best_params_, dict[str, Any])
    auto = LearningRateSearchCV(net, alphas=[0.01], n_rates=2, rate_range=(0.01, 0.1), cv=2)
    assert_type(auto.fit(X, y), LearningRateSearchCV)
    assert_type(auto.rates_, NDArray[Any])
    print(auto.range_test_.empty)
    display = LearningRateDisplay.from_estimator(auto, std_display_style=None)
    assert_type(display, LearningRateDisplay)
    display.figure_.set_size_inches(5, 3)
    display.ax_.set_title("Rates")
    binary = y > 0
    TunedThresholdClassifierCV(net, cv=2).fit(X, binary).predict(X)
    FixedThresholdClassifier(net).fit(X, binary).predict(X)
    print(cross_val_score(net, X, y, cv=2).mean(), cross_validate(net, X, y, cv=2)["fit_time"])
    print(cross_val_predict(net, X, y, cv=2).shape)
    print(permutation_test_score(net, X, y, cv=2, n_permutations=2)[0])
    print(learning_curve(net, X, y, cv=2, train_sizes=[0.9])[0])
    print(validation_curve(net, X, y, cv=2, param_name="alpha", param_range=[0.1])[0])
    LearningCurveDisplay.from_estimator(net, X, y, cv=2, train_sizes=[0.8, 0.9])
    ValidationCurveDisplay.from_estimator(
        net, X, y, cv=2, param_name="alpha", param_range=[0.1, 1.0]
    )
    cheap = GridSearchCV(net, rates, cv=2, scoring=neg_training_cost("flops")).fit(X, y)
    print(cheap.best_score_)


def split() -> None:
    train, test = train_test_split(X, random_state=0)
    print(len(train), len(test))
    splitters = [
        KFold(2),
        GroupKFold(2),
        GroupShuffleSplit(2),
        LeaveOneGroupOut(),
        LeaveOneOut(),
        LeavePGroupsOut(1),
        LeavePOut(2),
        PredefinedSplit(y),
        RepeatedKFold(n_splits=2),
        RepeatedStratifiedKFold(n_splits=2),
        ShuffleSplit(2),
        StratifiedGroupKFold(2),
        StratifiedKFold(2),
        StratifiedShuffleSplit(2),
        TimeSeriesSplit(2),
        check_cv(2),
    ]
    for splitter in splitters:
        assert isinstance(splitter, (BaseCrossValidator, BaseShuffleSplit)) or splitter is not None
        MLPClassifier(validation_fraction=splitter)
        TabularMLPClassifier(cv=splitter)
    grid = ParameterGrid({"alpha": [0.1, 1.0]})
    sampled = ParameterSampler({"alpha": [0.1, 1.0]}, n_iter=1, random_state=0)
    print([*grid, *sampled])


def keep(net: MLPClassifier) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.sknn"
        sknn.save(net, path, with_state=False)
        same = sknn.load(path, components=[Square])
        print((same.predict(X) == net.predict(X)).all())
        sknn.persistence.save(Adam(), str(path))
        assert_type(sknn.persistence.load(path), Any)
    print(len(TRUSTED_TYPES), sknn.__version__)
    plain = MLPClassifier(5, **FAST).fit(X, y)
    print(to_sklearn(plain).predict(X)[0])
    assert_type(to_python(plain), str)
    if importlib.util.find_spec("skl2onnx") is not None:
        register_onnx()
        print(len(to_onnx(plain, X[:1]).SerializeToString()), sknn.export.to_onnx)


def count() -> None:
    with sknn.metering("estimate", watts_per_core=5):
        report = MLPRegressor(5, **FAST).fit(U, v).training_report_
    assert_type(report, TrainingReport)
    assert_type(report.seconds, float | None)
    assert_type(report.energy_joules, float | None)
    assert_type(report.n_steps, int)
    assert_type(report.to_dict(), dict[str, Any])


def explain(net: MLPRegressor, tables: TabularMLPRegressor) -> None:
    assert_type(input_gradients(net, U, output="prediction"), NDArray[Any])
    found = integrated_gradients(net, U, "zero", n_steps="auto", tolerance=0.1)
    assert_type(found, Attributions)
    assert_type(found.values, NDArray[Any])
    assert_type(found.of(0), Attributions)
    assert_type(found[:3], Attributions)
    print(found.to_frame().shape, len(tables.members_))
    assert_type(explain_row(net, U, 3, baseline="mean"), RowExplanation)
    print(explain_row(net, U).to_frame().index[0])
    print(importance(net, U, v, "permutation", n_repeats=2).nlargest(3).index.tolist())
    print(sknn.inspection.importance(net, U, kind="gradient").index[0])


def draw(net: MLPRegressor) -> None:
    bars = AttributionDisplay.from_estimator(net, U, kind="bar", max_features=3)
    assert_type(bars, AttributionDisplay)
    ax: Axes = bars.ax_
    figure: Figure = bars.figure_
    print(ax.get_xlabel(), figure.dpi)
    points = AttributionDisplay.from_attributions(integrated_gradients(net, U))
    print(len(points.points_), points.colorbar_.ax.get_yticks())
    print(points.plot(kind="row", row=2).bars_.patches)
    NetworkDisplay.from_estimator(net, max_units=4).legend_.set_visible(False)
    WeightsDisplay.from_estimator(net, shape=(2, 5), n_units=2).colorbar_.set_label("w")
    print(ActivationDisplay.from_estimator(net, U).bars_["dead"].patches)
    curve = LossCurveDisplay.from_estimator(net, ax=ax, log_scale=True)
    print(sorted(curve.lines_), curve.score_ax_ is None)


def choose() -> None:
    activations: list[Activation] = [
        ELU(alpha=1.0),
        GELU(),
        SELU(),
        Custom(Square()),
        Identity(),
        LeakyReLU(negative_slope=0.1),
        Logistic(),
        Mish(),
        ReLU(),
        SiLU(),
        Softplus(),
        Tanh(),
    ]
    augmentations: list[Augmentation] = [GaussianNoise(0.1), Mixup(alpha=0.2), SwapNoise(0.1)]
    averagings: list[Averaging] = [EMA(decay=0.9), SWA(start=0.5)]
    initializers: list[Initializer] = [
        DataDriven(),
        Glorot(),
        GlorotUniform(),
        He(),
        LeCun(),
        Orthogonal(),
    ]
    losses: list[Loss] = [
        AbsoluteError(),
        BinaryFocal(1.0),
        BinaryLogLoss(),
        Focal(gamma=2.0),
        GammaLoss(),
        Gaussian(),
        Grouped(LogLoss(), (2, 3)),
        Huber(delta=1.5),
        LabelWeighted(BinaryLogLoss(), (1.0, 2.0)),
        LogCosh(),
        LogLoss(),
        PoissonLoss(),
        Quantile([0.1]),
        Quantile(0.5),
        SquaredError(),
        Tweedie(power=1.5),
    ]
    optimizers: list[Optimizer] = [
        SGD(momentum=0.9, nesterov=False),
        AMSGrad(),
        Adagrad(epsilon=1e-8),
        sknn.optimizers.Adam(beta_1=0.8),
        AdamW(0.9, 0.99),
        Lion(),
        Muon(momentum=0.9),
        NAdam(momentum_decay=0.01),
        RMSprop(rho=0.9),
        ScheduleFree(),
    ]
    penalties: list[Penalty] = [L2(), ElasticNet(l1_ratio=0.5)]
    schedules: list[Schedule] = [
        Adaptive(factor=0.5),
        Constant(),
        Cosine(),
        CosLog(n_cycles=2),
        EveryStep(Cosine()),
        Exponential(end=0.1),
        FlatCosine(),
        FromFunction(half),
        Halved(),
        InverseScaling(0.5),
        Joined([Constant(), Cosine()], [5]),
        OneCycle(rise=0.2),
        Polynomial(power=2),
        Step(factor=0.5, milestones=[0.5]),
        Warmup(Cosine(), 3),
    ]
    layers: list[Layer] = [Linear(4), Factors(), Fourier(3)]
    parameters = weight((2, 3)), free((3,), "shifts_"), statistic((3,), "means_")
    assert_type(parameters[0], Parameter)
    MLPClassifier(5, front=layers[1], **FAST).fit(X, y)
    groups = activations, augmentations, averagings, initializers, losses, optimizers, penalties
    for group in (*groups, schedules):
        print(*group)
    assert_type(Quantile(0.5).changed(level=0.1), Quantile)
    assert_type(OPTIMIZERS["adam"], type[Optimizer])
    print(isinstance(schedules[4], Around), len(SCHEDULES), list(LOSSES), *CLASSIFICATION_LOSSES)
    print(*ACTIVATIONS, *AUGMENTATIONS, *AVERAGINGS, *INITIALIZERS, *PENALTIES)


def compare(X: np.ndarray, y: np.ndarray) -> None:
    """Networks and estimators of tables in one list, or in one dict."""
    for each in [sknn.MLPClassifier(), sknn.TabularMLPClassifier()]:
        each.fit(X, y)
    regressors = {"net": sknn.MLPRegressor(), "table": sknn.TabularMLPRegressor()}
    for name, regressor in regressors.items():
        print(name, regressor.fit(X, y).score(X, y))


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = classify()
        compare(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
        regressor = regress()
        tables = use_tables()
        read_files()
        share_a_fit()
        search()
        split()
        keep(net)
        count()
        explain(regressor, tables)
        draw(regressor)
        choose()


if __name__ == "__main__":
    main()
