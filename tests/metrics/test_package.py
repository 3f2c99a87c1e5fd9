"""The package as a whole: light to import, each name one thing."""

import importlib
import pkgutil
import subprocess
import sys

from genjax import metrics


def test_importing_metrics_imports_no_framework():
    check = "import sys, genjax.metrics; print(sorted({'jax', 'flax', 'matplotlib', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_function_hides_a_module():
    for module in pkgutil.iter_modules(metrics.__path__):
        imported = importlib.import_module(f"genjax.metrics.{module.name}")
        assert getattr(metrics, module.name) is imported
