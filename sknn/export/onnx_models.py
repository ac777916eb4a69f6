"""Fitted estimators and pipelines as ONNX models."""

from __future__ import annotations

import importlib.util
from typing import Any


def to_onnx(estimator_or_pipeline: Any, X_sample: Any, *, target_opset: Any = None) -> Any:
    """Return a model in the format ONNX, which runs without scikit-learn and this package.

    skl2onnx makes it (``pip install sknn[onnx]``), which knows scikit-learn's own steps, so that
    Pipelines become one model. The first output is the prediction, "label" of classes. They have a
    second one, "probabilities", with a column for each of ``classes_``; of several targets it is a
    sequence of such matrices. There is no ZipMap.

    Labels are words, int64, bools or float64 as in fit. Of float32 or integer inputs numbers and
    probabilities are float32, of float64 inputs float64; a regressor's predictions for one target
    have the shape (n_samples, 1). Networks compute in the precision that the estimator itself has
    for such inputs.

    Parameters
    ----------
    estimator_or_pipeline : estimator
        A fitted estimator of the package, one of scikit-learn's around some, or a search.
    X_sample : DataFrame or array-like of shape (n_samples, n_features)
        Samples, of which one is enough; they say what the inputs are. An array becomes one input
        "X"; a frame one input of shape (n_samples, 1) for each column, in their order, with the
        column's name (in which all but letters and digits becomes "_"). Numbers are float32,
        float64 or int64, as in `X_sample`, with NaN where one is missing; where steps of
        scikit-learn's put columns of both floats side by side, all of them are float64. Words are
        strings, with the empty string where one is missing. Bools with gaps are words, "True" and
        "False", and integers with gaps float64.
    target_opset : int or dict, default=None
        The version of the operators; None for the newest that skl2onnx knows.

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
        times of day, or words and numbers as categories of one column.

    Examples
    --------
    >>> from sknn.export import to_onnx
    >>> model = to_onnx(pipeline, X_train[:1])  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())  # doctest: +SKIP
    >>> labels, probabilities = session.run(None, {"X": X_test})  # doctest: +SKIP
    """
    _need_skl2onnx()
    from sknn.export.converters import convert

    return convert(estimator_or_pipeline, X_sample, target_opset)


def register_onnx() -> None:
    """Tell skl2onnx of the estimators of the package, for callers of ``skl2onnx.to_onnx``.

    :func:`to_onnx` does it by itself. To call it again does no harm.

    Raises
    ------
    ImportError
        If skl2onnx is missing.
    """
    _need_skl2onnx()
    from sknn.export.converters import register

    register()


def _need_skl2onnx() -> None:
    if importlib.util.find_spec("skl2onnx") is None:
        raise ImportError("ONNX models are made by skl2onnx; pip install sknn[onnx] installs it.")
