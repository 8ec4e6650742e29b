"""What is known about a threshold: the errors that it makes on a set of comparisons, and which set that was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..metrics.intervals import Estimate
from .acquisition import Acquisition
from .comparisons import Comparisons
from .json_values import count, exactly, number, rate

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Evidence:
    """The errors of a threshold on one set of comparisons.

    Attributes
    ----------
    data : str
        Where the comparisons came from, in words.
    sha256 : str
        Hash of the contents of the images, the pairs and their truths: see :attr:`Comparisons.sha256`.
    n_identities : int
    acquisition : Acquisition
    fmr, fnmr : Estimate
        At the threshold, over comparisons that were made.
    """

    data: str
    sha256: str
    n_identities: int
    acquisition: Acquisition
    fmr: Estimate
    fnmr: Estimate

    @classmethod
    def of(cls, comparisons: Comparisons, threshold: float) -> Evidence:
        """The errors of a threshold on comparisons.

        Raises
        ------
        ValueError
            If there are no mated or no non-mated comparisons that were made.
        """
        rates = comparisons.rates
        return cls(
            comparisons.source,
            comparisons.sha256,
            rates.shared.n_identities,
            comparisons.acquisition,
            rates.fmr(threshold),
            rates.fnmr(threshold),
        )

    @property
    def n_non_mated(self) -> int:
        """Non-mated comparisons that were made."""
        return self.acquisition.n_non_mated - self.acquisition.n_non_mated_lost

    def to_json(self) -> dict:
        """JSON values."""
        rates = {"fmr": self.fmr.to_json(), "fnmr": self.fnmr.to_json()}
        known = {"data": self.data, "sha256": self.sha256, "n_identities": self.n_identities}
        return {**known, "acquisition": self.acquisition.to_json(), **rates}

    @classmethod
    def from_json(cls, values: Mapping) -> Evidence:
        """The evidence that :meth:`to_json` wrote."""
        exactly(values, {f.name for f in fields(cls)}, "evidence")
        if not _SHA256.fullmatch(str(values["sha256"])):
            raise ValueError("sha256 must be 64 hexadecimal characters.")
        return cls(
            str(values["data"]),
            str(values["sha256"]),
            count(values["n_identities"]),
            _acquisition(values["acquisition"]),
            rate(values["fmr"]),
            rate(values["fnmr"]),
        )


def _acquisition(values: Mapping) -> Acquisition:
    names = {f.name for f in fields(Acquisition)}
    exactly(values, names | {"fta"}, "acquisition")
    statuses = {str(name): count(n) for name, n in values["status_counts"].items()}
    found = Acquisition(**{n: count(values[n]) for n in names - {"status_counts"}}, status_counts=statuses)
    if values["fta"] is not None and number(values["fta"]) != found.fta:
        raise ValueError("the failure-to-acquire rate does not fit its counts.")
    return found
