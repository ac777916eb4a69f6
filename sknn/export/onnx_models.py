"""Fitted estimators and pipelines as ONNX models."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto


def to_onnx(
    estimator_or_pipeline: Any, X_sample: Any, *, target_opset: int | dict[str, int] | None = None
) -> ModelProto:
    """Return a model in the format ONNX, which runs without scikit-learn and this package.

    skl2onnx makes it (``pip install sknn[onnx]``), which knows scikit-learn's own steps, so that
    Pipelines become one model. The first output is the prediction, "label" of classes. They have a
    second one, "probabilities", with a column for each of ``classes_``; of several targets it is a
    sequence of such matrices. There is no ZipMap.

    Labels are words, int64, bools or float64 as in fit. Of float64 inputs numbers and probabilities
    are float64, of others float32; a regressor's predictions for one target have the shape
    (n_samples, 1). Networks compute in the precision that the estimator itself has for such inputs.

    scikit-learn's steps get numbers and bools of one floating type: float32 if all columns that
    they read are float32 or bools, and float64 otherwise, as NumPy has it; so of integers their
    results are float64. What only OneHotEncoder, OrdinalEncoder and TargetEncoder read remains as
    it is.

    Parameters
    ----------
    estimator_or_pipeline : estimator
        A fitted estimator of the package, one of scikit-learn's around some, or a search.
    X_sample : DataFrame or array-like of shape (n_samples, n_features)
        Samples, of which one is enough; they say what the inputs are. An array becomes one input
        "X"; a frame one input of shape (n_samples, 1) for each column, in their order. Its name is
        the column's, with "_" for all but letters, digits and "_", with one in front of a leading
        digit, and with a number behind if it is taken, be it by an output. Numbers are float32,
        float64 or int64, as in `X_sample`, with NaN where one is missing. Words are strings, with
        the empty string where one is missing in a table of ours; for scikit-learn's encoders a
        missing word is what Python calls it, "nan" or "None". Bools with gaps are words, "True" and
        "False", and integers with gaps float64. Columns must have the names and the order of fit;
        tables and ColumnTransformers find them by their names.
    target_opset : int or dict, default=None
        The version of the operators, 9 or newer; None for the newest that skl2onnx knows.

    Returns
    -------
    onnx.ModelProto
        The model.

    Raises
    ------
    ImportError
        If skl2onnx is missing.
    ValueError
        If there are parts that cannot be expressed: a user's own activation, loss or layer; dates,
        times of day, the empty word as a category, or words and numbers as categories of one
        column. If skl2onnx cannot convert a step, or gets it wrong: isotonic calibration, tuned
        thresholds. If the model is not valid, or onnxruntime, where it is installed, cannot load
        it. If X_sample has other columns than the samples of fit.

    See Also
    --------
    sknn.export.register_onnx : For those who call skl2onnx themselves.
    sknn.export.to_python : A module that needs NumPy alone.
    sknn.export.to_sklearn : The same network as an estimator of scikit-learn.
    sknn.save : A file from which training can go on.

    Examples
    --------
    >>> from sknn.export import to_onnx
    >>> model = to_onnx(pipeline, X_train[:1])  # doctest: +SKIP
    >>> content = model.SerializeToString()  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession(content)  # doctest: +SKIP
    >>> inputs = {"X": X_test}  # doctest: +SKIP
    >>> labels, probabilities = session.run(None, inputs)  # doctest: +SKIP
    """
    _need_skl2onnx()
    from sknn.export.converters import convert

    return convert(estimator_or_pipeline, X_sample, target_opset)


def register_onnx() -> None:
    """Tell skl2onnx of the estimators of the package, for callers of ``skl2onnx.to_onnx``.

    :func:`to_onnx` does it by itself. To call it again does no harm. What :func:`to_onnx` does
    beyond that skl2onnx's own functions do not: they check no names, cut off what stands behind the
    point where a column of integers comes first, and try no model out.

    Raises
    ------
    ImportError
        If skl2onnx is missing.

    See Also
    --------
    sknn.export.to_onnx : Does it by itself, and checks what comes out.
    sknn.export.to_python : A module that needs NumPy alone.

    Examples
    --------
    >>> from sknn.export import register_onnx
    >>> register_onnx()  # doctest: +SKIP
    """
    _need_skl2onnx()
    from sknn.export.converters import register

    register()


def _need_skl2onnx() -> None:
    if importlib.util.find_spec("skl2onnx") is None:
        raise ImportError("ONNX models are made by skl2onnx; pip install sknn[onnx] installs it.")
