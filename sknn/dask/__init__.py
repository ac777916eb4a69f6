"""The estimators on a Dask cluster.

One fit is shared by all workers of a cluster: each trains on shards of the rows that are its own
for a few steps, and the parameters are averaged. It needs the extra ``sknn[dask]``.
"""

from sknn.dask.classifier import DaskMLPClassifier
from sknn.dask.regressor import DaskMLPRegressor

__all__ = ["DaskMLPClassifier", "DaskMLPRegressor"]
