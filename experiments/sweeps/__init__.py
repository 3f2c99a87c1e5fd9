"""Sweeps: an experiment's file -> runs -> processes here or on a cluster -> table and figure: docs/experiments.md."""
