"""Convert others' trained weights to a run: python -m genjax.convert --file=ffhq.pkl --out=runs/ffhq --license="..."

The file is a pickle of NVIDIA's stylegan2-ada-pytorch, a checkpoint of rosinality's stylegan2-pytorch, a generator of
flaxmodels, or the model.json of a net of UpscalerJS that enlarges images; no code of it is run (docs/weights.md). All
commands take the run that is written.
--config and its keys, as of genjax.train, are the options of further training, and name its data.
"""

import shlex

from absl import flags
from ml_collections import config_flags

from genjax.cli import entry
from genjax.cli.flags import define_out, define_path

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("file", None, "The file of weights.", required=True)
    define_out(None, "The folder of the run, which must be new.")
    flags.mark_flag_as_required("out")
    flags.DEFINE_string("license", "", "The terms of the weights, which the run records.")
    config_flags.DEFINE_config_file(
        "config",
        None,
        "The options of further training: a file or a name of configs/, as stylegan2_ada:paper256. The file's nets "
        "replace the config's; default: stylegan2_ada:auto with the size of the images, and no data, or superres.",
    )


def main() -> None:
    """Write the run that the flags ask for."""
    from genjax.conversion import convert
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.run.restore import load_info

    enable_compilation_cache()
    config = FLAGS.config
    if config is not None and "config.data.name" not in FLAGS:
        config.data.name = ""
    print(*convert(FLAGS.file, FLAGS.out, FLAGS.license, config), sep="\n")
    workdir = f"--workdir={shlex.quote(FLAGS.out)}"
    if load_info(FLAGS.out)["config"]["task"] == "translation":
        print(f"to enlarge: python -m genjax.translate {workdir} --images=IMAGES --out=enlarged")
    else:
        print(f"to sample: python -m genjax.sample {workdir} --truncation=0.7")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
