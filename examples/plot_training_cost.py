"""What accuracy costs: the cheapest network that is as good as the best, within what is known.

Networks of many sizes learn to tell handwritten digits, with several budgets of floating-point
operations, cross-validated as one search. The report of each fit says what it has cost; two scorers
make columns of ``cv_results_`` of it. The best mean score has a standard error over the folds:
whatever is within one of it cannot be told from the best, and the cheapest of those is chosen. The
figure is saved as training_cost.png in the folder given as argument.
"""

import sys
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier
from sknn.model_selection import GridSearchCV, neg_training_cost, per_watt_hour

N_FOLDS = 5
GRID = {
    "hidden_layer_sizes": [(4,), (8,), (16,), (32,), (64,), (128,), (64, 64)],
    "max_flops": [1e8, 1e9, 1e10],
}
SCORING = {
    "accuracy": "accuracy",
    "accuracy_per_wh": per_watt_hour("accuracy"),
    "flops": neg_training_cost("flops"),
}


def cheapest_as_good_as_the_best(results):
    """Return the candidate that has cost least of those within one standard error of the best."""
    mean, deviation = results["mean_test_accuracy"], results["std_test_accuracy"]
    best = mean.argmax()
    is_as_good = mean >= mean[best] - deviation[best] / np.sqrt(N_FOLDS)
    cost = np.where(is_as_good, -results["mean_test_flops"], np.inf)
    return int(cost.argmin())


def name_of(parameters):
    sizes = "-".join(map(str, parameters["hidden_layer_sizes"]))
    return f"{sizes} units, at most {parameters['max_flops']:.0e} operations"


def draw(folder, results, chosen):
    mean, deviation = results["mean_test_accuracy"], results["std_test_accuracy"]
    error, flops = deviation / np.sqrt(N_FOLDS), -results["mean_test_flops"]
    best = mean.argmax()
    fig, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    budgets = np.ma.getdata(results["param_max_flops"]).astype(float)
    for k, budget in enumerate(GRID["max_flops"]):
        those = budgets == budget
        label = f"at most {budget:.0e} operations"
        ax.errorbar(flops[those], mean[those], error[those], fmt="o", color=f"C{k}", label=label)
    low = mean[best] - error[best]
    ax.axhspan(low, mean[best], color="#bbbbbb", alpha=0.5, label="one standard error of the best")
    for place, text, offset in (
        (best, "best", (-70, -45)),
        (chosen, "cheapest as good", (-80, -55)),
    ):
        ax.annotate(
            f"{text}\n{'-'.join(map(str, results['params'][place]['hidden_layer_sizes']))}",
            (flops[place], mean[place]),
            xytext=offset,
            textcoords="offset points",
            arrowprops={"arrowstyle": "->"},
        )
    ax.set(
        xscale="log",
        xlabel="floating-point operations of a fit",
        ylabel=f"accuracy, mean of {N_FOLDS} folds",
        title="Handwritten digits: what accuracy costs",
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    fig.savefig(folder / "training_cost.png", dpi=130)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    network = MLPClassifier(max_iter=60, learning_rate_init=0.005, random_state=0)
    search = GridSearchCV(
        network, GRID, scoring=SCORING, cv=N_FOLDS, refit=cheapest_as_good_as_the_best
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a small budget is meant to be short
        search.fit(X / 16, y)
    results, chosen = search.cv_results_, search.best_index_
    for text, place in (
        ("best", results["mean_test_accuracy"].argmax()),
        ("cheapest as good", chosen),
    ):
        print(f"{text:<17} {name_of(results['params'][place])}")
        print(
            f"    accuracy {results['mean_test_accuracy'][place]:.3f},"
            f" {-results['mean_test_flops'][place]:.1e} operations,"
            f" {results['mean_test_accuracy_per_wh'][place]:.0f} per watt-hour"
        )
    print(search.best_estimator_.training_report_)
    draw(folder, results, chosen)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
