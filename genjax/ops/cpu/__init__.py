"""Forms of operations that XLA's CPU backend runs faster, one idea per file; other backends use none of them.

Each file says what is slow, with which versions and on which machine that was measured, and what the form brings;
docs/performance.md has the figures. Each has a plain twin (`genjax.ops.conv_maps`, `genjax.ops.pool`), to which the
tests hold it, so a file can go when XLA no longer needs it. All of it was measured in float32 on two cores of an
Intel Xeon with AVX-512, with nothing else running.
"""
