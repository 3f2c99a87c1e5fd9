"""Files of arrays, whatever their types, shapes and damage, are read as they are or refused in one line."""

import io

import numpy as np
from fuzzing import damaged, property_of, result_or_line
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from genjax.data import open_source
from genjax.evaluation.sources import open_images

RNG = np.random.default_rng(0)
SERIES = RNG.random((3, 4, 2)).astype(np.float32)
LENGTHS = np.array([4, 1, 3])
IMAGES = RNG.integers(0, 256, (3, 4, 4, 3), np.uint8)
POINTS = RNG.random((5, 2)).astype(np.float32)


def npy(x, **options):
    buffer = io.BytesIO()
    np.save(buffer, x, **options)
    return buffer.getvalue()


def npz(save=np.savez, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


PICKLED = npz(x=np.array([[[print]]], object))
ARCHIVES = [npz(x=SERIES, lengths=LENGTHS), npz(np.savez_compressed, x=SERIES), npy(SERIES), PICKLED]
anything = arrays(scalar_dtypes(), array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))


def write(path, data):
    path.write_bytes(data)
    return path


def is_series(source):
    x = source.read(np.arange(source.size))
    assert (x.dtype, x.ndim, x.shape[1:]) == (np.float32, 3, source.shape)
    assert np.isfinite(x[:, 0]).all()  # each has a step


@property_of(data=st.one_of(*map(damaged, ARCHIVES)), suffix=st.sampled_from(["npz", "npy"]))
def test_damaged_series_are_read_or_refused(folder, data, suffix):
    path = write(folder / f"x.{suffix}", data)
    source = result_or_line(lambda: open_source(f"series:{path}"))
    if source is not None:
        is_series(source)


@property_of(x=anything, lengths=st.one_of(st.none(), anything))
def test_series_of_any_type_and_shape_are_read_or_refused(folder, x, lengths):
    path = write(folder / "x.npz", npz(x=x) if lengths is None else npz(x=x, lengths=lengths))
    source = result_or_line(lambda: open_source(f"series:{path}"))
    if source is not None:
        is_series(source)
        values = source.read(np.arange(source.size))
        expected = x.astype(np.float32).reshape(values.shape)
        steps = np.isfinite(values)
        np.testing.assert_array_equal(values[steps], expected[steps])


def h5(**arrays):
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, x in arrays.items():
            file[name] = x
    return buffer.getvalue()


FILES = {
    "npy": [npy(IMAGES), npy(POINTS), npy(IMAGES / 255), npy(PICKLED)],
    "npz": [npz(x=IMAGES, labels=LENGTHS), npz(np.savez_compressed, x=IMAGES), PICKLED],
    "h5": [h5(x=IMAGES, labels=LENGTHS)],
}
files = st.sampled_from(sorted(FILES)).flatmap(lambda suffix: st.tuples(st.just(suffix), contents_of(suffix)))


def contents_of(suffix):
    return st.one_of(*map(damaged, FILES[suffix]), anything.map(npy) if suffix == "npy" else st.binary(max_size=30))


@property_of(file=files)
def test_arrays_of_images_and_points_are_read_or_refused(folder, file):
    suffix, data = file
    path = write(folder / f"x.{suffix}", data)
    source = result_or_line(lambda: open_images(str(path)))
    if source is not None:
        x = source.read(np.arange(source.size))
        assert x.shape == (source.size, *source.shape)
        assert x.dtype in (np.uint8, np.float32)
        assert source.labels is None or source.labels.min() >= 0
