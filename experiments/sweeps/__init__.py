"""Sweeps: an experiment's file -> its runs -> child processes -> a table and a figure (docs/experiments.md)."""
