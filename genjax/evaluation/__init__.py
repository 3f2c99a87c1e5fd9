"""How a run, or anybody's images, are evaluated: metrics by name, each number with its protocol."""
