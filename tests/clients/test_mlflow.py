"""mlflow logs our models in its default storage, with our list of types to trust."""

import warnings

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.persistence import TRUSTED_TYPES
from tests.persistence.models import CODES, NUMBERS, TABLE, X, answer, fitted, same, train

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its dependencies
    mlflow = pytest.importorskip(
        "mlflow", reason="make test-long runs them, in an environment with mlflow"
    )
    pytest.importorskip("mlflow.sklearn")

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),  # of mlflow and its dependencies
]

MODELS = {
    "classifier": lambda: (fitted("labels: str"), X),
    "regressor": lambda: (fitted("quantiles"), X),
    "trimmed": lambda: (fitted("labels: int").trim(), X),
    "table": lambda: (fitted("regressor"), TABLE),
    "pipeline": lambda: (
        train(make_pipeline(StandardScaler(), MLPClassifier(**NUMBERS)), X, CODES),
        X,
    ),
}


@pytest.fixture(scope="module")
def _store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    mlflow.create_experiment("models", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("models")
    yield
    mlflow.set_tracking_uri(None)


@pytest.mark.usefixtures("_store")
@pytest.mark.parametrize("name", MODELS)
def test_logged_models_answer_the_same(name):
    model, rows = MODELS[name]()
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            model, name="model", skops_trusted_types=TRUSTED_TYPES, pip_requirements=[]
        )
    again = mlflow.sklearn.load_model(logged.model_uri)

    assert logged.flavors["sklearn"]["serialization_format"] == "skops"
    assert type(again) is type(model)
    assert same(again.predict(rows), model.predict(rows))
    served = mlflow.pyfunc.load_model(logged.model_uri)
    assert same(served.predict(rows), model.predict(rows))


@pytest.mark.usefixtures("_store")
def test_without_the_list_mlflow_refuses():
    with mlflow.start_run(), pytest.raises(mlflow.MlflowException, match="skops_trusted_types"):
        mlflow.sklearn.log_model(fitted("labels: int"), name="model", pip_requirements=[])


def test_a_saved_model_answers_the_same(tmp_path):
    mlflow.sklearn.save_model(
        fitted("classifier"),
        tmp_path / "model",
        skops_trusted_types=TRUSTED_TYPES,
        pip_requirements=[],
    )
    again = mlflow.sklearn.load_model((tmp_path / "model").as_uri())

    assert same(answer("classifier", again), answer("classifier", fitted("classifier")))
