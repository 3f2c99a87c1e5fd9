"""Studies with genjax: sweeps, ablations and benchmarks. Run them from the repository's root."""
