"""The update rules side by side, each at a learning rate that suits it.

The same network learns the digits with each rule, from the same weights and with the same shuffles.
The rates differ by orders of magnitude from rule to rule, so each takes the one that its range test
has found (learning_rate_init="auto"). Training ends at a loss of 0.01, or when it falls too slowly.
One data set ranks nothing: the figure shows how the rules move, not which is best. It is saved as
solvers.png in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.optimizers import OPTIMIZERS


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    fig, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
    print(f"{'solver':<16}{'rate':>8}{'epochs':>8}{'test accuracy':>16}")
    for i, solver in enumerate(OPTIMIZERS):
        net = MLPClassifier(
            (32,),
            solver=solver,
            learning_rate_init="auto",
            target_loss=0.01,
            max_iter=1000,
            random_state=0,
        )
        net.fit(X_train, y_train)
        loss, style = net.history_["loss"], "--" if i > 4 else "-"
        label = f"{solver}, {net.learning_rate_:.2g}"
        ax.plot(loss.index, loss, style, color=f"C{i % 5}", label=label)
        score = net.score(X_test, y_test)
        print(f"{solver:<16}{net.learning_rate_:>8.2g}{net.n_iter_:>8}{score:>16.3f}")
    ax.set(xlabel="epoch", ylabel="training loss", xscale="log", yscale="log")
    ax.legend(title="solver, rate found", loc="center left", bbox_to_anchor=(1, 0.5))
    ax.grid(alpha=0.3)
    fig.savefig(folder / "solvers.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
