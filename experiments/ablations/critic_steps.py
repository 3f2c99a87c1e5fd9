"""How many critic steps WGAN-GP needs, at equal steps of the generator.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

BASE = "configs/demo.py"
OVERRIDES = {
    "steps": 3_000,
    "eval.features": "squeezenet,classifier:runs/classifier",
    "eval.samples": 5_000,
    "keep": 1,
    "loss.name": "wasserstein",
    "penalty.r1": 0.0,
    "penalty.gradient_penalty": 10.0,
}
EVALUATE = "frechet,precision_recall"
SEEDS = 3
REPORT = {
    "Frechet distance (SqueezeNet fire9)": ("Fréchet distance, SqueezeNet", "lower"),
    "Frechet distance (classifier of fashion_mnist)": ("Fréchet distance, classifier", "lower"),
    "Precision (SqueezeNet fire9)": ("precision", "higher"),
    "Recall (SqueezeNet fire9)": ("recall", "higher"),
}
X = ("critic_steps", "critic steps", "log")


def variants():
    """1 to 8."""
    return {f"{steps} critic steps": {"critic_steps": steps} for steps in (1, 2, 5, 8)}
