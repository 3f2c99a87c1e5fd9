"""Options of XLA's CPU compiler that were measured to pay.

Measured with JAX 0.10.2, 2026-11: steps of `configs/gan.py` from 1.54 to 1.35 ms, `configs/dcgan.py` from 52 to 48 and,
at batch 128, from 242 to 199, `configs/wgan_gp.py` from 530 to 460. XLA calls the first one experimental, so it may go
away: `known` says which ones this XLA takes. Plain twin: no options.
"""

import jax

OPTIONS = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE",  # sums by YNNPACK; all else by Eigen
    "xla_cpu_prefer_vector_width": 512,  # bits, where the processor has such vectors; XLA's own choice is 256
}

ONCE = {"xla_backend_optimization_level": 1}
"""For programs that are called once: LLVM takes less trouble. The initial weights, which are made with it, are the same
to the bit; their compilation takes 1.3 s of CPU instead of 2.5 for `configs/dcgan.py`, and 6.0 instead of 12.6 for
`configs/stylegan2.py`. With level 0 they are 0.8 and 4.0, and zeros of StyleGAN2's change their sign.
"""


def known(options: dict[str, str | int] = OPTIONS) -> dict[str, str | int]:
    """The options that this XLA takes, with their values."""
    if _takes(options):  # one program
        return options
    return {name: value for name, value in options.items() if _takes({name: value})}


def _takes(options):
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:  # no such option, or no such value
        return False
    return True
