"""What goes wrong in adversarial training, and what helps: one command an experiment."""
