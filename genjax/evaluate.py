"""Evaluate a run: python -m genjax.evaluate --workdir=runs/x --metrics=all --samples=10000

Or any images: --images=FOLDER --reference=FOLDER, where each may also be a data set's name or a .npy of uint8
[N, H, W, C]. Every number is printed with its protocol and appended to the run's metrics.jsonl (or to --out).
--compare=runs/a,runs/b prints the results of several runs side by side where their protocols are the same.
"""

import itertools
import json
import sys
from pathlib import Path

from absl.flags import DEFINE_enum, DEFINE_integer, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    from genjax.data import names
    from genjax.evaluation import registry, selection

    flags.define_run(required=False)
    flags.define_path("images", None, f"In place of a run, images: a folder, a .npy, or a data set ({names()}).")
    flags.define_path("reference", None, "The data that samples are compared with; default: the run's data.")
    DEFINE_string("split", None, "Split of the reference, as in 'train[:5000]'; default: the run's training split.")
    DEFINE_string("heldout", None, "Split of the reference not trained on; default: the run's, or 'test'.")
    DEFINE_string("metrics", "all", f"'all' that apply, or names with commas:\n{registry.help_text()}")
    DEFINE_string("features", "squeezenet", "Nets: squeezenet, squeezenet:SIZE, inception:FILE, classifier:RUN.")
    DEFINE_integer(
        "samples",
        None,
        f"Number of samples; default: {selection.SAMPLES:,} of a run, or all --images; fewer are chosen at random.",
        lower_bound=2,
    )
    flags.define_sampling()
    flags.define_noise()
    DEFINE_enum(
        "classes",
        None,
        selection.CLASSES,
        "Classes of a conditional run's samples: in their shares in the reference, or equally often; default: the "
        "run's eval.classes.",
    )
    flags.define_form()
    flags.define_bits()
    flags.define_out(None, "A .jsonl to append results to; default: the run's metrics.jsonl.")
    flags.define_paths("compare", [], "Runs (or .jsonl files) whose results are printed side by side.")


def main() -> None:
    """Print the numbers that the flags ask for, and append them to a file."""
    if FLAGS.compare:
        from genjax.report.results import compare

        print(compare(FLAGS.compare))
        return
    if bool(FLAGS.workdir) == bool(FLAGS.images):
        raise InputError("give either --workdir, a run's folder, or --images, images to evaluate (see --help)")
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.evaluation import registry
    from genjax.evaluation.evaluate import evaluate
    from genjax.report.console import say_notes

    enable_compilation_cache()
    metrics = registry.parse(FLAGS.metrics)
    out = Path(FLAGS.out) if FLAGS.out else Path(FLAGS.workdir) / "metrics.jsonl" if FLAGS.workdir else None
    if out:
        output.check_place(out, out, append=True)
        if not out.exists() or out.is_file():  # images lie beside it
            output.check_place(out, out.with_name("neighbors.png"))
    context, step, title = _context_of_run(metrics) if FLAGS.workdir else _context_of_images(metrics)
    say_notes(context.samples, context.reference, context.heldout)
    skipped = {}
    optional = "all" in FLAGS.metrics.split(",")
    results = evaluate(context, metrics, optional=optional, warn=_warn, on_skip=skipped.__setitem__)
    print(title, "", *_report(results, skipped), sep="\n")
    _append(context, results, step, out)


def _context_of_run(metrics):
    from genjax.evaluation.of_run import Choices, context_of
    from genjax.evaluation.selection import REFERENCE
    from genjax.report.console import watch
    from genjax.run.restore import restore

    names = ("reference", "split", "heldout", "features", "samples", "ema", "truncation", "classes", "noise")
    choices = Choices(**{name: value for name in names if (value := FLAGS[name].value) is not None})
    task, state = restore(FLAGS.workdir, FLAGS.step)
    context, step = context_of(FLAGS.workdir, task, state, metrics, choices, watch), int(state.step)
    title = f"{FLAGS.workdir} at step {step:,}"
    if context.samples is not None:
        shares = context.drawn.get("classes") == REFERENCE
        of = f"classes in the shares of {context.reference.name}" if shares else f"the seeds 0 to {choices.samples - 1}"
        title += f": {choices.samples:,} samples, of {of}"
    return context, step, title


def _context_of_images(metrics):
    from genjax.evaluation import registry, sources
    from genjax.evaluation.context import EvalContext
    from genjax.evaluation.nets import open_feature_nets
    from genjax.evaluation.selection import CHOSEN
    from genjax.report.console import watch

    if FLAGS.noise:
        raise InputError(f"--noise={FLAGS.noise} is of a run's samples, not of --images")
    if FLAGS.classes:
        raise InputError(f"--classes={FLAGS.classes} is of a run's samples; --images have the classes that they have")
    if not FLAGS.reference:
        raise InputError("--images needs --reference, which they are compared with: a folder, a .npy or a data set")
    form = {"size": FLAGS.size, "channels": FLAGS.channels, "range": FLAGS.range, "bits": int(FLAGS.bits)}
    images = sources.open_images(FLAGS.images, "", form)
    samples = sources.take(images, FLAGS.samples or images.size)
    drawn = CHOSEN if samples.size < images.size else {}
    reference = sources.open_images(FLAGS.reference, FLAGS.split or "", form)
    sources.check_same_shape(samples, reference)
    if warning := sources.differing_forms(samples.form, reference.form):
        _warn(warning)
    heldout = None
    if registry.need_heldout(metrics):
        heldout = sources.heldout(reference.name, FLAGS.heldout or "", form, reference.fingerprint)
    nets = open_feature_nets(FLAGS.features, samples)
    context = EvalContext(samples, reference, heldout, nets, drawn=drawn, progress=watch)
    return context, 0, f"{FLAGS.images}: {samples.size:,} examples"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def _report(results, skipped):
    """Lines: the numbers, the metrics without one and why, and the protocols."""
    from genjax.evaluation.metric import ARROWS
    from genjax.report.results import protocol_lines
    from genjax.text import table

    values = [value for result in results for value in result.values]
    rows = [(value.label, float(value.number), value.std, ARROWS[value.better]) for value in values]
    yield table(rows, ("metric", "value", "deviation", "better"))
    yield from (f"\nnote: {value.label}: {value.note}" for value in values if value.note)
    if skipped:
        yield "\nnot measured"
        yield from (f"  {label}: {reason}" for label, reason in skipped.items())
    yield "\nprotocol"
    yield from (f"  {line}" for line in protocol_lines((r.metric, r.protocol) for r in results))


def _append(context, results, step, out) -> None:
    """Append the results to a file, name earlier ones that they do not compare with, and write the images."""
    from genjax.files import append_line
    from genjax.report.figures import save_png
    from genjax.report.results import incomparable
    from genjax.run.records import read_evaluations

    if out is None:
        print("\nnot kept: give --out=results.jsonl to keep these and their images")
        return
    incomparable_names = {}
    with output.writing(out):
        for row, result in itertools.product(read_evaluations(out), results):
            same = row["evaluation"] == result.metric and row["values"].keys() & result.numbers.keys()
            if same and (differences := incomparable(row["protocol"], result.protocol)):
                incomparable_names.setdefault("; ".join(differences), {})[result.metric] = None
        out.parent.mkdir(parents=True, exist_ok=True)
        for result in results:
            append_line(out, json.dumps(result.row(step, context.describe_subject()), ensure_ascii=False))
        for name, image in context.images.items():
            save_png(out.parent / name, image)
    for differences, names in incomparable_names.items():
        print(f"\nnote: {out} has results of {', '.join(names)} that do not compare with these ({differences})")
    print(f"\nappended to {out}", *(f"look at: {out.parent / name}" for name in context.images), sep="\n")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
