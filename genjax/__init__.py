"""genjax: autoencoders, GANs and style transfer in JAX, small enough to read and exact enough to publish from."""

__version__ = "0.1.0"
