"""Write latents for use elsewhere: python -m genjax.encode --workdir=runs/x --data=fashion_mnist_10k --out=latents.npz

The .npz has `latents` [N, ...]; `labels` int32 [N] and `label_names`, where the data have labels; and, each a text,
`data`, `split`, `data_fingerprint`, `weights_sha256` and `step`. numpy.load reads it with allow_pickle=False.
"""

import io
from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("workdir", None, "The run's folder, as given to genjax.train.", required=True)
    flags.DEFINE_string("data", "", "What to encode: a folder, a .npy, or a data set; default: the run's own data.")
    flags.DEFINE_string(
        "split", "", "As in 'test[:100]'; default: what the run was not trained on; of other data, train."
    )
    flags.DEFINE_integer("count", None, "How many, the first ones; default: all.", lower_bound=1)
    flags.DEFINE_string("size", "", "Bring images of folders and data sets to this size: 64, or 64x48.")
    flags.DEFINE_enum("channels", "0", ["0", "1", "3"], "Bring them to gray (1) or color (3); 0: as found.")
    flags.DEFINE_integer("step", None, "The checkpoint's step; default: the newest.", lower_bound=0)
    flags.DEFINE_string("out", "latents.npz", "The file, a .npz.")


def main() -> None:
    """Write the latents that the flags ask for."""
    import numpy as np

    from genjax import files
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.run.loaded import open_run
    from genjax.run.restore import weights_sha256

    out = Path(FLAGS.out)
    if out.suffix != ".npz":
        raise InputError(f"--out={FLAGS.out}: expected a .npz")
    enable_compilation_cache()
    run = open_run(
        FLAGS.workdir,
        FLAGS.data,
        FLAGS.split,
        FLAGS.size,
        int(FLAGS.channels),
        FLAGS.step,
        FLAGS.count,
        needs=("encode",),
    )
    arrays = {"latents": run.latents}
    if run.labels is not None:
        arrays |= {"labels": run.labels, "label_names": np.array(run.source.label_names, np.str_)}
    facts = {
        "data": run.source.name,
        "split": run.source.split,
        "data_fingerprint": run.source.fingerprint,
        "weights_sha256": weights_sha256(run.state),
        "step": str(int(run.state.step)),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, **{name: np.array(text, np.str_) for name, text in facts.items()})
    try:
        files.write_bytes(out, buffer.getvalue())
    except OSError as error:
        raise InputError(f"--out={FLAGS.out} cannot be written: {error.strerror or error}") from error
    shape = " x ".join(map(str, run.latents.shape[1:]))
    print(f"{run.count:,} latents of {shape}: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
