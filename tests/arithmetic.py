"""Digests of what training computes, so that a change of form can prove that it changed no arithmetic.

    python -m tests.arithmetic            compare with arithmetic.json
    python -m tests.arithmetic --renew    write it anew, after a change that was meant; the commit says which and why

A program is traced, not compiled, and each of its results becomes a hash of the operation and of the hashes of its
operands. So neither names, nor the order of independent operations, nor functions that wrap others, nor results that
nobody uses make a difference; another operation, constant, type or operand does. Digests hold for the versions of
packages that they were made with.
"""

import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from helpers import assert_keeps_state, config_of, step_inputs
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from genjax import data, tasks
from genjax.engine.loop import shapes

FILE = Path(__file__).with_name("arithmetic.json")
PLAIN = (
    *("demo", "gan", "dcgan", "wgan_gp", "cgan", "progan", "msggan", "stylegan", "stylegan2"),
    *("vae", "vqvae", "ae_stacked", "ae_greedy", "ae_recurrent", "pretrain_classifier", "style_gatys", "style_adain"),
)
CASES = {name: (name, {}) for name in PLAIN} | {
    "cgan, auxiliary": ("cgan", {"critic__conditioning": "auxiliary", "loss__feature_matching": 0.5}),
    "dcgan, separate penalties": (
        "dcgan",
        {"penalty__r1": 0.2, "penalty__r2": 0.4, "penalty__interval": 4, "penalty__separate_step": True},
    ),
    "dcgan, lazy penalty": ("dcgan", {"penalty__dragan": 0.2, "penalty__interval": 4}),
    "dcgan, in parts": ("dcgan", {"grad_accum_steps": 2, "augment": "color,cutout", "ema__half_life": 50.0}),
    "gan, packs": ("gan", {"packing": 2, "instance_noise__std": 0.1, "instance_noise__steps": 9, "critic_floor": 0.1}),
    "gan, unrolled": ("gan", {"unroll": 2, "loss__drift": 0.02, "loss__label_smoothing": 0.1}),
    "gan, replay": ("gan", {"replay__capacity": 20, "critic_steps": 2, "optimizer__critic__weight_clip": 0.1}),
    "stylegan2, in parts": ("stylegan2", {"grad_accum_steps": 2}),
    "vae, gaussian": ("vae", {"likelihood__name": "gaussian", "elbo__samples": 3, "elbo__reduction": "mean"}),
    "vae, classes": ("vae", {"classes": 10, "elbo__free_bits": 0.1, "elbo__warm_up": 5}),
    "style_gatys, luma": ("style_gatys", {"color": "luma", "start": "noise", "variation__weight": 0.1}),
    "style_gatys, match": ("style_gatys", {"color": "match", "optimizer__name": "lbfgs", "relative": False}),
}
"""Smoke variants of configs by what digests are called, each with overrides as `helpers.config_of` takes them."""

FAST = (
    *("demo", "gan", "dcgan", "wgan_gp", "cgan", "progan", "stylegan", "stylegan2"),
    *("vae", "vqvae", "ae_stacked", "style_gatys", "style_adain"),
)
"""Cases that the default suite computes."""

INLINED = {"jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"}
"""Operations that do what the program within them does; `remat` is not among them, since it recomputes."""
WITHOUT_MEANING = {
    "name",
    "jvp_jaxpr_fun",
    "fwd_jaxpr_thunk",
    "bwd",
    "out_trees",
    "num_consts",
    "debug_info",
    "ctx_mesh",
}


def sha(*parts: object) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def hashes(jaxpr: Jaxpr, consts, inputs: list[str]) -> list[str]:
    """The hash of each output of a program, from those of its inputs."""
    known = dict(zip(jaxpr.invars, inputs, strict=True))
    known |= {v: sha("const", _array(c)) for v, c in zip(jaxpr.constvars, consts, strict=True)}
    for eqn in jaxpr.eqns:
        operands = [sha("literal", _array(v.val), v.aval) if isinstance(v, Literal) else known[v] for v in eqn.invars]
        known |= dict(zip(eqn.outvars, _results(eqn, operands), strict=True))
    return [sha("literal", _array(v.val)) if isinstance(v, Literal) else known[v] for v in jaxpr.outvars]


def _results(eqn, operands: list[str]) -> list[str]:
    name, params = eqn.primitive.name, eqn.params
    if name in INLINED:
        inner = params.get("jaxpr") or params.get("call_jaxpr") or params["fun_jaxpr"]
        return _of_closed(inner, operands)
    if name == "cond":  # each result alone, so that their order and number do not matter
        branches = [_of_closed(branch, operands[1:]) for branch in params["branches"]]
        return [sha("cond", operands[0], *results) for results in zip(*branches, strict=True)]
    plain = sorted((key, _parameter(value)) for key, value in params.items() if key not in WITHOUT_MEANING)
    return [sha(name, plain, operands, number, v.aval) for number, v in enumerate(eqn.outvars)]


def _of_closed(jaxpr, operands: list[str]) -> list[str]:
    jaxpr, consts = (jaxpr.jaxpr, jaxpr.consts) if isinstance(jaxpr, ClosedJaxpr) else (jaxpr, ())
    return hashes(jaxpr, consts, operands)


def _parameter(value) -> str:
    """A parameter of an operation as text; of a program within it, what it does."""
    if isinstance(value, ClosedJaxpr | Jaxpr):
        inner = value.jaxpr if isinstance(value, ClosedJaxpr) else value
        return sha(_of_closed(value, [f"input {i}" for i in range(len(inner.invars))]))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_parameter, value))})"
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return _array(value) if isinstance(value, np.ndarray | jax.Array) else str(value)


def _array(value) -> str:
    try:
        array = np.asarray(value)
    except TypeError:  # a key
        array = np.asarray(jax.random.key_data(value))
    return f"{array.dtype} {array.shape} {hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]}"


def digest(function, *args, check=None) -> str:
    """What function(*args) computes: a hash over its outputs by their names; of arrays or their shapes and types.

    `check` is called with the shapes and types of what it returns.
    """
    program, out = jax.make_jaxpr(function, return_shape=True)(*args)
    if check:
        check(out)
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(args)]
    found = hashes(program.jaxpr, program.consts, names)
    outputs = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(out)]
    return sha(*sorted(zip(outputs, found, strict=True)))[:16]


def digests(case: str) -> dict[str, str]:
    """The digests of a case: its first state, a step of each phase, and some outputs.

    Raises: AssertionError if a step does not keep the form of the state, or has metrics that are no scalars.
    """
    name, overrides = CASES[case]
    config = config_of(name, **overrides)
    source = data.load(config.data)
    task, key = tasks.build(config, source.shape), jax.eval_shape(lambda: jax.random.key(0))
    state, found = shapes(task), {"init": digest(task.init, key)}
    for phase in task.phases:
        given = step_inputs(phase, source, state)
        found[phase.name] = digest(phase.prepared_step, *given, check=lambda out: assert_keeps_state(out, state))
    inputs = {"sample": ((4,), np.int32), "encode": ((4, *source.shape), source.dtype)}
    inputs["reconstruct"] = inputs["encode"]
    for output in inputs.keys() & task.outputs.keys():
        found[output] = digest(task.outputs[output], state, jax.ShapeDtypeStruct(*inputs[output]))
    return dict(sorted(found.items()))


def versions() -> dict[str, str]:
    """The packages that write programs."""
    return {name: metadata.version(name) for name in ("jax", "flax", "optax")}


def stored() -> dict:
    """The content of arithmetic.json: "versions", and "digests" by case."""
    return json.loads(FILE.read_text())


def main(renew: bool) -> int:
    """Compare, or renew; how many cases differ."""
    found = {case: digests(case) for case in CASES}
    old = stored()["digests"] if FILE.exists() else {}
    changes = {case: changed(found[case], old.get(case, {})) for case in CASES}
    for case, parts in changes.items():
        if parts:
            print(f"{case}: {', '.join(parts)} changed")
    if renew:
        FILE.write_text(json.dumps({"versions": versions(), "digests": found}, indent=1) + "\n")
    count = sum(map(bool, changes.values()))
    print(f"{count} of {len(CASES)} cases differ")
    return 0 if renew else count


def changed(found: dict[str, str], old: dict[str, str]) -> list[str]:
    """The parts of a case whose digests differ, or that only one of the two has."""
    return sorted(part for part in found.keys() | old.keys() if found.get(part) != old.get(part))


if __name__ == "__main__":
    sys.exit(main("--renew" in sys.argv))
