"""How anything is trained: state, phases, the loop, checkpoints. Knows no task, no net and no data set."""
