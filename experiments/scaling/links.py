"""The time of an all-reduce: stated link speeds, and the model of a ring."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """The link from a device (or a host) to the next one."""

    gigabytes: float  # per second, in one direction
    microseconds: float  # from the start of a message to its arrival
    source: str


LINKS = {
    "nvlink4": Link(450, 3.4, "NVIDIA H100 SXM: NVLink 900 GB/s, both directions together; NCCL tuning.cc"),
    "ici_v5e": Link(200, 1.0, "Cloud TPU v5e: 1,600 Gb/s per chip; latency assumed"),
    "pcie4": Link(31.5, 5.7, "PCI Express 4.0 x16: 16 GT/s, 16 lanes, 128b/130b; NCCL tuning.cc"),
    "ethernet100": Link(12.5, 14.0, "100 Gb/s Ethernet per host; NCCL tuning.cc"),
    "ethernet10": Link(1.25, 50.0, "10 Gb/s Ethernet per host; latency assumed"),
}
"""By name, fastest first. NCCL's latencies are those of its ring in the simple protocol."""


def ring_seconds(nbytes: float, devices: int, link: Link) -> float:
    """Seconds of one all-reduce of `nbytes` bytes on n devices: 2 (n - 1) messages in turn, each of an n-th of them.

    Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms", doi:10.1016/j.jpdc.2008.09.002.
    """
    return 2 * (devices - 1) * (nbytes / devices / link.gigabytes / 1e9 + link.microseconds / 1e6)
