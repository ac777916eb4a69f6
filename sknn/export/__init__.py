"""Fitted estimators in other terms: scikit-learn's own, ONNX, plain Python source."""

from sknn.export.counterpart import to_sklearn
from sknn.export.onnx_models import register_onnx, to_onnx
from sknn.export.source import to_python

__all__ = ["register_onnx", "to_onnx", "to_python", "to_sklearn"]
