"""The models, the length of their training, and the results of the book's own code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

TRAIN, VALID = "train[:55000]", "train[55000:]"
EXAMPLES = 55_000


class Model(NamedTuple):
    """One row of the table. `bce` and `accuracy` are a rerun of the book's code, on the last 5,000 training images."""

    title: str
    epochs: int
    bce: float | None
    accuracy: float | None  # of pixels rounded to 0 and 1
    config: str
    overrides: Mapping[str, Any] = MappingProxyType({})
    timed: bool = True  # against Keras

    def steps(self, batch: int) -> int:
        """Number of steps, with all batches of full size."""
        return round(self.epochs * EXAMPLES / batch)


ADAM = {"optimizer.name": "adam", "optimizer.learning_rate": 1e-3}  # in place of the book's optimizer
MODELS = {
    "stacked": Model("stacked 784-100-30, SGD 1.5", 10, 0.2842, 0.9366, "ae_stacked"),
    "stacked_adam": Model("the same, Adam 0.001", 10, None, None, "ae_stacked", ADAM, False),
    "tied": Model("tied weights", 10, 0.2846, 0.9323, "ae_tied"),
    "greedy": Model("greedy, 10 epochs per layer", 10, 0.2871, 0.9356, "ae_greedy", {"finetune.steps": 0}, False),
    "greedy_tuned": Model("... and 10 fine-tuned", 10, None, None, "ae_greedy", {"finetune.steps": 17188}, False),
    "conv": Model("convolutional 16-32-64", 5, 0.2673, 0.9505, "ae_conv"),
    "recurrent": Model("recurrent, LSTM 100-30", 10, 0.3230, 0.8990, "ae_recurrent"),
    "denoising_gaussian": Model("denoising, Gaussian 0.2", 10, 0.2906, None, "ae_denoising_gaussian"),
    "denoising_dropout": Model("denoising, dropout 0.5", 10, 0.2959, None, "ae_denoising_dropout"),
    "sparse_l1": Model("sparse, L1 0.001", 10, 0.3210, None, "ae_sparse_l1"),
    "sparse_kl": Model("sparse, Kullback-Leibler", 10, 0.3054, None, "ae_sparse_kl"),
    "vae": Model("variational 150-100-10, RMSProp", 25, 0.3142, 0.9211, "vae"),
    "vae_adam": Model("the same, Adam 0.001", 25, None, None, "vae", ADAM, False),
}
