"""Neural networks for the scikit-learn ecosystem, on plain NumPy."""

from typing import TYPE_CHECKING, Any

from sknn._version import __version__
from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.parallel import lockstep

if TYPE_CHECKING:
    from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "__version__",
    "lockstep",
]


def __getattr__(name: str) -> Any:
    # Tables need pandas, which takes as long to import as all the rest; many want networks only.
    if name in ("TabularMLPClassifier", "TabularMLPRegressor"):
        import sknn.tabular

        return getattr(sknn.tabular, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
