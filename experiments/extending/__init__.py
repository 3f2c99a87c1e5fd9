"""Somebody else's code for genjax: one of each kind, named in a config as "package.module:name" (docs/extending.md)."""
