"""What is inside a network, in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array
from sknn.estimators.data import check_samples
from sknn.layers import ActivationLayer, Layer, Residual
from sknn.parameters import STATISTIC, leaves

if TYPE_CHECKING:
    from sknn.network import Network


class NetworkSummary:
    """What an estimator tells about its network."""

    n_layers_: int
    _network: Network
    _parameters: Any

    def summary(self) -> str:
        """Return a table of the layers, the shapes of their outputs and their parameters.

        Returns
        -------
        str
            One line a layer, and a last one with the number of all parameters.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn import MLPRegressor
        >>> X = np.arange(12.0).reshape(6, 2) / 10
        >>> net = MLPRegressor((4,), dropout=0.1, solver="adamw", max_iter=1, tol=0, random_state=0)
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     net = net.fit(X, X.sum(axis=1))
        >>> print(net.summary())
        layer       output  parameters
        input            2           0
        Linear           4          12
        ReLU             4           0
        Dropout          4           0
        Linear           1           5
        all                         17
        """
        check_is_fitted(self)
        rows = [("layer", "output", "parameters"), ("input", str(self._network.n_features), "0")]
        n_in, total = self._network.n_features, 0
        for name, n_out, count in _walk(self._network.layers, n_in):
            rows.append((name, str(n_out), str(count)))
            total += count
        rows.append(("all", "", str(total)))
        width = max(len(name) for name, _, _ in rows) + 2
        return "\n".join(f"{a:<{width}}{b:>8}{c:>12}".rstrip() for a, b, c in rows)

    def hidden_layer_outputs(self, X: Any, layer: int = -1) -> Array:
        """Return the outputs of a hidden layer.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        layer : int, default=-1
            Which hidden layer, counted from 0, or from the last one with negative numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            After the activation, as prediction computes them.
        """
        check_is_fitted(self)
        n_hidden = self.n_layers_ - 2
        if not isinstance(layer, (int, np.integer)) or not -n_hidden <= layer < n_hidden:
            raise ValueError(
                f"layer must be an int in the range [{-n_hidden}, {n_hidden - 1}]; got {layer!r}."
                if n_hidden
                else "The network has no hidden layer."
            )
        return self._network.hidden_outputs(check_samples(self, X), self._parameters())[layer]

    # scikit-learn's diagram, with the network below once there is one.

    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + self._summary_html()  # type: ignore[misc]

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += self._summary_html()
        return dict(bundle)

    def _summary_html(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>" if "coefs_" in vars(self) else ""


def _walk(layers: Sequence[Layer], n_in: int, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield name, number of outputs and number of trained parameters of each layer."""
    for layer in layers:
        n_out = layer.n_out(n_in)
        if isinstance(layer, Residual):
            yield from _walk(layer.layers, n_in, "+ ")
        else:
            described = (p for leaf in leaves(layer.parameters(n_in)) for p in leaf.values())
            trained = (p.shape for p in described if p.kind != STATISTIC)
            yield prefix + _name(layer), n_out, sum(map(math.prod, trained))
        n_in = n_out


def _name(layer: Layer) -> str:
    if isinstance(layer, ActivationLayer):
        activation = layer.activation
        return type(getattr(activation, "function", activation)).__name__
    return type(layer).__name__
