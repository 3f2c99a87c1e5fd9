"""Write latents for use elsewhere: python -m genjax.encode --workdir=runs/x --data=fashion_mnist_10k --out=latents.npz

The .npz has `latents` [N, ...]; `names` [N], the examples' files, if they are files; `labels` int32 [N] and
`label_names`, or `attributes` float32 [N, K] and `attribute_names`, if the data have them; and the texts `data`,
`split`, `data_fingerprint`, `weights_sha256` and `step`. Rows are in the order of the data: see docs/data.md.
numpy.load reads it with allow_pickle=False.
"""

from genjax.cli import entry, flags, output

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    flags.define_examples("data", count="all")
    flags.define_out("latents.npz", "The file to write, a .npz.")


def main() -> None:
    """Write the latents that the flags ask for."""
    import numpy as np

    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report.console import say_notes
    from genjax.run.loaded import open_run
    from genjax.run.restore import weights_sha256

    out = output.file_of(FLAGS.out, ".npz")
    enable_compilation_cache()
    run = open_run(FLAGS.workdir, flags.examples("data"), FLAGS.step, needs=("encode",))
    say_notes(run.source)
    arrays = {"latents": run.latents}
    if run.names is not None:
        arrays["names"] = np.array(run.names, np.str_)
    if run.source.attributes is not None:
        names = np.array(run.source.attribute_names, np.str_)
        arrays |= {"attributes": run.source.attributes[: run.count], "attribute_names": names}
    if run.labels is not None:
        arrays |= {"labels": run.labels, "label_names": np.array(run.source.label_names, np.str_)}
    texts = {
        "data": run.source.name,
        "split": run.source.split,
        "data_fingerprint": run.source.fingerprint,
        "weights_sha256": weights_sha256(run.state),
        "step": str(int(run.state.step)),
    }
    arrays |= {name: np.array(text, np.str_) for name, text in texts.items()}
    output.write_npz(f"--out={FLAGS.out}", out, arrays)
    shape = " x ".join(map(str, run.latents.shape[1:]))
    print(f"{run.count:,} latents of {shape}: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
