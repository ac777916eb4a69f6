"""Small fits that meet, for the tests of lockstep."""

import joblib
import numpy as np

import sknn
from sknn.parallel.tasks import Cancelled

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)


def make_network(**parameters):
    settings = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    return sknn.MLPClassifier(**(settings | parameters))


def fit(rate=0.001, **parameters):
    return make_network(learning_rate_init=rate, **parameters).fit(X, Y)


def weights(network):
    return network.coefs_[0]


def run(function, arguments, **options):
    """Run a function over arguments as joblib tasks."""
    return joblib.Parallel(**options)(joblib.delayed(function)(a) for a in arguments)


class Log(list):
    """What tasks have gone through, as they unwind."""

    def task(self, i):
        try:
            fit()
            self.append(("returned", i))
        except Exception:
            self.append(("exception", i))
        except Cancelled:
            self.append(("cancelled", i))
            raise
        finally:
            self.append(("finally", i))
