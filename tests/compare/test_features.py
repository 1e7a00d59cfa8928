"""Features: fixed whatever the machine and batch, honest about what they take."""

import warnings

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from tinyssl import runs
from tinyssl.compare.features import RandomNetwork, extract, load_features, project
from tinyssl.metrics import frechet_distance


def convolved(images, seed):
    """The random network by NumPy alone: (N, H, W, 3) in [0, 1] to (N, 64)."""
    x, rng = 2 * images.transpose(0, 3, 1, 2) - 1, np.random.default_rng(seed)
    for c_out in (16, 32, 64):
        weight = rng.standard_normal((c_out, x.shape[1], 3, 3))
        weight -= 0.75 * weight.mean((2, 3), keepdims=True)
        weight *= np.sqrt(2 / (9 * x.shape[1]))
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
        x = np.maximum(np.einsum("nchwij,ocij->nohw", windows, weight), 0)
    return x.mean((2, 3))


@pytest.mark.parametrize("seed", [0, 7])
def test_random_network_is_the_numpy_one(eyes, seed):
    expected = convolved(eyes[:5] / 255, seed)
    actual = extract(eyes[:5], RandomNetwork(seed))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_batches_types_and_grey_change_nothing(eyes):
    network = RandomNetwork()
    expected = extract(eyes, network)
    np.testing.assert_allclose(extract(eyes, network, batch_size=7), expected, 1e-5)
    floats = (eyes / 255).astype(np.float32)
    np.testing.assert_allclose(extract(floats, network), expected, 1e-4)
    np.testing.assert_array_equal(extract(iter(eyes), network), expected)
    grey = eyes[..., 1]
    threefold = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_array_equal(extract(grey, network), extract(threefold, network))
    listed = extract(eyes, lambda x: x.amax((2, 3)).tolist())  # any callable serves
    np.testing.assert_allclose(listed, eyes.max((1, 2)) / 255, rtol=1e-6)


def test_projection_is_a_rotation_and_distance_grows_with_what_is_done(eyes):
    rng, found = np.random.default_rng(0), []
    for deviation in (0, 6, 12, 24):
        noisy = np.clip(eyes + rng.normal(0, deviation, eyes.shape), 0, 255)
        sets = eyes, noisy.astype(np.uint8)
        features = [extract(images, RandomNetwork(), dim=12) for images in sets]
        found.append(frechet_distance(*features))
    assert found[0] <= 1e-6
    assert found[1] * 2 < found[2] < found[3] / 2
    features = extract(eyes, RandomNetwork())
    turned = project(features, 64)
    np.testing.assert_allclose(turned @ turned.T, features @ features.T, atol=1e-9)
    np.testing.assert_array_equal(extract(eyes, RandomNetwork(), dim=9).shape, (80, 9))
    for dim in (0, 65):
        with pytest.raises(ValueError, match=rf"lie in 1\.\.64, .* found {dim}"):
            project(features, dim)


def test_features_of_a_run_are_those_of_its_encoder(eyes, tiny_encoder, tmp_path):
    run, path = tmp_path / "run", tmp_path / "run/fold0/encoder.pt"
    tiny_encoder.eval()
    runs.save_encoder(path, tiny_encoder, task="rotation", seen=["a"])
    features, name = load_features(run)
    assert name == f"encoder of {run / 'fold0'}, pretrained by rotation"
    x = torch.from_numpy(eyes[:3]).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        expected = tiny_encoder.features(x).mean((2, 3)).numpy()
    np.testing.assert_allclose(extract(eyes[:3], features), expected, rtol=1e-4)
    assert load_features(path)[1] == name
    # ... and go where the images go
    with pytest.raises(NotImplementedError, match="meta"):  # no values there to return
        extract(eyes[:3], tiny_encoder.eval().features, device="meta")
    assert next(tiny_encoder.parameters()).device.type == "meta"


def test_features_of_a_torchscript_file_and_other_files_refused(eyes, tmp_path):
    layer = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout())  # dropout: evaluation mode
    path = tmp_path / "network.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # by torch.jit
        torch.jit.script(layer).save(str(path))
    features, name = load_features(path)
    assert name == "TorchScript network.pt"
    x = torch.from_numpy(eyes[:2]).permute(0, 3, 1, 2) / 255
    expected = layer.eval()(x).mean((2, 3)).detach().numpy()
    np.testing.assert_allclose(extract(eyes[:2], features), expected, rtol=1e-4)
    np.testing.assert_allclose(extract(eyes[:2], layer.train()), expected, rtol=1e-4)
    (tmp_path / "text.pt").write_text("no weights")
    for name, words in (
        ("nothing", r"features must be random, .* no .*nothing"),
        ("", r"no .*encoder\.pt"),
        ("text.pt", r"text\.pt is not a file of plain weights"),
    ):
        with pytest.raises(ValueError, match=words):
            load_features(tmp_path / name)


@pytest.mark.parametrize(
    ("images", "features", "words"),
    [
        ([], None, "images must not be empty"),
        ([np.zeros((8, 8)), np.zeros((8, 9))], None, "of one size and type, found 8"),
        ([np.zeros((8, 8)), np.zeros((8, 8), np.uint8)], None, "float64 and 8 x 8"),
        ([np.full((8, 8), 200.0)], None, r"lie in \[0, 1\], found 200 to 200"),
        ([np.full((8, 8), np.nan)], None, r"lie in \[0, 1\], found nan"),
        ([np.zeros((8, 8, 4))], None, r"found \(8, 8, 4\) at position 0"),
        ([np.zeros((8, 8), np.int64)], None, "uint8 or floats, found int64"),
        ([np.zeros((8, 8))], lambda x: x.sum(), r"return \(1, d\) .* found \(\)"),
        ([np.zeros((8, 8))], lambda x: x.mean((2, 3)) / 0, "must be finite"),
    ],
)
def test_bad_images_and_answers_are_refused(images, features, words):
    error = TypeError if "int64" in words else ValueError
    with pytest.raises(error, match=words):
        extract(images, features or RandomNetwork())
