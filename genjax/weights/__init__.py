"""Trained weights for the nets of genjax.nets: packaged ones, and readers of files that others publish."""
