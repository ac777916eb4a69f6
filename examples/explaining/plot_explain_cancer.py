"""
What a tumour is judged by
==========================

A network behind a scaler, chosen by a search: which of the thirty
measurements does it go by? The answers are in the columns that were
measured, through the scaler, for all tumours and for a single one.
"""

# %%
# The search chooses the penalty of the network. Inside of
# :func:`sknn.lockstep` its networks are trained together.

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.inspection import (
    AttributionDisplay,
    explain_row,
    integrated_gradients,
)

tumours = load_breast_cancer(as_frame=True)
y = tumours.target_names[tumours.target]
X_train, X_test, y_train, y_test = train_test_split(
    tumours.data, y, stratify=y, random_state=0
)
network = sknn.MLPClassifier(
    (16,), solver="lbfgs", max_iter=1000, random_state=0
)
search = GridSearchCV(
    make_pipeline(StandardScaler(), network),
    {"mlpclassifier__alpha": [0.1, 1, 10, 30]},
)
with sknn.lockstep():
    search.fit(X_train, y_train)
print(f"alpha = {search.best_params_['mlpclassifier__alpha']}")
print(
    f"{search.score(X_test, y_test):.1%} of unseen tumours are told right"
)

# %%
# :func:`~sknn.inspection.integrated_gradients` divides the raw score of a
# tumour among the columns, as seen from the mean tumour of the training
# data: their attributions add up to the difference between both scores.

found = integrated_gradients(search, X_test, background=X_train)
print(f"attributions of {found.values.shape[0]} tumours to", end=" ")
print(f"{found.values.shape[1]} columns")
print(f"they miss the scores by {abs(found.errors).max():.3f} at most")

# %%
# Left: each point is a tumour, red where the value of the column is high.
# Columns are sorted by their mean absolute attribution. Large values of
# most columns speak for "malignant"; those of two columns, compactness
# error and fractal dimension error, speak against it. Right: what has moved
# the score of one tumour.
#
# Radius, area and perimeter say nearly the same, and share what one of them
# would have alone. And the figure says what the network uses, not what
# makes a tumour malignant.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(12, 4.8), layout="constrained", width_ratios=(1.4, 1)
)
AttributionDisplay.from_attributions(found, kind="beeswarm", ax=left)
left.set_title("Unseen tumours: what moves the score of 'malignant'")
AttributionDisplay.from_attributions(found, kind="row", row=0, ax=right)
right.set_title(f"The first of them is {y_test[0]}")
plt.show()

# %%
# The same tumour in words. Attributions are now parts of its probability,
# as seen from that of the mean tumour, the base value.

explanation = explain_row(
    search, X_test, row=0, background=X_train, max_features=5
)
print(explanation)

# %%
# :doc:`/guide/explaining` says which question each of these numbers
# answers, and when it misleads.
