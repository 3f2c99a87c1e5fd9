"""Experiments for `python -m experiments.run`: what each part of a method brings (docs/experiments.md).

What those on clothes have in common: short runs, and two nets to judge them by. One is a run of configs/classifier.py
on the whole Fashion-MNIST, in runs/classifier.
"""

SHORT = {
    "steps": 3_000,
    "eval.features": "squeezenet,classifier:runs/classifier",
    "eval.samples": 5_000,
    "keep": 1,
}
DISTANCES = {
    "Frechet distance (SqueezeNet fire9)": ("Fréchet distance, SqueezeNet", "lower"),
    "Frechet distance (classifier of fashion_mnist)": ("Fréchet distance, classifier", "lower"),
    "Precision (SqueezeNet fire9)": ("precision", "higher"),
    "Recall (SqueezeNet fire9)": ("recall", "higher"),
}
