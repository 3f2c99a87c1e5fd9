"""Memory against arithmetic of a step: python -m experiments.scaling.memory --config=configs/progan.py --parts=1,4

For a config's last phase, per number of microbatches, with and without rematerialization: its arithmetic and its memory
beyond the state, as `--dry_run` prints them, and the memory that XLA allocates for the compiled step on this machine.
"""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
from absl import flags
from ml_collections import ConfigDict, config_flags

from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check
from genjax.engine import compiler
from genjax.engine.compiler import enable_compilation_cache
from genjax.engine.cost import cost
from genjax.engine.loop import shapes
from genjax.errors import InputError
from genjax.text import bytes_text, table

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Define the flags of this command."""
    config_flags.DEFINE_config_file("config", None, "The experiment, as for genjax.train: a GAN.")
    flags.DEFINE_list("parts", ["1", "4"], "Numbers of microbatches per batch (grad_accum_steps).")
    flags.DEFINE_bool("compile", True, "Compile the step as well: minutes, for large nets.")


def main() -> None:
    """Print the table."""
    if FLAGS.config is None or "remat" not in FLAGS.config:
        raise InputError("--config is needed, of a GAN, as in --config=configs/progan.py")
    if not all(part.isdigit() for part in FLAGS.parts):
        raise InputError(f"--parts={','.join(FLAGS.parts)}: expected numbers, as in 1,2,4")
    enable_compilation_cache()
    headers = ("parts", "remat", "GFLOP", "memory as written", "XLA allocates")
    print(table(list(rows(FLAGS.config, [int(part) for part in FLAGS.parts])), headers))


def rows(config: ConfigDict, parts: list[int]) -> Iterator[tuple]:
    """A row per number of microbatches, with and without rematerialization."""
    check(config, tasks.default_config(config.task))
    source = data.load(config.data)
    for count in parts:
        for remat in (False, True):
            config.update(grad_accum_steps=count, remat=remat)
            task = tasks.build(config, source.shape)
            phase = task.phases[-1]
            x = jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch, *source.shape), jnp.uint8)
            args = shapes(task), {"x": x}, jax.random.key(0)
            step = cost(phase.prepared_step, *args)
            allocated = _allocated(phase.prepared_step, args)
            yield count, remat, f"{step.flops / 1e9:,.4g}", bytes_text(step.peak), allocated


def _allocated(step, args) -> str:
    """Bytes of the compiled step besides its arguments."""
    if not FLAGS.compile:
        return "not compiled"
    compiled = jax.jit(step, compiler_options=compiler.options()).lower(*args).compile()
    memory = compiled.memory_analysis()
    return bytes_text(memory.temp_size_in_bytes + memory.output_size_in_bytes)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
