"""Looking into trained networks."""

from sknn.inspection.loss_curve import LossCurveDisplay

__all__ = ["LossCurveDisplay"]
