"""The model card: its metadata as YAML, its numbers from the facts, and limits that are true of them."""

import dataclasses

import pytest

from genjax.report.model_card import Facts, card

PROTOCOL = {"samples": {"count": 300}, "reference": {"name": "clothes", "fingerprint": "f" * 64}, "settings": {}}
RESULT = {
    "step": 20,
    "evaluation": "frechet",
    "values": {"Fréchet distance (squeezenet)": 1234.5},
    "better": {"Fréchet distance (squeezenet)": "lower"},
    "std": {"Fréchet distance (squeezenet)": 2.0},
    "notes": {"Fréchet distance (squeezenet)": "300 samples are few"},
    "protocol": PROTOCOL,
}
INFO = {
    "config": {
        "task": "gan",
        "seed": 3,
        "batch": 8,
        "generator": {"net": "dcgan", "channels": [8, 4]},
        "eval": {"best": "frechet"},
        "init": {"weights": "older"},
    },
    "data": {"name": "clothes", "split": "train", "size": 900, "shape": [28, 28, 1], "labels": ["a | b"]},
    "parameters": {"generator": 12345, "critic": 67},
    "export": {"step": 20, "weights": "inference", "best": False},
}
FACTS = Facts(
    name="mine: a model",
    info=INFO,
    about="A task in a sentence",
    steps=30,
    changes=[("steps", 10, 30), ("generator.channels", "absent", [8, 4])],
    outputs={"sample": "int32 [N] -> uint8 [N, 28, 28, 1]"},
    contents={"generator": "averaged weights"},
    license="other",
    license_name='"Mine": free',
    data_license="MIT, me",
    rows=[{"step": 10, "seconds": 61.0, "warnings": ["warning: modes vanish"]}, {"step": 20, "seconds": 125.0}],
    results=[RESULT],
    programs={"sample": ("int32[n]", "uint8[n, 28, 28, 1]")},
)


def test_the_metadata_are_those_of_the_hub():
    yaml = pytest.importorskip("yaml")
    begin, metadata, _ = card(FACTS).split("---\n", 2)
    assert begin == ""
    got = yaml.safe_load(metadata)
    metrics = [{"type": "frechet", "name": "Fréchet distance (squeezenet)", "value": 1234.5}]
    kind = "unconditional-image-generation"
    dataset = {"name": "clothes", "type": "clothes", "split": "train"}
    assert got == {
        "library_name": "genjax",
        "license": "other",
        "license_name": '"Mine": free',
        "pipeline_tag": kind,
        "tags": ["genjax", "jax", "flax", "gan", "dcgan"],
        "metrics": ["frechet"],
        "model-index": [
            {"name": "mine: a model", "results": [{"task": {"type": kind}, "dataset": dataset, "metrics": metrics}]}
        ],
    }


@pytest.mark.parametrize(
    "line",
    [
        "# mine: a model",
        "| generator | dcgan | channels 8, 4 | 12,345 | averaged weights |",
        "| critic |  |  | 67 | left out |",
        "| License | MIT, me |",
        "| Examples | 900 |",
        "| Labels | a \\| b |",
        "| Steps | 20 of 30 |",
        "| Seed | 3 |",
        "| First weights | of `older` |",
        "| Time | 2:05 |",
        "| `generator.channels` | the net's own | 8, 4 |",
        "| `steps` | 10 | 30 |",
        "| Fréchet distance (squeezenet) | 1,234 (deviation 2) | lower | `frechet` |",
        "samples: count 300",
        "reference: name clothes, fingerprint ffffffffffffffff",
        "x = np.arange(16, dtype=np.int32)  # int32[n]",
        "- Trained on few examples, 900: outputs may resemble them.",
        "- Training ended, or was exported, before the 30 steps of its config were done.",
        "- Its first weights are of `older`: their data and license are not described here.",
        "- Nothing but the numbers above was measured.",
        "- Its Fréchet distance is on features of another net than FID's: it is no FID.",
        "- Fréchet distance (squeezenet): 300 samples are few.",
        "- While it was trained: modes vanish.",
        "- Training cannot go on from this folder: it lacks the critic, the state of the optimizers.",
    ],
)
def test_a_fact_is_in_a_line(line):
    assert line in card(FACTS).splitlines()


def test_facts_that_are_not_known_are_not_in_it():
    info = {**INFO, "data": {**INFO["data"], "size": 10_001}, "parameters": {"generator": 5}}
    info["export"] = {"step": 30, "weights": "all", "best": True}
    text = card(dataclasses.replace(FACTS, info=info, rows=[], results=[], programs={}))
    for absent in (
        "Time",
        "Device",
        "Versions",
        "few examples",
        "metrics:",
        "StableHLO",
        "cannot go on",
        "ended",
        "None",
    ):
        assert absent not in text.replace("None: the run has no evaluation of this step.", "")
    assert "- Not evaluated: no number of its quality is known." in text
    assert "- The step was chosen by eval.best=frechet, so this number favors it." in text


def test_inputs_of_other_programs_are_zeros():
    text = card(dataclasses.replace(FACTS, programs={"encode": ("uint8[n, 28, 28, 1]", "float32[n, 4]")}))
    assert 'x = np.zeros((16, 28, 28, 1), "uint8")  # uint8[n, 28, 28, 1]' in text
