"""What training has made of a network: the one thing that all that follows reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array
from sknn.losses import Loss
from sknn.network import Network
from sknn.solvers import TrainingState
from sknn.targets import Targets

N_PROBED = 512
"""At so many inputs the sensitivity of predictions is measured."""


class FoundRate(NamedTuple):
    """A rate that a range test has found.

    Attributes
    ----------
    rate : float
        The rate.
    losses : ndarray
        The losses at those that were tried.
    operations : int
        What it has cost.
    """

    rate: float
    losses: Array
    operations: int = 0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network that has been trained as far as its state says.

    Attributes
    ----------
    network : Network
        The layers.
    targets : Targets
        With the loss.
    parameters : list of dict
        The parameters of each layer: what the network predicts with.
    state : TrainingState
        What a further training goes on from.
    found_rate : FoundRate or None
        If a range test has been asked.
    stops_early : bool
        Whether the result is the epoch that has scored best.
    """

    network: Network
    targets: Targets
    parameters: list[Any]
    state: TrainingState
    found_rate: FoundRate | None = None
    stops_early: bool = False

    @classmethod
    def of(cls, network: Network, targets: Targets, state: TrainingState, **rest: Any) -> Trained:
        """Return what a state's parameter vector makes of a network.

        Parameters
        ----------
        network : Network
            The network, not trained.
        targets : Targets
            With the loss.
        state : TrainingState
            What a training has come to.
        **rest : dict
            The other fields.

        Returns
        -------
        Trained
            With parameters that are views of the state's vector.
        """
        parameters = network.layout.views(state.theta)
        return cls(network=network, targets=targets, parameters=parameters, state=state, **rest)

    @property
    def loss(self) -> Loss:
        """The loss that was minimised."""
        return self.targets.loss

    def theta(self) -> Array:
        """Return the parameters as one vector, a copy.

        Returns
        -------
        ndarray of shape (n_parameters,)
            Weights first, statistics last.
        """
        return self.network.vector(self.parameters)

    def raw_scores(self, X: Any) -> Array:
        """Return raw scores of shape (n_raw, n_samples) for validated X.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)
            Validated samples.

        Returns
        -------
        ndarray of shape (n_raw, n_samples)
            Raw scores.
        """
        return self.network.predict(X, self.parameters)

    def sensitivities(self) -> Array:
        """Return how strongly predictions change with each input, where inputs are standard normal.

        The link is as steep everywhere as at raw scores of 0, so that sure predictions count, too.

        Returns
        -------
        ndarray of shape (n_features,)
            The mean absolute derivative, summed over outputs.
        """
        shape = self.network.n_outputs, 1
        X = np.random.RandomState(0).standard_normal((N_PROBED, self.network.n_features))
        middle, total = np.zeros(shape), np.zeros(self.network.n_features)
        self.loss.inverse_link(middle)
        for k in range(self.network.n_outputs):
            slope = np.zeros(shape)
            slope[k] = 1
            self.loss.pull_back(middle, slope)

            def differentiate(raw: Array, rows: slice, slope: Array = slope) -> None:
                raw[...] = slope

            gradient = self.network.input_gradient(X, self.parameters, differentiate)
            total += np.abs(gradient).mean(axis=0)
        return total

    def published(self) -> dict[str, Any]:
        """Return the attributes of an estimator that has been fitted so.

        Returns
        -------
        dict
            Attributes by name.
        """
        state = self.state
        attributes: dict[str, Any] = {
            **self.network.publication.publish(self.parameters),
            **self.targets.published(),
            "n_layers_": len(self.network.hidden_sizes) + 2,
            "out_activation_": self.loss.out_activation,
            "n_iter_": state.n_iter,
            "t_": state.t,
            "loss_": state.loss,
            "loss_curve_": list(state.loss_curve),
            "best_loss_": None if self.stops_early else state.best_loss,
            "validation_scores_": list(state.validation_scores) or None,
            "best_validation_score_": state.best_score if self.stops_early else None,
            "has_stopped_": state.has_stopped,
        }
        if self.found_rate is not None:
            attributes["learning_rate_"] = self.found_rate.rate
            attributes["_range_losses"] = self.found_rate.losses
        return attributes
