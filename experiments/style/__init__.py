"""What style transfer is trained on, and the figures of docs/style.md."""
