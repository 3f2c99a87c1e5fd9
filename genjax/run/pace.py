"""The pace of a run of several processes: all take the same steps, and wait for the slowest reader, which is named."""

from collections.abc import Sequence

import numpy as np

LATE = 0.2
"""A process that reads this much more of the time than the quickest one is named."""


class Pace:
    """The time that each process of a run spends reading its part of the batches, between rows of metrics."""

    def __init__(self, hosts: Sequence[str]):
        """The machine of each process, by its number."""
        self._hosts = hosts
        self._reading = np.zeros(len(hosts))
        self._named = -1

    def add(self, reading: Sequence[float]) -> None:
        """Count a call of the loop: seconds of reading, by process."""
        self._reading += reading

    def shares(self, seconds: float) -> list[float]:
        """The share of the time since the last row that each process read, which is then forgotten; none for one."""
        shares = [round(float(share), 3) for share in self._reading / max(seconds, 1e-9)]
        self._reading[:] = 0
        return shares if len(shares) > 1 else []

    def line(self, shares: Sequence[float]) -> str:
        """A line on the process that the others wait for, when it is another than before; "" without one."""
        slowest, quickest = (int(choose(shares)) for choose in (np.argmax, np.argmin))
        late = shares[slowest] - shares[quickest] > LATE
        if not late or slowest == self._named:
            self._named = slowest if late else -1
            return ""
        self._named = slowest
        return (
            f"warning: process {slowest} ({self._hosts[slowest]}) reads its examples in {shares[slowest]:.0%} of the "
            f"time, process {quickest} ({self._hosts[quickest]}) in {shares[quickest]:.0%}: all wait for it"
        )
