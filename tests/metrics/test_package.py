"""The package as a whole: light to import."""

import subprocess
import sys


def test_importing_metrics_imports_no_framework():
    check = "import sys, genjax.metrics; print(sorted({'jax', 'flax', 'matplotlib', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
