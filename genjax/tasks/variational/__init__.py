"""The variational autoencoder in three parts: the model, the bound that it is trained on, and what it can do."""
