"""When training goes wrong: what the warnings say, and what following them does.

Left: a network is trained on the breast cancer data as they are. It does not converge, and the
warning names the reason and the remedy; a second network follows the advice. Right: gradient
descent on the diabetes data at a rate that is too large. on_divergence="recover" goes back by an
epoch and on at a lower rate. The figure is saved as diagnosis.png in the folder given as argument.
"""

import sys
import textwrap
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor


def fit_and_tell(model, X, y):
    """Fit a model and print its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    for warning in caught:
        text = f"{warning.category.__name__}: {warning.message}"
        print(textwrap.fill(text, 96, initial_indent="  ", subsequent_indent="  "))
    return model


def draw_unscaled(ax):
    X, y = load_breast_cancer(return_X_y=True)
    for name, steps in {"X as it is": (), "after a StandardScaler": (StandardScaler(),)}.items():
        print(f"breast cancer, {name}")
        net = MLPClassifier((20,), learning_rate_init=0.01, max_iter=60, tol=1e-3, random_state=0)
        model = fit_and_tell(make_pipeline(*steps, net), X, y)
        loss = model[-1].history_["loss"]
        ax.plot(loss.index, loss, label=name)
        print(f"  loss {loss.iloc[-1]:.3f} after {len(loss)} epochs")
    ax.set(title="breast cancer", xlabel="epoch", ylabel="training loss", yscale="log")
    ax.legend()


def draw_divergence(ax):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    print("diabetes, rate too large")
    net = MLPRegressor(
        (20,),
        solver="sgd",
        momentum=0,
        batch_size=32,
        learning_rate_init=2.0,
        max_iter=200,
        tol=1e-3,
        random_state=0,
    )
    try:
        net.fit(X, y)
    except ValueError as error:
        print(textwrap.fill(f"  ValueError: {error}", 96, subsequent_indent="  "))
    history = fit_and_tell(net.set_params(on_divergence="recover"), X, y).history_
    ax.plot(history.index, history["learning_rate"], color="C2", drawstyle="steps-post")
    ax.set(title="diabetes, on_divergence='recover'", xlabel="epoch", ylabel="learning rate")
    ax.set(ylim=(0, None))
    ax.yaxis.label.set_color("C2")
    losses = ax.twinx()
    losses.plot(history.index, history["loss"], color="C3")
    losses.set(ylabel="training loss", ylim=(0, None))
    losses.yaxis.label.set_color("C3")


def main(folder: Path) -> None:
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    draw_unscaled(left)
    draw_divergence(right)
    left.grid(alpha=0.3)
    fig.savefig(folder / "diagnosis.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
