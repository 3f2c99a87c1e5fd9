"""How heavy WGAN's gradient penalty should be.

Needs a run of configs/classifier.py on the whole Fashion-MNIST in runs/classifier.
"""

BASE = "configs/demo.py"
OVERRIDES = {
    "steps": 3_000,
    "eval.features": "squeezenet,classifier:runs/classifier",
    "eval.samples": 5_000,
    "keep": 1,
    "loss.name": "wasserstein",
    "critic_steps": 2,
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
X = ("penalty.gradient_penalty", "weight of the gradient penalty", "log")


def variants():
    """From a tenth of the paper's weight to ten times."""
    return {f"weight {weight:g}": {"penalty.gradient_penalty": weight} for weight in (1.0, 3.0, 10.0, 30.0, 100.0)}
