"""From a search over a Pipeline to what its network looks at, in the columns that were measured.

A search chooses the penalty of a network behind a StandardScaler; its networks train in lockstep.
Integrated gradients say which measurement has moved the raw score of which tumour, and one tumour
is explained in plain words. The figure is saved as explain_cancer.png in the folder given as
argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import MLPClassifier
from sknn.inspection import AttributionDisplay, explain_row, integrated_gradients


def main(folder: Path) -> None:
    tumours = load_breast_cancer(as_frame=True)
    y = tumours.target_names[tumours.target]
    X_train, X_test, y_train, y_test = train_test_split(tumours.data, y, stratify=y, random_state=0)
    network = MLPClassifier((16,), solver="lbfgs", max_iter=1000, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network), {"mlpclassifier__alpha": [0.1, 1, 10, 30]}
    )
    with sknn.lockstep():
        search.fit(X_train, y_train)
    print(f"alpha = {search.best_params_['mlpclassifier__alpha']}: ", end="")
    print(f"{search.score(X_test, y_test):.1%} of unseen tumours are told right")

    found = integrated_gradients(search, X_test, background=X_train)
    print(explain_row(search, X_test, row=0, background=X_train, max_features=5))

    fig, axes = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained", width_ratios=(1.4, 1))
    AttributionDisplay.from_attributions(found, kind="beeswarm", ax=axes[0])
    axes[0].set_title("Unseen tumours: what moves the score of 'malignant'")
    AttributionDisplay.from_attributions(found, kind="row", row=0, ax=axes[1])
    axes[1].set_title(f"The first of them is {y_test[0]}")
    fig.savefig(folder / "explain_cancer.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
