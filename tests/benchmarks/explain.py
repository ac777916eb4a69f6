"""How fast are explanations? ``python -m tests.benchmarks.explain``.

Gradients of one target for 10,000 rows of 20 columns through 64-64 units, against `predict_proba`
on the same rows; integrated gradients with 32 nodes for 1,000 of them; and, where shap is
installed, integrated gradients on breast cancer against its PermutationExplainer, with the
correlation of both.
"""

import importlib.util
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.preprocessing import scale

from sknn import MLPClassifier
from sknn.inspection import input_gradients, integrated_gradients
from tests.benchmarks.timing import best_of, describe_machine, print_table

N_EXPLAINED = 100


def make_network():
    X, y = make_classification(10_000, 20, n_informative=10, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    return MLPClassifier((64, 64), max_iter=20, random_state=0).fit(X, y), X


def against_shap():
    """Return rows of a table: seconds of both, their ratio, and the correlation."""
    import shap

    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X)
    net = MLPClassifier((64, 64), random_state=0, max_iter=100).fit(X, y)
    rows, background = X[:N_EXPLAINED], X[:100]

    def answer(rows):
        p = net.predict_log_proba(rows)
        return p[:, 1] - p[:, 0]

    explainer = shap.PermutationExplainer(answer, shap.maskers.Independent(background), seed=0)
    start = time.perf_counter()
    values = explainer(rows).values
    of_shap = time.perf_counter() - start
    to_mean = best_of({"": lambda: integrated_gradients(net, rows, background=background)}, 3)[""]
    start = time.perf_counter()
    over_sample = integrated_gradients(net, rows, background)
    of_sample = time.perf_counter() - start
    found = [integrated_gradients(net, rows, background=background), over_sample]
    correlations = [np.corrcoef(f.values.ravel(), values.ravel())[0, 1] for f in found]
    pairs = zip(["mean", "100 rows"], [to_mean, of_sample], correlations, strict=True)
    return [[name, f"{s:.4f}", f"{of_shap / s:.0f}", f"{r:.3f}"] for name, s, r in pairs]


def main():
    print(describe_machine())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net, X = make_network()
        times = best_of(
            {
                "predict_proba": lambda: net.predict_proba(X),
                "input_gradients": lambda: input_gradients(net, X, target=1),
                "integrated_gradients": lambda: integrated_gradients(
                    net, X[:1000], n_steps=32, target=1
                ),
            },
            5,
        )
        rows = [
            [
                "gradients / predict_proba",
                f"{times['input_gradients'] / times['predict_proba']:.2f}",
            ],
            ["integrated gradients, 1,000 rows, s", f"{times['integrated_gradients']:.4f}"],
        ]
        print_table(["", "measured"], rows)
        if importlib.util.find_spec("shap"):
            titles = ["baseline", "s, 100 rows", "shap's time / ours", "correlation"]
            print_table(titles, against_shap())


if __name__ == "__main__":
    main()
