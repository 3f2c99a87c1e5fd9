"""Series are read as they are in the file, what is after their ends is marked, and what is wrong is named."""

import numpy as np
import pytest
from helpers import run, without_report

from genjax.errors import InputError


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.fixture
def archive(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        return f"series:{tmp_path / 'x.npz'}"

    return save


@pytest.fixture
def table(tmp_path):
    def save(text):
        (tmp_path / "x.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return f"series:{tmp_path / 'x.csv'}"

    return save


def test_an_archive_is_its_array(archive, load):
    x = draw(10, 5, 2)
    source = load(archive(x=x.astype(np.float64)), split="train[2:]")
    assert (source.size, source.shape, source.dtype, source.labels) == (8, (5, 2), np.float32, None)
    np.testing.assert_array_equal(source.read(np.arange(8)), x[2:])
    np.testing.assert_array_equal(load(archive(x=x[..., 0])).read(np.arange(10)), x[..., :1])


def test_steps_after_an_end_are_marked_whatever_they_hold(archive, load):
    x, lengths = draw(3, 5, 2), np.array([5, 1, 3])
    marked = x.copy()
    marked[1, 1:] = marked[2, 3:] = np.nan
    found = load(archive(x=x, lengths=lengths))
    np.testing.assert_array_equal(found.read(np.arange(3)), marked)
    x[1, 1:], x[2, 3:] = np.inf, 7
    assert load(archive(x=x, lengths=lengths)).fingerprint == found.fingerprint
    assert load(archive(x=x, lengths=lengths.astype(float))).fingerprint == found.fingerprint
    assert load(archive(x=marked)).fingerprint == found.fingerprint  # NaN at the end marks itself


def test_an_array_alone_is_read_and_zeros_at_the_end_are_pointed_out(archive, load, tmp_path):
    x = draw(3, 5, 2)
    np.save(tmp_path / "x.npy", x)
    assert load(f"series:{tmp_path / 'x.npy'}").fingerprint == load(archive(x=x)).fingerprint
    x[1:, 3:] = 0
    (note,) = load(archive(x=x)).notes
    assert note.startswith("2 of 3 series end in zeros")
    assert not load(archive(x=x, lengths=np.array([5, 3, 3]))).notes


def test_a_table_is_cut_into_windows_and_the_last_may_be_shorter(table, load):
    source = load(table("height,weight\n" + "".join(f"{i},{-i}\n" for i in range(7))), size="3")
    x = source.read(np.arange(source.size))
    np.testing.assert_array_equal(x[..., 0], [[0, 1, 2], [3, 4, 5], [6, np.nan, np.nan]])
    np.testing.assert_array_equal(x[..., 1], -x[..., 0])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": draw(2, 3, 1)}, "no array x"),
        ({"x": draw(4)}, r"x is float32 \[4\]"),
        ({"x": np.array([[["a"]]])}, "expected real numbers"),
        ({"x": np.array([[[None]]], object)}, "pickled objects, which are never loaded"),
        ({"x": draw(2, 3, 1), "lengths": np.array([3, 4])}, "whole numbers from 1 to 3"),
        ({"x": draw(2, 3, 1), "lengths": np.array([3.0, 2.5])}, "whole numbers"),
        ({"x": draw(2, 3, 1), "lengths": np.array([3, np.nan])}, "whole numbers"),
        ({"x": draw(2, 3, 1), "lengths": np.array(["3", "2"])}, "whole numbers"),
        ({"x": np.where(np.arange(3)[:, None] == 1, np.nan, draw(2, 3, 1))}, "step 1 of series 0 is not finite"),
        ({"x": np.full((2, 3, 1), np.nan)}, "step 0 of series 0"),
    ],
)
def test_archives_that_are_none_are_refused(arrays, message, archive, load):
    with pytest.raises(InputError, match=message):
        load(archive(**arrays))


PLAIN = "0.5,-1.25\n2.0,3e1\n4.75,5.5\n"
NAMES = "height,weight\n"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (PLAIN, ""),
        (PLAIN.strip(), ""),
        ("\ufeff" + PLAIN, ""),
        (PLAIN.replace("\n", "\r\n"), ""),
        (PLAIN.replace("\n", "\r\r\n"), ""),
        (PLAIN.replace("\n", "\r"), ""),
        ("\n" + PLAIN + "\n  \n,\n", ""),
        (PLAIN.replace(",", " , "), ""),
        (PLAIN.replace(",", '","').replace("\n", '"\n"').removesuffix('"').join(['"', ""]), ""),
        (PLAIN.encode("utf-16"), ""),
        (PLAIN.encode("utf-32"), ""),
        (NAMES + PLAIN, "the first line is names"),
        ("Na,K\n" + PLAIN, "the first line is names"),
        ("Gr\u00f6\u00dfe,Gewicht\n".encode("latin-1") + PLAIN.encode(), "the first line is names"),
        ("# made by hand\n#\n" + NAMES + PLAIN, "the first 3 lines are names"),
        (PLAIN.replace(",", ";"), "columns are separated by semicolons"),
        (PLAIN.replace(",", "\t"), "columns are separated by tabs"),
        (PLAIN.replace(",", "   "), "columns are separated by spaces"),
        ("  " + PLAIN.replace(",", " "), "columns are separated by spaces"),
        (
            "Height (m);Weight (kg)\n" + PLAIN.replace(",", ";").replace(".", ","),
            "columns are separated by semicolons, commas are decimal signs, the first line is names",
        ),
        (PLAIN.replace(",", " ").replace(".", ","), "columns are separated by spaces, commas are decimal signs"),
        ('"0,5","-1,25"\n"2,0","3e1"\n"4,75","5,5"\n', "commas are decimal signs"),
    ],
)
def test_a_table_is_read_whatever_writes_it_and_what_is_not_plain_is_said(data, note, table, load):
    plain = load(table(PLAIN), size="2")
    source = load(table(data), size="2")
    np.testing.assert_array_equal(source.read(np.arange(2)), plain.read(np.arange(2)))
    assert source.fingerprint == plain.fingerprint
    assert source.notes == ((note,) if note else ())


def test_numbers_that_32_bits_cannot_tell_apart_are_pointed_out(table, load):
    lines = [f"{1.7e9 + i},{i}" for i in range(9)]
    assert load(table("\n".join(lines)), size="3").notes == (
        "column 1 changes by less than 32 bits can hold (subtract its first number)",
    )


def test_a_comma_alone_separates_columns_except_in_a_table_of_tabs(table, load, tmp_path):
    source = load(table("1,5\n2,5\n"), size="2")
    assert (source.shape, source.notes) == ((2, 2), ())
    (tmp_path / "x.tsv").write_text("1,5\n2,5\n")
    source = load(f"series:{tmp_path / 'x.tsv'}", size="2")
    assert (source.read([0]).tolist(), source.notes) == ([[[1.5], [2.5]]], ("commas are decimal signs",))


@pytest.mark.parametrize(
    ("text", "size", "message"),
    [
        ("1,2\n", "", "data.size=64"),
        ("1,2\n", "3x4", "data.size=64"),
        ("1,2\n3\n", "2", "is 1 in line 2 and 2 in line 1; a comma separates"),
        ("a;b\n1;2\n3;4;5\n", "2", "is 3 in line 3 and 2 in line 2"),
        ("1,2\na,b\n", "2", r"line 2, column 1 is 'a' \(2 such cells in all\): expected a number"),
        ("m,kg\nx,y\n1,2\n", "2", "line 2, column 1 is 'x'"),
        ("1,2\n3,nan\n", "2", "line 2, column 2 is 'nan': fill or remove"),
        ("x,y\n\n1,2\n,4\n", "2", "line 4, column 1 is empty: fill or remove"),
        ("NA,2\n3,4\n", "2", "line 1, column 1 is 'NA'"),
        ("NA\n3\n", "2", "line 1, column 1 is 'NA'"),
        ("1\tN/A\n", "2", "line 1, column 2 is 'N/A'"),
        ("\t2\n3\t4\n", "2", "line 1, column 1 is empty"),
        ("1,2,\n3,4,\n", "2", r"line 1, column 3 is empty \(2 such"),
        ("1,2\n\n3,4\n", "2", "line 2 is blank"),
        ("1;2\n;\n3;4\n", "2", "line 2 is blank"),
        ("1,2\n3,inf\n", "2", "line 2, column 2 is 'inf'"),
        ("1,2\n3,1e39\n", "2", "line 2, column 2 is '1e39': expected a number of 32 bits"),
        ("1,1_0\n", "2", "line 1, column 2 is '1_0'"),
        ("1,5;2.5\n", "2", r"decimal commas \('1,5' in line 1\) and points \('2.5' in line 1\)"),
        ('"1,234.5",2\n', "2", "line 1, column 1 is '1,234.5'"),
        ("1,2\n3,\u0664\n", "2", "line 2, column 2"),
        ("a,b\n", "2", "has no numbers"),
        ("", "2", "has no numbers"),
        ("1\x00,2\n", "2", "is no text in UTF-8"),
        (b"\xff\xfe1", "2", "begins as utf-16"),
    ],
)
def test_tables_that_are_none_are_refused(text, size, message, table, load):
    with pytest.raises(InputError, match=message):
        load(table(text), size=size)


def test_other_requests_that_mean_nothing_are_refused(tmp_path, archive, load):
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    for name, message in (
        ("none.npz", "no such file"),
        ("x.xlsx", "expected a .npz"),
        ("broken.npz", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            load(f"series:{tmp_path / name}")
    with pytest.raises(InputError, match="not images"):
        load(archive(x=draw(2, 3, 1)), size="3")
    with pytest.raises(InputError, match="no split 'test'"):
        load(archive(x=draw(2, 3, 1)), split="test")


@pytest.mark.heavy
def test_series_of_unequal_lengths_train(archive, tmp_path):
    x = 1 / (1 + np.exp(-draw(12, 5, 2)))
    name = archive(x=x, lengths=np.arange(12) % 5 + 1)
    result = run(
        "genjax.train",
        "--config=configs/ae_recurrent.py:smoke",
        f"--workdir={tmp_path}/r",
        f"--config.data.name={name}",
        before=without_report,
    )
    assert result.code == 0, result.err


@pytest.mark.heavy
def test_a_net_that_does_not_skip_the_ends_of_series_diverges_with_the_reason(archive, tmp_path):
    name = archive(x=draw(12, 5, 2), lengths=np.arange(12) % 5 + 1)
    settings = ["--config.generator.output=linear", f"--config.data.name={name}"]
    result = run("genjax.train", "--config=configs/gan.py:smoke", f"--workdir={tmp_path}/r", *settings)
    assert result.code == 1
    assert "became nan at step 1; series end in NaN" in result.err


@pytest.mark.heavy
@pytest.mark.parametrize("data", ["series", pytest.param("arc3d", marks=pytest.mark.slow)])  # run/test_previews has one
def test_a_gan_of_series_or_of_points_in_space_trains_and_is_drawn(data, archive, tmp_path):
    name = archive(x=draw(12, 5, 2)) if data == "series" else data
    settings = ["--config.generator.output=linear", f"--config.data.name={name}"]
    result = run("genjax.train", "--config=configs/gan.py:smoke", f"--workdir={tmp_path}/r", *settings)
    assert result.code == 0, result.err
    assert "cannot be drawn" not in result.err
    assert (tmp_path / "r" / "samples" / "step_00000004.png").exists()


def test_windows_are_all_runs_of_consecutive_steps(table, load, tmp_path):
    x = draw(9, 2)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x[:, 0])
    source = load(f"windows:{tmp_path / 'x.npy'}", size="4")
    assert (source.size, source.shape) == (6, (4, 2))
    np.testing.assert_array_equal(source.read([5, 0]), [x[5:9], x[:4]])
    np.testing.assert_array_equal(load(f"windows:{tmp_path / 'x.npz'}", size="4").read([1])[0, :, 0], x[1:5, 0])
    name = table("1,2\n3,4\n5,6\n").replace("series:", "windows:")
    np.testing.assert_array_equal(load(name, size="2").read([0, 1]), [[[1, 2], [3, 4]], [[3, 4], [5, 6]]])
    assert load(name, "train[1:]", size="2").size == 1


@pytest.mark.parametrize(
    ("x", "size", "message"),
    [
        (np.zeros((5, 2)), "", "data.size=24"),
        (np.zeros((5, 2)), "3x4", "data.size=24"),
        (np.zeros((5, 2)), "6", "has 5 steps, fewer than a window of data.size=6"),
        (np.zeros((5, 2, 2)), "3", r"x is float64 \[5, 2, 2\]; expected real numbers \[steps, numbers\]"),
        (np.array([1.0, np.nan]), "1", "step 1 of series 0 is not finite"),
    ],
)
def test_what_has_no_windows_is_refused(x, size, message, load, tmp_path):
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(InputError, match=message):
        load(f"windows:{tmp_path / 'x.npy'}", size=size)
