"""Rows in files that may be larger than memory.

`from_parquet` and `from_memmap` return rows that the estimators take in place of X and y::

    data = from_parquet("flights/", target="delayed")
    MLPClassifier().fit(data).score(data)
"""

from sknn.data.mapped import from_memmap
from sknn.data.parquet import from_parquet
from sknn.data.stored import StoredRows

__all__ = ["StoredRows", "from_memmap", "from_parquet"]
