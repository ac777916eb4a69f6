"""
How sure is a prediction?
=========================

A single number says nothing about how far the truth may be from it. Two
networks say more: one learns three quantiles of what is to be expected, the
other a mean and a standard deviation. On patients who were not trained on,
we check whether the bands hold as many of them as they promise.
"""

# %%
# From the body mass index to the disease
# ---------------------------------------
#
# To be able to draw everything, we predict how the disease of the diabetes
# data has progressed after a year from one feature, the body mass index.
# Half of the patients are kept for the check. A band of several quantiles
# does not go through :class:`~sklearn.compose.TransformedTargetRegressor`,
# so we scale the target by hand, and all bounds back alike.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.losses import Quantile

patients = load_diabetes(scaled=False, as_frame=True)
X, y = patients.data[["bmi"]].to_numpy(), patients.target.to_numpy()
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, random_state=0
)
center, scale = y_train.mean(), y_train.std()


def fit(loss):
    net = MLPRegressor(
        (10,),
        "tanh",
        loss=loss,
        alpha=0.1,
        batch_size=50,
        learning_rate_init=0.01,
        max_iter=2000,
        random_state=0,
    )
    model = make_pipeline(StandardScaler(), net)
    return model.fit(X_train, (y_train - center) / scale)


# %%
# Two losses
# ----------
#
# :class:`sknn.losses.Quantile` gets the levels: a tenth of the patients
# should lie below the lowest curve, half below the middle one, a tenth
# above the highest. ``loss="gaussian"`` learns the mean and the standard
# deviation of a normal distribution, of which 1.28 standard deviations to
# either side of the mean hold 80%.

LEVELS = [0.1, 0.5, 0.9]
by_quantiles = fit(Quantile(LEVELS))
by_normal = fit("gaussian")


def quantile_band(X):
    return (by_quantiles.predict(X) * scale + center).T


def normal_band(X, levels=LEVELS):
    mean, std = by_normal.predict(X, return_std=True)
    bounds = mean + norm.ppf(levels)[:, np.newaxis] * std
    return bounds * scale + center


BANDS = {"loss=Quantile([0.1, 0.5, 0.9])": quantile_band}
BANDS["loss='gaussian'"] = normal_band
print(f"{len(X_test)} patients not trained on; 80% should lie inside")
for name, band in BANDS.items():
    low, _, high = band(X_test)
    inside = np.mean((low <= y_test) & (y_test <= high))
    width = np.mean(high - low)
    print(f"{name:<32} {inside:.0%} inside, mean width {width:.0f}")

# %%
# Both bands are wider at a high body mass index than at a low one. The
# quantiles need not lie evenly about the median: at a low index the band
# reaches further up, at a high one further down. The normal distribution is
# even by construction. Beyond an index of 38 there is hardly a patient to
# learn from; the curves go on there, and do not know it.
#
# Of 221 patients, 80% are 177, and chance alone moves the share by 3
# percentage points up or down (one standard error). So 81% is what was
# promised, and 85% a little more than that, if not by chance.

x = np.linspace(X.min(), X.max(), 200)[:, np.newaxis]
fig, axes = plt.subplots(
    1, 2, figsize=(9, 4), sharey=True, layout="constrained"
)
for ax, (name, band), middle in zip(
    axes, BANDS.items(), ("median", "mean"), strict=True
):
    low, center_line, high = band(x)
    ax.fill_between(
        x[:, 0], low, high, color="#56B4E9", alpha=0.3, label="80%"
    )
    ax.plot(x, center_line, color="#0072B2", label=middle)
    ax.plot(
        X_test,
        y_test,
        ".",
        color="#444444",
        markersize=4,
        label="unseen patients",
    )
    ax.set(title=name, xlabel="body mass index")
    ax.legend(loc="upper left")
    ax.grid(alpha=0.3)
axes[0].set_ylabel("progression after a year")
plt.show()

# %%
# Is it right at other levels, too?
# ---------------------------------
#
# A normal distribution has all quantiles, so it can be asked at any level:
# how many of the unseen patients lie below what is predicted for them? On
# the diagonal they are as many as promised.

levels = np.linspace(0.02, 0.98, 49)
below = {
    "normal distribution": (levels, normal_band(X_test, levels)),
    "quantiles": (LEVELS, quantile_band(X_test)),
}
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.plot([0, 1], [0, 1], color="#999999", label="as promised")
for (name, (promised, bounds)), style in zip(
    below.items(), ("-", "o"), strict=True
):
    shares = np.mean(y_test <= bounds, axis=1)
    off = np.abs(shares - promised).max()
    print(f"{name}: off by {off:.2f} at most")
    color = "#0072B2" if style == "-" else "#D55E00"
    ax.plot(promised, shares, style, color=color, label=name)
ax.set(
    xlabel="level of the quantile", ylabel="share of unseen patients below"
)
ax.legend()
ax.grid(alpha=0.3)
plt.show()

# %%
# Both stay close to the diagonal; chance moves a share in the middle by
# 0.03 (one standard error). The normal distribution is a little above it
# from 0.3 on: more than half of the patients lie below their mean. That
# would fit progressions of which a few are far larger than most, but chance
# is not ruled out, since points next to each other count nearly the same
# patients.
#
# :doc:`/guide/losses` explains both losses and when to use which.
