"""Judge: python -m genjax.evaluate --workdir=runs/x --metrics=all --samples=10000

Or anybody's images: --images=FOLDER --reference=FOLDER, where each may also be a data set's name or a .npy of uint8
[N, H, W, C]. Every number is printed with its protocol and appended to the run's metrics.jsonl (or to --out).
--compare=runs/a,runs/b prints what runs were found to be, side by side where protocols are the same.
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
    flags.define_run(required=False)
    DEFINE_string("images", None, "Images to judge in place of a run's: a folder, a .npy, or a data set.")
    DEFINE_string("reference", None, "What they are judged against; default: the run's data.")
    DEFINE_string("split", None, "Of the reference, as in 'train[:5000]'; default: what the run was trained on.")
    DEFINE_string("heldout", None, "Split of the reference not trained on; default: the run's, or 'test'.")
    DEFINE_string("metrics", "all", "'all' that apply, or names with commas; see docs/metrics.md.")
    DEFINE_string("features", "squeezenet", "Nets: squeezenet, squeezenet:SIZE, inception:FILE, classifier:RUN.")
    DEFINE_integer("samples", None, f"How many; default: {SAMPLES:,} of a run, all of --images.", lower_bound=2)
    flags.define_sampling()
    flags.define_form()
    flags.define_out(None, "A .jsonl to append results to; default: the run's metrics.jsonl.")
    DEFINE_list("compare", [], "Runs (or .jsonl files) whose results are printed side by side.")


def main() -> None:
    """Print and keep what the flags ask for."""
    if FLAGS.compare:
        from genjax.report.results import compare

        print(compare(FLAGS.compare))
        return
    if bool(FLAGS.workdir) == bool(FLAGS.images):
        raise InputError("give either --workdir, a run's folder, or --images, images to judge (see --help)")
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.evaluation import registry
    from genjax.evaluation.evaluate import evaluate

    enable_compilation_cache()
    names = registry.parse(FLAGS.metrics)
    case, step, title = _case_of_run(names) if FLAGS.workdir else _case_of_images(names)
    out = Path(FLAGS.out) if FLAGS.out else Path(FLAGS.workdir) / "metrics.jsonl" if FLAGS.workdir else None
    skipped = {}
    optional = "all" in FLAGS.metrics.split(",")
    results = evaluate(case, names, optional=optional, warn=_warn, skip=skipped.__setitem__)
    print(title, "", *_found(results, skipped), sep="\n")
    _keep(case, results, step, out)


def _case_of_run(names):
    from genjax.evaluation import registry, sources
    from genjax.evaluation.context import EvalContext
    from genjax.evaluation.nets import open_nets
    from genjax.report.console import watch
    from genjax.run.restore import load_info, restore, saved_config

    if FLAGS.truncation is not None and FLAGS.truncation <= 0:
        raise InputError(f"--truncation={FLAGS.truncation}: expected a number above 0, such as 0.7")
    about = load_info(FLAGS.workdir)
    config = saved_config(about)
    form = config.data
    own = FLAGS.reference in (None, form.name)
    split = FLAGS.split or (form.split if own else "train")
    reference = sources.open_images(FLAGS.reference or form.name, split, form)
    task, state = restore(FLAGS.workdir, FLAGS.step)
    title = f"{FLAGS.workdir} at step {int(state.step):,}"
    samples, options, nets = None, {}, []
    if "sample" in task.outputs:
        options = {"ema": FLAGS.ema, "truncation": FLAGS.truncation}
        count = FLAGS.samples or SAMPLES
        form_of = about["data"]
        samples = sources.samples_of(task, state, tuple(form_of["shape"]), count, form_of["labels"], **options)
        sources.check_same_shape(samples, reference)
        nets = open_nets(FLAGS.features, reference)
        title += f": {count:,} samples, of the seeds 0 to {count - 1}"
    heldout = None
    if registry.need_heldout(names):
        heldout_split = FLAGS.heldout or (config.eval.heldout if own else "")
        heldout = sources.heldout(reference.name, heldout_split, form, reference.fingerprint)
    case = EvalContext(samples, reference, heldout, nets, task, state, options, watch)
    return case, int(state.step), title


def _case_of_images(names):
    from genjax.evaluation import registry, sources
    from genjax.evaluation.context import EvalContext
    from genjax.evaluation.nets import open_nets
    from genjax.report.console import watch

    if not FLAGS.reference:
        raise InputError("--images needs --reference: a folder, a .npy or a data set that they are judged against")
    form = {"size": FLAGS.size, "channels": int(FLAGS.channels)}
    samples = sources.open_images(FLAGS.images, "", form)
    samples = sources.take(samples, FLAGS.samples or samples.size)
    reference = sources.open_images(FLAGS.reference, FLAGS.split or "", form)
    sources.check_same_shape(samples, reference)
    heldout = None
    if registry.need_heldout(names):
        heldout = sources.heldout(reference.name, FLAGS.heldout or "", form, reference.fingerprint)
    case = EvalContext(samples, reference, heldout, open_nets(FLAGS.features, samples), watch=watch)
    return case, 0, f"{FLAGS.images}: {samples.size:,} examples"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def _found(results, skipped):
    """The numbers, what there is none of, and how they were had."""
    from genjax.report.results import DEVIATION
    from genjax.text import table

    values = {name: float(value) for result in results for name, value in result.values.items()}
    rows = [
        (name, value, values.get(name + DEVIATION)) for name, value in values.items() if not name.endswith(DEVIATION)
    ]
    yield table(rows, ("metric", "value", "deviation"))
    if skipped:
        yield "\nnot measured"
        yield from (f"  {name}: {why}" for name, why in skipped.items())
    yield "\nprotocol"
    for part in ("samples", "reference", "features", "versions"):
        yield from dict.fromkeys(f"  {part}: {_words(r.protocol[part])}" for r in results if part in r.protocol)
    yield from dict.fromkeys(f"  {r.metric}: {_words(s)}" for r in results if (s := r.protocol["settings"]))


def _words(part) -> str:
    """A part of a protocol in a line; digests by their beginning."""
    short = {key: value[:16] if key in ("fingerprint", "sha256") else value for key, value in part.items()}
    return ", ".join(f"{key} {value}" for key, value in short.items() if value is not None)


def _keep(case, results, step, out) -> None:
    """Append the results, say which earlier ones they do not compare with, and write the images."""
    from genjax.files import append_line
    from genjax.report.figures import save_png
    from genjax.report.results import incomparable
    from genjax.run.records import read_evaluations

    if out is None:
        print("\nnot kept: give --out=results.jsonl to keep these and their images")
        return
    strange = {}
    with output.writing(out):
        for row, result in itertools.product(read_evaluations(out), results):
            same = row["evaluation"] == result.metric and row["values"].keys() & result.values.keys()
            if same and (why := incomparable(row["protocol"], result.protocol)):
                strange.setdefault("; ".join(why), {})[result.metric] = None
        out.parent.mkdir(parents=True, exist_ok=True)
        for result in results:
            append_line(out, json.dumps(result.row(step, case.subject())))
        for name, image in case.artifacts.items():
            save_png(out.parent / name, image)
    for why, names in strange.items():
        print(f"\nnote: {out} has results of {', '.join(names)} that do not compare with these ({why})")
    print(f"\nappended to {out}", *(f"look at: {out.parent / name}" for name in case.artifacts), sep="\n")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
