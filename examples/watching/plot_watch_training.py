"""
Watching a training
===================

A network records by itself how its training goes, and
:class:`~sknn.inspection.LossCurveDisplay` draws it. scikit-learn's
callbacks go further: they note scores after each epoch, show progress, or
end a training for a reason of your own. Here one callback notes scores
while a network learns the digits, and another one ends the training.
"""

# %%
# A callback is an object with four methods. This one asks for the data and
# for the network as it stands after an epoch; a true value ends the
# training, here once all but one in a hundred training images are read
# correctly.

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
    """Ends the training once the training accuracy is high enough."""

    def __init__(self, accuracy):
        self.accuracy = accuracy

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(
        self, estimator, context, *, X, y, fitted_estimator
    ):
        is_epoch = context.task_name == "epoch"
        return is_epoch and fitted_estimator.score(X, y) >= self.accuracy


# %%
# ``ScoringMonitor`` is scikit-learn's own callback; it notes scores on the
# training data. Callbacks need scikit-learn 1.9. With an older one the
# training ends by itself here, and all else works.
#
# ``X_val`` and ``y_val`` are samples that the network does not learn from.
# It notes its loss and its score on them.

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    X / 16, y, stratify=y, random_state=0
)
net = MLPClassifier(
    (50,), learning_rate_init=0.003, max_iter=500, random_state=0
)
if ScoringMonitor is None:
    print("scikit-learn before 1.9 has no callbacks")
else:
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    net.set_callbacks(monitor, StopAtAccuracy(0.99))
net.fit(X_train, y_train, X_val=X_val, y_val=y_val)

print(f"{net.n_iter_} epochs")
print(f"accuracy {net.score(X_train, y_train):.3f} on training data")
print(f"accuracy {net.score(X_val, y_val):.3f} on unseen digits")

# %%
# What has been recorded is a table with a row for each epoch. Its last
# rows:

net.history_.tail(3)

# %%
# Left: the display draws the losses and the validation score. The
# validation loss falls more slowly than the training loss in the end, but
# it falls: so far the network learns what serves it on unseen digits, too.
# Right: what the monitor has noted, until the other callback ended the
# training.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained"
)
LossCurveDisplay.from_estimator(net, ax=left, log_scale=True)
left.set_title("LossCurveDisplay")
left.grid(alpha=0.3)
if ScoringMonitor is None:
    right.set_axis_off()
else:
    log = monitor.get_logs().data_as_pandas
    log = log[log["task_name"] == "epoch"]
    right.plot(range(1, len(log) + 1), log["accuracy"], color="#009E73")
    right.axhline(0.99, color="black", linestyle=":")
    right.set(
        title="ScoringMonitor: training accuracy",
        xlabel="Epoch",
        ylabel="Accuracy",
    )
    right.grid(alpha=0.3)
plt.show()

# %%
# The layers of the network, with their parameters:

print(net.summary())

# %%
# More about curves and callbacks: :doc:`/guide/watching`.
