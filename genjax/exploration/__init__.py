"""Exploring a run: a request is an image, and the command that makes it again; a page asks for one after the other."""
