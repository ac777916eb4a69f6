"""Looking into trained networks."""

from sknn.inspection.activation_display import ActivationDisplay
from sknn.inspection.attribution_display import AttributionDisplay
from sknn.inspection.attributions import Attributions
from sknn.inspection.gradients import input_gradients
from sknn.inspection.importances import importance
from sknn.inspection.integrated import integrated_gradients
from sknn.inspection.loss_curve import LossCurveDisplay
from sknn.inspection.network_display import NetworkDisplay
from sknn.inspection.rows import RowExplanation, explain_row
from sknn.inspection.weights_display import WeightsDisplay

__all__ = [
    "ActivationDisplay",
    "AttributionDisplay",
    "Attributions",
    "LossCurveDisplay",
    "NetworkDisplay",
    "RowExplanation",
    "WeightsDisplay",
    "explain_row",
    "importance",
    "input_gradients",
    "integrated_gradients",
]
