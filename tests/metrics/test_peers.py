"""The metrics against other people's, on the same arrays. `pytest tests/metrics/test_peers.py -s` prints how near.

Peers that are not installed are skipped; the extra "bench" has them.
"""

import importlib.util
import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from genjax import metrics
from genjax.interpolation import slerp
from genjax.metrics import wasserstein
from genjax.metrics.similarity import WEIGHTS

RNG = np.random.default_rng(0)
REASON = "peers are in the extra 'bench'"


def agree(what, ours, theirs, rtol):
    difference = np.max(np.abs(np.asarray(ours) - theirs) / np.abs(theirs))
    print(f"\n{what}: largest relative difference {difference:.1e}")
    np.testing.assert_allclose(ours, theirs, rtol=rtol)


def peer(name):
    return pytest.importorskip(name, reason=REASON)


@pytest.fixture
def fidelity(monkeypatch):
    """torch-fidelity's arithmetic. Its import asks for torchvision, which it does not need for features."""
    peer("torch")
    pytest.importorskip("tqdm", reason=REASON)
    if importlib.util.find_spec("torch_fidelity") is None:
        pytest.skip(REASON)
    for name in ("", ".datasets", ".transforms", ".transforms.functional"):
        monkeypatch.setitem(sys.modules, "torchvision" + name, MagicMock())
    return lambda name: importlib.import_module(f"torch_fidelity.metric_{name}")


@pytest.fixture
def optimal_transport(monkeypatch):
    """POT. Its import would load every array library there is."""
    for name in ("PYTORCH", "TENSORFLOW", "JAX", "CUPY"):
        monkeypatch.setenv(f"POT_BACKEND_DISABLE_{name}", "1")
    return peer("ot")


def features(count, width, seed, shift=0.0):
    """What pooled activations look like: not negative, correlated, of spectra over several orders."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).standard_normal((width, width)) * np.logspace(0, -2, width)
    return np.maximum(rng.standard_normal((count, width)) @ mix.T / np.sqrt(width) + 0.3 + shift, 0)


def images(size, count=3):
    x = gaussian_filter(RNG.standard_normal((count, *size, 3)), (0, 3, 3, 0))
    x = (x - x.min()) / np.ptp(x)
    return x, np.clip(x + 0.05 * RNG.standard_normal(x.shape), 0, 1)


def test_frechet_distance_is_torch_fidelitys(fidelity):
    import torch

    x, y, fid = features(1000, 192, 0), features(900, 192, 1, 0.05), fidelity("fid")
    theirs = fid.fid_statistics_to_metric(*(fid.fid_features_to_statistics(torch.tensor(z)) for z in (x, y)), False)
    real, fake = (metrics.Moments.empty(192).add(z) for z in (x, y))
    ours = metrics.frechet_distance(real.mean, real.cov, fake.mean, fake.cov)
    agree("FID, torch-fidelity", ours, theirs["frechet_inception_distance"], 1e-6)


@pytest.mark.parametrize("seed", [0, 2020])
def test_kernel_distance_is_torch_fidelitys_subset_by_subset(fidelity, seed):
    import torch

    x, y = features(600, 64, 0), features(500, 64, 1, 0.05)
    settings = {"kid_subsets": 10, "kid_subset_size": 200, "rng_seed": seed, "verbose": False}
    theirs = fidelity("kid").kid_features_to_metric(torch.tensor(x), torch.tensor(y), **settings)
    ours = metrics.kernel_distance(x, y, subsets=10, size=200, seed=seed)
    agree("KID mean and std, torch-fidelity", ours, list(theirs.values()), 1e-6)


def test_inception_score_is_torch_fidelitys(fidelity):
    import torch

    logits = 3 * RNG.standard_normal((1003, 50))
    theirs = fidelity("isc").isc_features_to_metric(torch.tensor(logits), splits=10, shuffle=False)
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    agree("IS mean and std, torch-fidelity", metrics.inception_score(probs), list(theirs.values()), 1e-4)


def test_precision_and_recall_are_torch_fidelitys(fidelity):
    import torch

    x, y = features(400, 16, 0), features(350, 16, 1, 0.1)
    theirs = fidelity("prc").calculate_precision_recall_full(torch.tensor(y), torch.tensor(x), 3)
    ours = metrics.precision_recall(x, y)
    assert ours == pytest.approx(theirs, abs=1e-6)  # theirs are float32 means
    print(f"\nprecision and recall, torch-fidelity: {ours} and {theirs}")


@pytest.mark.parametrize("k", [3, 5])
def test_precision_recall_density_and_coverage_are_prdcs_exactly(k):
    x, y = features(400, 16, 0), features(350, 16, 1, 0.1)
    theirs = peer("prdc").compute_prdc(x, y, nearest_k=k)
    ours = {**metrics.precision_recall(x, y, k)._asdict(), **metrics.density_coverage(x, y, k)._asdict()}
    counts = {"precision": len(y), "recall": len(x), "density": k * len(y), "coverage": len(x)}
    for name, count in counts.items():
        assert round(ours[name] * count) == round(theirs[name] * count), name
        assert ours[name] == pytest.approx(theirs[name], rel=1e-14)
    print(f"\nprdc, k = {k}: the same counts: {ours}")


def opencv_pyramid(x, levels):
    """The Laplacian pyramid by OpenCV's halving and enlarging. Shapes: [N, H, W, C] -> `levels` float32 arrays."""
    cv2, pyramid = peer("cv2"), [x.astype(np.float32)]
    for _ in range(levels - 1):
        half = np.stack([cv2.pyrDown(image) for image in pyramid[-1]])
        size = pyramid[-1].shape[2:0:-1]
        pyramid[-1] = pyramid[-1] - np.stack([cv2.pyrUp(image, dstsize=size) for image in half])
        pyramid.append(half)
    return pyramid


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (32, 32)])
def test_laplacian_pyramid_is_opencvs(size):
    x = (255 * images(size)[1]).round().astype(np.uint8)
    expected = opencv_pyramid(x, 3)
    found = [wasserstein.laplacian(x, level, 3) for level in range(3)]
    difference = max(np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in zip(found, expected, strict=True))
    print(f"\nLaplacian pyramid {size}, OpenCV: largest difference {difference:.1e} of the largest value")
    assert difference < 1e-6


def test_projections_are_pots(optimal_transport):
    x, y = features(500, 20, 0), features(500, 20, 1, 0.05)
    expected = pots_distance(optimal_transport, x, y, np.random.default_rng(3))
    agree("sliced distance, POT", wasserstein.distance_of_slices(x, y, np.random.default_rng(3)), expected, 1e-9)


def pots_distance(ot, x, y, rng):
    """Of the directions that ours draws."""
    directions = rng.standard_normal((wasserstein.REPEATS * wasserstein.DIRECTIONS, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return ot.sliced_wasserstein_distance(x, y, p=1, projections=directions.T)


def test_sliced_wasserstein_is_made_of_opencvs_pyramid_and_pots_projections(optimal_transport):
    x, y = ((255 * z).round().astype(np.uint8) for z in images((32, 32), 12))
    expected = []
    for level, both in enumerate(zip(opencv_pyramid(x, 2), opencv_pyramid(y, 2), strict=True)):
        rng, descriptors = np.random.default_rng((7, level)), []
        tops, lefts = (rng.integers(side - 6, size=(12, 128)) for side in both[0].shape[1:3])
        for z in both:
            corners = zip(np.arange(12).repeat(128), tops.ravel(), lefts.ravel(), strict=True)
            patches = np.stack([z[i, top : top + 7, left : left + 7] for i, top, left in corners]).astype(np.float64)
            patches = (patches - patches.mean((0, 1, 2))) / patches.std((0, 1, 2))
            descriptors.append(patches.transpose(0, 3, 1, 2).reshape(len(patches), -1))
        expected.append(1e3 * pots_distance(optimal_transport, *descriptors, rng))
    found = metrics.sliced_wasserstein(x, y, seed=7)
    agree("sliced Wasserstein distance, OpenCV and POT", list(found.levels.values()), expected, 1e-6)


def curved(z):
    """A toy generator, for arrays of either library."""
    return z + z**2 / 4


def squared(x, y):
    return ((x - y) ** 2).sum(-1)


@pytest.mark.parametrize(("path", "theirs"), [("lerp", "lerp"), ("slerp", "slerp_unit")])
def test_perceptual_path_length_is_torch_fidelitys(fidelity, monkeypatch, path, theirs):
    ppl, registry = fidelity("ppl"), importlib.import_module("torch_fidelity.registry")
    normalize = importlib.import_module("torch_fidelity.noise").batch_normalize_last_dim
    similarity = importlib.import_module("torch_fidelity.sample_similarity_base").SampleSimilarityBase

    def latents(rng, shape):  # in float64: what is compared is not rounding
        z = importlib.import_module("torch").tensor(rng.randn(*shape))
        return normalize(z) if path == "slerp" else z

    class Generator(ppl.GenerativeModelBase):
        z_size, z_type, num_classes, forward = 16, "wide", 0, staticmethod(curved)

    class Distance(similarity):
        forward = staticmethod(squared)

        def __init__(self, name, **_):
            super().__init__(name)

    monkeypatch.setitem(registry.NOISE_SOURCE_REGISTRY, "wide", latents)
    monkeypatch.setitem(registry.SAMPLE_SIMILARITY_REGISTRY, "toy", Distance)
    settings = {"ppl_epsilon": 1e-2, "ppl_z_interp_mode": theirs, "ppl_sample_similarity": "toy", "rng_seed": 5}
    settings |= {"input1": Generator(), "input1_model_num_samples": 500, "cuda": False, "verbose": False}
    with monkeypatch.context() as patch:
        percentile = np.percentile  # which has lost the argument `interpolation` in NumPy 2.4
        patch.setattr(np, "percentile", lambda x, q, interpolation: percentile(x, q, method=interpolation))
        expected = ppl.calculate_ppl(1, **settings)["perceptual_path_length_mean"]

    rng = np.random.RandomState(5)
    start, end = (latents(rng, (500, 16)).numpy() for _ in range(2))
    ours = metrics.perceptual_path_length(curved, squared, start, end, path=path, sampling="end", epsilon=1e-2)
    agree(f"PPL, {path}, torch-fidelity", ours, expected, 1e-5)


def test_slerp_of_latents_of_one_length_is_torch_fidelitys(fidelity):
    import torch

    fidelity("ppl")
    theirs = importlib.import_module("torch_fidelity.registry").INTERPOLATION_REGISTRY
    start, end = RNG.standard_normal((2, 300, 16))
    start, end = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (start, end))
    for length, name in ((1, "slerp_unit"), (3, "slerp_any")):
        for t in (0.0, 0.3, 1.0):
            ends = length * start, length * end
            expected = theirs[name](*map(torch.tensor, ends), t).numpy()
            np.testing.assert_allclose(slerp(*ends, np.full(300, t)), expected, atol=1e-12)


def test_ssim_is_scikit_images():
    theirs = peer("skimage.metrics").structural_similarity
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    x, y = images((45, 60))
    expected = [theirs(a, b, channel_axis=-1, **settings) for a, b in zip(x, y, strict=True)]
    agree("SSIM, scikit-image", metrics.ssim(x, y), expected, 1e-9)


def test_psnr_is_scikit_images():
    theirs = peer("skimage.metrics").peak_signal_noise_ratio
    x, y = images((20, 30))
    expected = [theirs(a, b, data_range=1.0) for a, b in zip(x, y, strict=True)]
    agree("PSNR, scikit-image", metrics.psnr(x, y), expected, 1e-9)


@pytest.mark.parametrize("size", [(176, 192), (161, 187)])
def test_ms_ssim_of_five_scales_is_tensorflows(size):
    tf = peer("tensorflow")
    x, y = images(size)
    expected = tf.image.ssim_multiscale(tf.constant(x, tf.float32), tf.constant(y, tf.float32), 1.0).numpy()
    agree(f"MS-SSIM {size}, TensorFlow in float32", metrics.ms_ssim_each(x, y), expected, 1e-4)


@pytest.mark.parametrize(("size", "scales"), [((176, 192), 5), ((64, 64), 3), ((28, 28), 2)])
def test_ms_ssim_is_pytorch_msssims(size, scales):
    torch, theirs = peer("torch"), peer("pytorch_msssim").ms_ssim
    x, y = images(size)
    weights = (WEIGHTS[:scales] / WEIGHTS[:scales].sum()).tolist()
    if scales < 5:  # it refuses images too small for five scales whatever the weights: pyramids of its own SSIM
        ssim, expected = importlib.import_module("pytorch_msssim.ssim"), 1
        window = ssim._fspecial_gauss_1d(11, 1.5).repeat(3, 1, 1, 1).double()
        a, b = (torch.tensor(z).permute(0, 3, 1, 2) for z in (x, y))
        for scale, weight in enumerate(weights, 1):
            whole, structure = ssim._ssim(a, b, 1.0, window)
            expected = expected * torch.relu(whole if scale == scales else structure) ** weight
            a, b = (torch.nn.functional.avg_pool2d(z, 2) for z in (a, b))
        expected = expected.mean(1).numpy()
    else:
        a, b = (torch.tensor(z).permute(0, 3, 1, 2) for z in (x, y))
        expected = theirs(a, b, data_range=1.0, size_average=False, weights=weights).numpy()
    agree(f"MS-SSIM {size}, {scales} scales, pytorch-msssim", metrics.ms_ssim_each(x, y), expected, 1e-5)


def test_bce_is_pytorchs():
    torch = peer("torch")
    x, y = RNG.random((4, 50)), RNG.random((4, 50))
    x[0, 0], y[0, 0] = 1, 0
    expected = torch.nn.functional.binary_cross_entropy(torch.tensor(y), torch.tensor(x), reduction="none").mean(1)
    agree("BCE, PyTorch", metrics.bce(x, y), expected.numpy(), 1e-12)


def test_gaussian_divergence_is_pytorchs():
    torch = peer("torch")
    mean, logvar = torch.tensor(RNG.standard_normal((5, 8))), torch.tensor(RNG.standard_normal((5, 8)))
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, torch.exp(logvar / 2)), normal(0.0, 1.0)).sum(1).numpy()
    agree("Gaussian KL, PyTorch", metrics.gaussian_kl(mean.numpy(), logvar.numpy()), expected, 1e-12)


def test_neighbors_are_scikit_learns():
    x, train = RNG.standard_normal((40, 20)), RNG.standard_normal((300, 20))
    search = peer("sklearn.neighbors").NearestNeighbors(n_neighbors=5, algorithm="brute").fit(train)
    lengths, indices = search.kneighbors(x)
    ours = metrics.nearest_neighbors(x, train, k=5)
    np.testing.assert_array_equal(ours.indices, indices)
    agree("neighbors' distances, scikit-learn", ours.distances, lengths, 1e-9)
