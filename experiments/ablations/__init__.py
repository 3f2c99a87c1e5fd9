"""Ablations for `python -m experiments.run`: the effect of each part of a GAN on clothes (docs/ablations.md).

Settings in common: `demo.py:r1` with nets of half its width, short runs, and evaluation on features of SqueezeNet and
of a run of configs/classifier.py on the whole Fashion-MNIST, in runs/classifier.
"""

SMALL = {
    "generator.channels": (32, 16),
    "critic.channels": (16, 32),
    "steps": 1_500,
    "ema.half_life": 8_000.0,
    "log_every": 100,
    "sample_every": 1_500,
    "save_every": 1_500,
    "keep": 1,
}
SHORT = SMALL | {"eval.features": "squeezenet,classifier:runs/classifier", "eval.samples": 2_500}
DISTANCES = {
    "Fréchet distance (SqueezeNet fire9)": "Fréchet distance, SqueezeNet",
    "Fréchet distance (classifier of fashion_mnist)": "Fréchet distance, classifier",
    "Precision (SqueezeNet fire9)": "precision",
    "Recall (SqueezeNet fire9)": "recall",
}
TRANSLATION_METRICS = "translation,translation_features"
TRANSLATION = {
    "Translation, mean absolute error": "mean absolute error",
    "Translation, PSNR in decibels": "PSNR in decibels",
    "Translation, SSIM": "SSIM",
    "Translation, perceptual distance (SqueezeNet, seven maps)": "perceptual distance",
    "Translation, Fréchet distance (SqueezeNet fire9)": "Fréchet distance",
}
