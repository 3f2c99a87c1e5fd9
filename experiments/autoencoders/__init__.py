"""The autoencoders of the classic course, reproduced."""
