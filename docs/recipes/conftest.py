"""Which tools the pages need to be run; ``make test-clients`` has all of them."""

import importlib.util
from pathlib import Path

import pytest

TOOLS = {
    "clusters.rst": ["distributed", "ray"],
    "imbalanced.rst": ["imblearn"],
    "intervals.rst": ["mapie", "crepes"],
    "shapley.rst": ["shap"],
    "tracking.rst": ["mlflow", "skops", "skore"],
    "tuning.rst": ["optuna"],
}
OF_TOOLS = {
    "clusters.rst": ["ignore:.apply_async. is deprecated"],  # joblib's own backend
    "shapley.rst": ["ignore:The set_.* function will be:PendingDeprecationWarning"],  # its colours
    "tracking.rst": [
        "ignore:The ``noload`` loader strategy",  # MLflow's use of SQLAlchemy
        "ignore:.*Any type hint is inferred as AnyType",  # MLflow
        "ignore:.y_pred. was renamed:FutureWarning",  # MLflow's use of scikit-learn
    ],
}
"""Warnings of the tools themselves, which are errors in our tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the pages whose tools are missing, with the reason."""
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        missing = [
            name for name in TOOLS.get(item.path.name, ()) if not importlib.util.find_spec(name)
        ]
        if missing:
            reason = f"make test-clients runs it, with {', '.join(missing)}"
            item.add_marker(pytest.mark.skip(reason=reason))
        for ignored in OF_TOOLS.get(item.path.name, ()):
            item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages write files where they are."""
    monkeypatch.chdir(tmp_path)
