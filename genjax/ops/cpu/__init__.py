"""Forms of operations that XLA's CPU backend runs faster; each has its plain twin, which tests hold it to."""
