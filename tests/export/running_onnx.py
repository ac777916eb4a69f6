"""Exported models, run by onnxruntime, which is loaded only when one is run."""

import numpy as np

import sknn.export
from tests.export.running import as_list


def feed_of(session, X):
    """Return rows as a model takes them: an array, or each column."""
    inputs = session.get_inputs()
    if not hasattr(X, "columns"):
        return {inputs[0].name: X}
    kinds = {"tensor(string)": object, "tensor(int64)": np.int64, "tensor(bool)": bool}
    floats = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    feed = {}
    for item, name in zip(inputs, X.columns, strict=True):
        column = X[name]
        if item.type == "tensor(string)":
            column = column.astype(object).where(column.notna(), "")
        feed[item.name] = np.asarray(column, (kinds | floats)[item.type])[:, np.newaxis]
    return feed


def run_onnx(estimator, X, sample=None, **options):
    """Return what an exported estimator says of rows."""
    import onnx
    import onnxruntime

    model = sknn.export.to_onnx(estimator, X[:1] if sample is None else sample[:1], **options)
    onnx.checker.check_model(model, full_check=True)
    assert "ZipMap" not in {node.op_type for node in model.graph.node}
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.HasField("tensor_type"):
            assert not value.type.tensor_type.shape.dim[0].dim_value
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, feed_of(session, X))


def check_classes(estimator, X, sample=None):
    labels, found = run_onnx(estimator, X, sample)
    expected, predicted = estimator.predict_proba(X), estimator.predict(X)

    differ = np.zeros(len(X), bool)
    for part, whole in zip(as_list(found), as_list(expected), strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-5)
        highest = np.sort(whole, axis=1)[:, -2:]
        differ |= (highest[:, -1] - highest[:, 0] < 1e-5) & (whole.shape[1] > 1)
    is_same = np.asarray(labels == predicted).reshape(len(X), -1).all(axis=1)
    assert (is_same | differ).all()
    assert labels.shape == predicted.shape
    return labels, found


def check_numbers(estimator, X, sample=None):
    [found] = run_onnx(estimator, X, sample)
    expected = estimator.predict(X)

    least = 1e-6 * np.abs(expected).max()  # numbers near 0 are differences of larger ones
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-5, atol=least)
    return found
