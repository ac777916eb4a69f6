"""Mistakes that type checkers have to flag; nothing here is called.

A comment that ignores an error which is not there is an error itself. Of estimators mypy knows no
attribute that is missing, since their base class comes from scikit-learn without types; pyright
does.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.linear_model import Ridge

import sknn
from sknn import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor, lockstep
from sknn.inspection import (
    AttributionDisplay,
    LossCurveDisplay,
    explain_row,
    importance,
    input_gradients,
    integrated_gradients,
)
from sknn.losses import Focal, Quantile
from sknn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    LearningRateSearchCV,
    cross_val_score,
    neg_training_cost,
    per_watt_hour,
)
from sknn.optimizers import Adam
from sknn.schedules import CosLog
from sknn.tabular import TableEncoder


def misname() -> None:
    MLPClassifier(alphaa=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MLPRegressor(100, "relu", "squared_error")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MLPRegressor(class_weight="balanced")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TabularMLPClassifier(presets="fast")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TabularMLPRegressor(label_smoothing=0.1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TableEncoder(bins=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Focal(gama=1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Adam(beta1=0.9)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    lockstep(jobs=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LearningRateSearchCV(MLPClassifier(), alpha=[0.1])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    GridSearchCV(MLPClassifier(), {}, folds=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def misspell() -> None:
    MLPClassifier(solver="adm")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(activation="rely")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(activation=["relu", "rely"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    MLPClassifier(loss="squared_error")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPRegressor(loss="log_loss")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(batch_size="full")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(learning_rate="cosin")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(learning_rate_init="automatic")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(normalization="bach")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(initializer="kaiming")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(intercept_init="mean")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(weight_averaging="emas")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(augmentation="cutout")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(parametrization="mup")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(front="scal")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(dropout_schedule="flat")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(weight_decay_schedule="flat")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(on_divergence="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(scoring="acuracy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(target_type="binary")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(class_weight="balance")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TabularMLPClassifier("fastest")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TabularMLPRegressor(activation="rely")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TableEncoder(numeric="robustly")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TableEncoder(numeric=["robust", "bins"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    TableEncoder().set_output(transform="arrow")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sknn.metering("estimates")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    neg_training_cost("joules")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    per_watt_hour("acuracy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    GridSearchCV(MLPClassifier(), {}, scoring="acuracy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    HalvingGridSearchCV(MLPClassifier(), {}, max_resources="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def take_another_type() -> None:
    MLPClassifier("100")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(alpha="0.1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(max_iter=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(dropout="0.1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(shuffle="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(validation_fraction="0.1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(random_state=0.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(verbose="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(checkpoint=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MLPClassifier(class_weight=[1.0, 2.0])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    TabularMLPClassifier(n_bins=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TabularMLPClassifier(cv="five")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TableEncoder(max_width="wide")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Quantile("0.5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CosLog(n_cycles=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lockstep(n_jobs="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LearningRateSearchCV(MLPClassifier(), n_rates="ten")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sknn.metering("estimate", watts_per_core="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sknn.save(Ridge(), "ridge.sknn")  # pyright: ignore[reportArgumentType]
    sknn.save(MLPClassifier(), 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LossCurveDisplay.from_estimator(MLPClassifier(), ax=0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def use_what_is_not_there(net: MLPClassifier, regressor: MLPRegressor) -> None:
    print(net.coef_)  # pyright: ignore[reportAttributeAccessIssue]
    print(net.predict_probas([[1.0]]))  # pyright: ignore[reportAttributeAccessIssue]
    print(net.loss_.shape)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(sknn.MLPClasifier)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(net.loss_curve_.mean())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(net.fit([[1.0]], [1]).n_epochs_)  # pyright: ignore[reportAttributeAccessIssue]
    print(net.training_report_.joules)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(net.score([[1.0]], [1]).mean())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(regressor.predict([[1.0]]).values)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(regressor.predict_proba([[1.0]]))  # pyright: ignore[reportAttributeAccessIssue]
    print(regressor.predict([[1.0]], return_std=True).shape)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(TabularMLPRegressor().oof_score_.mean())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(TabularMLPRegressor().predict_set([[1.0]]))  # pyright: ignore[reportAttributeAccessIssue]
    print(LearningRateSearchCV(net).fit([[1.0]], [1]).rates_.tolst())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(LossCurveDisplay.from_estimator(net).ax_.set_titel("Loss"))  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(regressor.trim().n_iter_.shape)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def call_wrongly(net: MLPClassifier, X: NDArray[Any]) -> None:
    net.fit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    net.fit(X, X, weights=X)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    net.partial_fit(X, X, labels=[0, 1])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    net.predict(X, True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TabularMLPRegressor().predict_interval(X, alpha=0.1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    importance(net, X, kind="shap")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    input_gradients(net, X, output="probabilities")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    integrated_gradients(net, X, n_steps="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    explain_row(net, X, row="first")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AttributionDisplay.from_estimator(net, X, kind="bars")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cross_val_score(net, X, X, metric="accuracy")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
