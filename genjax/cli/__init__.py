"""Code shared by all commands: their start and end, their flags, and the files that they write."""
