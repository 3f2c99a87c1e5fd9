"""Sound is read as it was written, by window; what is no mono of 16 bits is refused."""

import wave

import numpy as np
import pytest

from genjax.data import audio
from genjax.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two files, of 10 and 4 samples, in a folder and a sub-folder."""
    (tmp_path / "b").mkdir()
    samples = np.arange(-7, 7) * 1000 / audio.SCALE
    (tmp_path / "a.wav").write_bytes(audio.wav(samples[:10], 16_000))
    (tmp_path / "b" / "c.WAV").write_bytes(audio.wav(samples[10:], 16_000))
    return tmp_path


def test_what_is_written_is_read_and_is_what_scipy_reads(tmp_path):
    from scipy.io import wavfile

    x = np.float32([0, 0.5, -1, 1, 2, -3, 12_345 / audio.SCALE])
    (tmp_path / "x.wav").write_bytes(audio.wav(x, 8000))
    got, rate = audio.read(tmp_path / "x.wav")
    np.testing.assert_array_equal(got, np.clip(x, -1, 1 - 1 / audio.SCALE))
    theirs = wavfile.read(tmp_path / "x.wav")
    assert (theirs[0], theirs[1].dtype, rate) == (8000, np.int16, 8000)
    np.testing.assert_array_equal(theirs[1] / audio.SCALE, got)


def test_files_are_windows_side_by_side_and_the_last_is_filled_up(load, folder):
    source = load(f"wav:{folder}", size="4")
    assert (source.size, source.shape, source.dtype) == (4, (4, 1), np.float32)
    x = source.read(np.arange(4))[..., 0] * audio.SCALE / 1000
    np.testing.assert_array_equal(x, [[-7, -6, -5, -4], [-3, -2, -1, 0], [1, 2, 0, 0], [3, 4, 5, 6]])
    assert source.notes == ("2 files of 16,000 samples per second",)
    assert load(f"wav:{folder / 'a.wav'}", "train[:1]", size="8").shape == (8, 1)


def test_what_is_no_sound_of_one_form_is_refused(load, folder, tmp_path):
    with pytest.raises(InputError, match=r"no such|there is none"):
        load(f"wav:{tmp_path / 'none'}")
    with pytest.raises(InputError, match=r"leave data.channels unset"):
        load(f"wav:{folder}", channels=3)
    (folder / "d.wav").write_bytes(audio.wav(np.zeros(4), 8000))
    with pytest.raises(InputError, match=r"a.wav has 16,000 samples per second, and .*d.wav 8,000"):
        load(f"wav:{folder}")
    with wave.open(str(folder / "d.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(3)
        file.setframerate(16_000)
        file.writeframes(bytes(12))
    with pytest.raises(InputError, match=r"d.wav has 2 channels of 24 bits: expected mono of 16 bits"):
        load(f"wav:{folder}")
    (folder / "d.wav").write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"d.wav cannot be read as a .wav"):
        load(f"wav:{folder}")


def test_tones_depend_on_their_number_alone_and_stay_in_range(load):
    source, test = load("tones", size="512"), load("tones", "test", size="512")
    x = source.read(np.arange(50))
    assert (source.size, test.size, x.shape) == (1000, 100, (50, 512, 1))
    np.testing.assert_array_equal(load("tones", "train[7:]", size="64").read([0])[0], x[7, :64])
    assert 0.05 < np.abs(x).max() < 0.9
    assert load("tones").shape == (16_384, 1)
