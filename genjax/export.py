"""Export a run's weights for others: python -m genjax.export --workdir=runs/x --out=mine --license=apache-2.0

Writes a new folder as the Hugging Face Hub has them: model.safetensors, all that inference needs (the averaged weights
where the run has them); config.json, from which genjax.load and every command open the folder as a run, without its
data; README.md, a filled model card; samples.png; stablehlo/, programs that run with JAX alone; and with --onnx
models in ONNX. See docs/export.md.
"""

from pathlib import Path

from absl.flags import DEFINE_bool, DEFINE_enum, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    flags.define_out(None, "The folder to write, which must be new or empty; its name is the model's.")
    DEFINE_string("license", "", "License of the weights, by the Hub's identifier: apache-2.0, cc-by-4.0, other, ...")
    DEFINE_string("license_name", "", "Name of the license, with --license=other.")
    DEFINE_string("data_license", "", "License of the data, in words, where genjax does not know it, as of a folder.")
    DEFINE_enum(
        "nets", "inference", ["inference", "all"], "Weights that inference needs, or the whole state of training."
    )
    DEFINE_bool("stablehlo", None, "Write programs; default: where flatbuffers, which they need, is installed.")
    DEFINE_bool("onnx", False, "Write ONNX models, compared with the run's outputs: pip install jax2onnx.")


def main() -> None:
    """Write the folder that the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.run.description import command
    from genjax.run.export import Choices, export

    if not FLAGS.out:
        raise InputError("--out is needed: the folder to write, such as --out=mine")
    out = Path(FLAGS.out)
    output.check_folder(f"--out={out}", out)
    enable_compilation_cache()
    choices = Choices(FLAGS.license, FLAGS.license_name, FLAGS.data_license, FLAGS.nets, FLAGS.stablehlo, FLAGS.onnx)
    with output.writing(f"--out={out}"):
        export(FLAGS.workdir, out, FLAGS.step, choices, command())
    if not (out / "stablehlo").exists() and FLAGS.stablehlo is None:
        print("no programs in StableHLO: pip install flatbuffers, which they need")
    print("look at:", *sorted(path for path in out.rglob("*") if path.is_file()), sep="\n  ")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
