"""What `helpers.PROCESSES` does once, before it forks processes: the packaged clothes are decoded."""

from genjax.data import packaged

for split in ("train", "test"):
    packaged._decoded(packaged._fashion, "fashion_mnist_10k", split)
