"""The table of many configs and targets: results are kept as they come, and not compiled again."""

import json
import sys

import pytest
from absl import flags

from experiments.scaling import survey

LINE = {"memory": 3 * 2**30, "fits": True, "sent": 2048, "least_seconds": 0.0015}


@pytest.fixture
def parsed(tmp_path, monkeypatch):
    """The flags of the command, with a file of results in a folder of the test."""
    values = flags.FlagValues()
    flags.DEFINE_string("out", str(tmp_path / "survey.jsonl"), "", flag_values=values)
    flags.DEFINE_multi_string("settings", ["gan", "dcgan batch=64"], "", flag_values=values)
    flags.DEFINE_list("for", ["v5e:1x1", "h100:1"], "", flag_values=values)
    flags.DEFINE_float("effort", -1.0, "", flag_values=values)
    flags.DEFINE_integer("limit", 60, "", flag_values=values)
    flags.DEFINE_bool("memory", True, "", flag_values=values)
    values(["survey"])
    monkeypatch.setattr(survey, "FLAGS", values)
    return values


def test_a_row_per_setting_and_a_cell_per_target_of_which_none_is_compiled_twice(parsed, monkeypatch, capsys):
    asked = []

    def compile_one(setting, goal):
        asked.append((setting, goal))
        return LINE if goal == "v5e:1x1" else {"failed": "not compiled in 60 s"}

    monkeypatch.setattr(survey, "compile_one", compile_one)
    survey.main()
    table = capsys.readouterr().out
    assert "| `gan` | 3.0 GiB, 1.5 ms, 2.0 KiB sent | not compiled in 60 s |" in table
    assert len(asked) == 4
    survey.main()
    assert len(asked) == 4
    assert capsys.readouterr().out == table


def test_a_program_that_does_not_fit_stands_out():
    results = [{"setting": "gan", "target": "v5e:1x1"} | LINE | {"fits": False}]
    assert "| **3.0 GiB: does not fit** |" in survey.markdown(results, ["gan"], ["v5e:1x1"])


def test_a_compiler_that_has_assigned_memory_is_stopped(parsed, monkeypatch, tmp_path):
    """A process that writes libtpu's log and a step's cost, and would go on."""
    monkeypatch.setattr(survey, "ENOUGH", 0.0)
    script = tmp_path / "compiler"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys, time\n"
        "out = next(a for a in sys.argv if a.startswith('--out=')).removeprefix('--out=')\n"
        f"open(out, 'w').write(json.dumps({{'least_seconds': 0.5}}) + chr(10))\n"
        "with open(os.environ['TPU_LOG_DIR'] + '/tpu_driver.INFO', 'w') as log:\n"
        "    log.write('limit 13G = 95% hbm - (arguments (1.50G) - aliased_output(1.50G))' + chr(10))\n"
        "    log.write('heap_simulator.h:1196] Primary algorithm finished with size: 1000' + chr(10))\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    result = survey.compile_one("gan", "v5e:1x1")
    assert result == {"least_seconds": 0.5, "memory": 1000 + 1.5 * 2**30, "fits": True, "sent": 0}


def test_a_refusal_is_told_in_its_own_words(parsed, monkeypatch, tmp_path):
    script = tmp_path / "compiler"
    script.write_text(f"#!{sys.executable}\nimport sys; sys.exit('error: no such chip')\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    assert survey.compile_one("gan", "v9:1x1") == {"failed": "error: no such chip"}
    assert json.dumps(survey.compile_one("gan", "v9:1x1"))
