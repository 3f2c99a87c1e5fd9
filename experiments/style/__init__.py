"""The training images of style transfer, and the figures of docs/style.md."""
