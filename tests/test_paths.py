"""Paths and text as users have them: ~, names with commas, bytes that are not UTF-8, and caches that cannot be kept."""

import ast
import os
import shutil
from pathlib import Path

import pytest
from absl import flags
from helpers import run

from genjax import files
from genjax.cli.flags import PathParser, PathsParser
from genjax.data.request import Request
from genjax.data.tfds import data_dir_of
from genjax.errors import InputError
from genjax.text import join_list, split_list
from genjax.weights.vgg import load_vgg

ROOT = Path(__file__).parents[1]
NAMES = ("workdir", "out", "images", "data", "reference", "compare", "content", "style", "masks", "gif")
"""Flags that are paths."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def homeless(monkeypatch):
    """No HOME, and a user whom the system does not know."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


def test_a_tilde_is_the_home_folder_in_flags_and_configs(home):
    assert PathParser().parse("~/x") == f"{home}/x"
    assert PathsParser().parse("~/a,b/~c") == [f"{home}/a", "b/~c"]
    assert Request("folder:~/x").argument == f"{home}/x"
    assert data_dir_of("~/sets") == home / "sets"
    with pytest.raises(InputError, match=f"{home}/none.pth"):
        load_vgg("~/none.pth")


def test_every_flag_for_a_path_expands_it():
    """Read from the source: no flag of one of these names, in any command, is one for plain text."""
    for path in (*ROOT.glob("genjax/*.py"), *ROOT.glob("genjax/cli/*.py"), *ROOT.glob("experiments/**/*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                function = getattr(call.func, "attr", getattr(call.func, "id", ""))
                is_path = call.args[0].value in NAMES and not path.match("experiments/*/*.py")
                assert not (is_path and function in ("DEFINE_string", "DEFINE_list")), (path, call.args[0].value)


@pytest.mark.heavy
def test_commands_take_a_tilde_after_the_equals_sign(home):
    run("genjax.sample", "--workdir=~/none", HOME=str(home)).assert_refused(f"{home}/none is not a run's folder")
    run("genjax.train", "--config=~/none.py", HOME=str(home)).assert_refused(f"--config={home}/none.py: no such file")


def test_a_home_folder_that_is_not_there_is_named(homeless):
    with pytest.raises(InputError, match=r"~/x: there is no such home folder; .* write ./~/x"):
        files.expand("~/x")
    flag = flags.Flag(PathParser(), None, "workdir", None, "")
    with pytest.raises(flags.IllegalFlagValueError, match="there is no such home folder"):
        flag.parse("~/x")
    assert files.expand("./~x") == "./~x"


def test_a_name_with_a_comma_is_in_quotes():
    assert split_list('folder:a,b , "folder:c,""d"""') == ["folder:a", "b", 'folder:c,"d"']
    assert split_list(join_list(parts := ["a,b", "c", 'd"'])) == parts
    assert PathsParser().parse('"a,b.png",c.png') == ["a,b.png", "c.png"]
    with pytest.raises(InputError, match="put names in double quotes"):
        split_list('a\nb,"c"')
    assert split_list("a\nb,c") == ["a\nb", "c"]
    assert PathsParser().parse("") == []


def test_bytes_of_a_name_that_is_not_utf8_are_written_as_json_has_them(tmp_path):
    name = os.fsdecode(b"\xff.png")
    assert files.encode(name) == b"\\udcff.png"
    files.append_line(tmp_path / "x.jsonl", f'"é {name}"')
    assert (tmp_path / "x.jsonl").read_bytes() == '"é '.encode() + b'\\udcff.png"\n'


@pytest.fixture(autouse=True)
def _forget_caches():
    files._writable.cache_clear()
    yield
    files._writable.cache_clear()


def test_a_cache_is_in_the_users_folder(home, monkeypatch, capsys):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert files.cache_folder("xla") == home / ".cache" / "genjax" / "xla"
    monkeypatch.setenv("XDG_CACHE_HOME", "~/mine")
    assert files.cache_folder("xla") == home / "mine" / "genjax" / "xla"
    assert capsys.readouterr().err == ""


def test_without_a_home_a_cache_lasts_as_long_as_the_process(homeless, capsys):
    folder = files.cache_folder("features")
    assert folder.parent.is_dir()
    assert files.cache_folder("xla").parent == folder.parent
    assert capsys.readouterr().err == (
        "warning: nothing is kept in ~/.cache/genjax (no home folder): set XDG_CACHE_HOME to another folder\n"
    )
    shutil.rmtree(folder.parent)


def test_a_cache_that_cannot_be_written_is_replaced_with_a_warning(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = files.cache_folder("features")
    assert not folder.is_relative_to(tmp_path / "file")
    assert capsys.readouterr().err.startswith(f"warning: nothing is kept in {tmp_path}/file/genjax (Not a directory)")
    shutil.rmtree(folder.parent)


def test_text_files_are_utf8_whatever_the_locale():
    """Read from the source: each call that opens a file as text names its encoding."""
    for path in (*ROOT.glob("genjax/**/*.py"), *ROOT.glob("experiments/**/*.py"), *ROOT.glob("configs/*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and not _names_an_encoding(call):
                raise AssertionError(f"{path}:{call.lineno}: {ast.unparse(call)}")


def _names_an_encoding(call: ast.Call) -> bool:
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return True
    match call.func, call.args:
        case ast.Attribute(attr="read_text"), []:
            return False
        case ast.Attribute(attr="write_text"), [_]:
            return False
        case ast.Name(id="open"), [_]:
            return False
        case ast.Name(id="open"), [_, ast.Constant(value=mode)]:
            return "b" in mode
    return True
