"""Watching a training: the curves, scikit-learn's callbacks, and one that ends the training.

A network learns the digits. After each epoch a ScoringMonitor notes the accuracy and the log loss
on the training data, and a callback of this script ends the training once all but one in a hundred
are right. LossCurveDisplay draws what the network has recorded by itself. The figure is saved as
watch_training.png in the folder given as argument. Callbacks need scikit-learn 1.9; with an older
one, the script says so and draws the curves only.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.inspection import LossCurveDisplay

try:
    from sklearn.callback import ScoringMonitor
except ImportError:
    ScoringMonitor = None


class StopAtAccuracy:
    """Ends the training once the accuracy on the training data is high enough."""

    def __init__(self, accuracy):
        self.accuracy = accuracy

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        is_epoch = context.task_name == "epoch"
        return is_epoch and fitted_estimator.score(X, y) >= self.accuracy


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X / 16, y, stratify=y, random_state=0)
    net = MLPClassifier((50,), learning_rate_init=0.003, max_iter=500, random_state=0)
    monitor = None
    if ScoringMonitor is None:
        print("scikit-learn before 1.9 has no callbacks; the training ends by itself")
    else:
        monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
        net.set_callbacks(monitor, StopAtAccuracy(0.99))
    net.fit(X_train, y_train, X_val=X_val, y_val=y_val)

    print(f"{net.n_iter_} epochs")
    print(f"accuracy {net.score(X_train, y_train):.3f} on training data", end=", ")
    print(f"{net.score(X_val, y_val):.3f} on unseen digits")
    print(net.summary())
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    LossCurveDisplay.from_estimator(net, ax=left, log_scale=True)
    left.set_title("LossCurveDisplay")
    if monitor is None:
        right.set_axis_off()
    else:
        log = monitor.get_logs().data_as_pandas
        log = log[log["task_name"] == "epoch"]
        right.plot(range(1, len(log) + 1), log["accuracy"], color="C2")
        right.axhline(0.99, color="black", linestyle=":")
        right.set(title="ScoringMonitor: training accuracy", xlabel="Epoch", ylabel="Accuracy")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "watch_training.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
