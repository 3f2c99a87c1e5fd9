"""Evaluate a run: python -m genjax.evaluate --workdir=runs/x --metrics=all --samples=10000

Or any images: --images=FOLDER --reference=FOLDER, where each may also be a data set's name or a .npy of uint8
[N, H, W, C]. Every number is printed with its protocol and appended to the run's metrics.jsonl (or to --out).
--compare=runs/a,runs/b prints the results of several runs side by side where their protocols are the same.
"""

import itertools
import json
import sys
from pathlib import Path

from absl.flags import DEFINE_integer, DEFINE_list, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS

SAMPLES = 10_000


def define_flags() -> None:
    """The flags of this entry point."""
    from genjax.data import names
    from genjax.evaluation import registry

    flags.define_run(required=False)
    DEFINE_string("images", None, f"Images to evaluate in place of a run: a folder, a .npy, or a data set ({names()}).")
    DEFINE_string("reference", None, "The data that samples are compared with; default: the run's data.")
    DEFINE_string("split", None, "Split of the reference, as in 'train[:5000]'; default: the run's training split.")
    DEFINE_string("heldout", None, "Split of the reference not trained on; default: the run's, or 'test'.")
    DEFINE_string("metrics", "all", f"'all' that apply, or names with commas:\n{registry.help_text()}")
    DEFINE_string("features", "squeezenet", "Nets: squeezenet, squeezenet:SIZE, inception:FILE, classifier:RUN.")
    DEFINE_integer("samples", None, f"Number of samples; default: {SAMPLES:,} of a run, all --images.", lower_bound=2)
    flags.define_sampling()
    flags.define_form()
    flags.define_out(None, "A .jsonl to append results to; default: the run's metrics.jsonl.")
    DEFINE_list("compare", [], "Runs (or .jsonl files) whose results are printed side by side.")


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
    from genjax.evaluation import registry, sources
    from genjax.evaluation.context import EvalContext
    from genjax.evaluation.nets import open_feature_nets
    from genjax.report.console import watch
    from genjax.run.restore import check_own_data, open_config, restore

    if FLAGS.truncation is not None and FLAGS.truncation <= 0:
        raise InputError(f"--truncation={FLAGS.truncation}: expected a number above 0, such as 0.7")
    info, config = open_config(FLAGS.workdir)
    form = config.data
    own = FLAGS.reference in (None, form.name)
    split = FLAGS.split or (form.split if own else "train")
    reference = sources.open_images(FLAGS.reference or form.name, split, form)
    if own:
        check_own_data(info, reference)
    task, state = restore(FLAGS.workdir, FLAGS.step)
    title = f"{FLAGS.workdir} at step {int(state.step):,}"
    samples = None
    options = {}
    nets = []
    if "sample" in task.outputs:
        options = {"ema": FLAGS.ema, "truncation": FLAGS.truncation}
        count = FLAGS.samples or SAMPLES
        shape = tuple(info["data"]["shape"])
        samples = sources.samples_of(task, state, shape, count, info["data"]["labels"], **options)
        sources.check_same_shape(samples, reference)
        nets = open_feature_nets(FLAGS.features, reference)
        title += f": {count:,} samples, of the seeds 0 to {count - 1}"
    heldout = None
    if registry.need_heldout(metrics):
        heldout_split = FLAGS.heldout or (config.eval.heldout if own else "")
        heldout = sources.heldout(reference.name, heldout_split, form, reference.fingerprint)
    context = EvalContext(samples, reference, heldout, nets, task, state, options, watch)
    return context, int(state.step), title


def _context_of_images(metrics):
    from genjax.evaluation import registry, sources
    from genjax.evaluation.context import EvalContext
    from genjax.evaluation.nets import open_feature_nets
    from genjax.report.console import watch

    if not FLAGS.reference:
        raise InputError("--images needs --reference, which they are compared with: a folder, a .npy or a data set")
    form = {"size": FLAGS.size, "channels": int(FLAGS.channels), "range": FLAGS.range}
    samples = sources.open_images(FLAGS.images, "", form)
    samples = sources.take(samples, FLAGS.samples or samples.size)
    reference = sources.open_images(FLAGS.reference, FLAGS.split or "", form)
    sources.check_same_shape(samples, reference)
    heldout = None
    if registry.need_heldout(metrics):
        heldout = sources.heldout(reference.name, FLAGS.heldout or "", form, reference.fingerprint)
    context = EvalContext(samples, reference, heldout, open_feature_nets(FLAGS.features, samples), progress=watch)
    return context, 0, f"{FLAGS.images}: {samples.size:,} examples"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def _report(results, skipped):
    """Lines: the numbers, the metrics without one and why, and the protocols."""
    from genjax.evaluation.metric import ARROWS
    from genjax.text import table

    values = [value for result in results for value in result.values]
    rows = [(value.label, float(value.number), value.std, ARROWS[value.better]) for value in values]
    yield table(rows, ("metric", "value", "deviation", "better"))
    if skipped:
        yield "\nnot measured"
        yield from (f"  {label}: {reason}" for label, reason in skipped.items())
    yield "\nprotocol"
    for part in ("samples", "reference", "features", "code", "versions"):
        yield from dict.fromkeys(f"  {part}: {_words(r.protocol[part])}" for r in results if part in r.protocol)
    yield from dict.fromkeys(f"  {r.metric}: {_words(s)}" for r in results if (s := r.protocol["settings"]))


def _words(part) -> str:
    """A part of a protocol in one line; digests are shortened."""
    short = {key: value[:16] if key in ("fingerprint", "sha256") else value for key, value in part.items()}
    return ", ".join(f"{key} {value}" for key, value in short.items() if value is not None)


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
