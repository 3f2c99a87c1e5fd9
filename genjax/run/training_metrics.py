"""The better direction of metrics that are logged in training. Results of evaluations carry their own directions.

Losses of adversarial nets have none: a lower one does not mean better samples.
"""

LOWER = "lower"
HIGHER = "higher"

BETTER = {
    "loss": LOWER,
    "reconstruction/loss": LOWER,
    "pretrain/loss": LOWER,
    "finetune/loss": LOWER,
    "embedding/error": LOWER,
    "supervisor/error": LOWER,
    "content/loss": LOWER,
    "style/loss": LOWER,
    "commitment/distance": LOWER,
    "codes/perplexity": HIGHER,
    "accuracy": HIGHER,
    "images_per_second": HIGHER,
    "seconds": LOWER,
}
"""Name -> better direction; other names have none."""
