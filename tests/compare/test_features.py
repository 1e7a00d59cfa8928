"""Sources of images and of features: fixed everywhere, honest, clear refusals."""

import warnings

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from tinyssl import runs
from tinyssl.compare.features import RandomNetwork, extract, load_features, project
from tinyssl.compare.image_sets import open_images, pairs_of, refuse_sizes
from tinyssl.data import DataError, toy
from tinyssl.metrics import frechet_distance

GREY = np.full((9, 16, 16, 3), np.arange(9)[:, None, None, None], np.uint8)


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
    grey, threefold = eyes[..., 1], eyes[..., [1, 1, 1]]
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


class Located(nn.Module):
    """Tell where the images and the weights are; "meta" is a device everywhere."""

    def __init__(self):
        super().__init__()
        self.weight, self.found = nn.Parameter(torch.zeros(1)), []

    def features(self, x):
        self.found.append((x.device.type, self.weight.device.type))
        return torch.zeros(len(x), 2)


def test_images_and_network_go_to_the_device_that_was_asked_for(eyes):
    network = Located()
    extract(eyes[:3], network.features, batch_size=2, device="meta")
    assert network.found == [("meta", "meta")] * 2


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


@pytest.fixture
def folder(tmp_path, save):
    """Return what saves an image under each name, number k of value k."""
    return lambda name, *names: save(tmp_path / name, GREY[: len(names)], names)


def saved(path, array):
    np.save(path, array)
    return path


def test_folders_pair_by_path_without_suffix(folder):
    path = folder("a", "x.png", "sub/y.png", "z.png")
    folder("a", ".cache/y.png", ".z.png", "a/.b/c.png")  # hidden, or no images:
    (path / "notes.txt").write_text("no image")
    (path / "folder.png").mkdir()
    first = open_images(path)
    second = open_images(folder("b", "sub/y.tif", "z.bmp", "w.png"))
    assert first.names == ["sub/y", "x", "z"]
    assert [image.max() for image in first] == [1, 0, 2]
    pairs = [(first.names[i], second.names[j]) for i, j in pairs_of(first, second)]
    assert pairs == [("sub/y", "sub/y"), ("z", "z")]
    assert pairs_of(first, open_images("toy:3:32")).shape == (0, 2)
    # a name that pairs must be one image; without a partner x may be two
    first = open_images(folder("c", "x.png", "x.bmp", "y.png"))
    with pytest.raises(DataError, match="2 images are called 'x'"):
        pairs_of(first, open_images(folder("d", "x.png", "y.png")))
    assert len(pairs_of(first, open_images(folder("e", "y.png", "z.png")))) == 1


def test_sizes_that_differ_are_named_or_resized(folder, save):
    paths = folder("a", "x.png", "y.png"), folder("b", "x.png")
    save(paths[1], [np.zeros((16, 20, 3), np.uint8)], ["odd.png"])
    with pytest.raises(DataError, match=r"odd of 16 x 20 beside x of 16 x 16 .*--size"):
        refuse_sizes(*map(open_images, paths))
    sets = [open_images(path, size=12) for path in paths]
    refuse_sizes(*sets)
    assert {image.shape for images in sets for image in images} == {(12, 12, 3)}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", ">f8"])
def test_data_range_follows_from_the_type(dtype, tmp_path):
    top = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    unit = np.linspace(0, 1, 2 * 16 * 16).reshape(2, 16, 16)
    images = open_images(saved(tmp_path / "x.npy", (unit * top).astype(dtype)))
    assert (images.data_range, images.names) == (top, ["0", "1"])
    assert images[1].shape == (16, 16, 3)
    assert images[1].dtype == (np.uint8 if dtype == "uint8" else np.float32)
    scale = 255 if dtype == "uint8" else 1
    np.testing.assert_allclose(images[1][..., 0] / scale, unit[1], atol=1 / 255)


def test_range_of_other_floats_must_be_said(tmp_path):
    path = saved(tmp_path / "x.npy", np.linspace(0, 4095, 512).reshape(2, 16, 16))
    with pytest.raises(DataError, match=r"floats from 0 to 4095: say .* --data-range"):
        open_images(path)
    assert open_images(path, data_range=4095)[1].max() == 1
    words = r"lie in 0\.\.1000, .*; 1 has 2051\.\d* to 4095"
    with pytest.raises(DataError, match=words):
        open_images(path, data_range=1000)[1]
    with pytest.raises(DataError, match="floats from nan to nan"):
        open_images(saved(tmp_path / "nan.npy", np.full((1, 16, 16), np.nan)))


def test_data_sets_are_read_by_their_readers(folder):
    images, eyes = open_images("toy:4:32"), toy.fundus(4, size=32, rng=0)
    np.testing.assert_array_equal(images[2], eyes.images[2])
    assert [*images.patients] == [*eyes.patient]
    path = folder("a", "x.png", "y.png") / "list.csv"
    path.write_text("image,name,patient\nx.png,eye,p\ny.png,other,\n")
    assert list(open_images(path).names) == ["eye", "other"]
    assert open_images(path).patients is None  # not known of all


def test_what_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.npy").write_bytes(b"no array")
    cases = {
        tmp_path / "empty": "has no image files",
        tmp_path / "none": "no such file or folder",
        tmp_path / "none.csv": "no such file or folder",
        tmp_path / "bad.npy": "is not an .npy array",
        saved(tmp_path / "flat.npy", np.zeros(4)): r"must be \(N, H, W\) or",
        saved(tmp_path / "int.npy", np.zeros((1, 9, 9), int)): "found int64",
        "toy:none": "toy:none",
    }
    for path, words in cases.items():
        with pytest.raises(DataError, match=words):
            open_images(path)
    floats = saved(tmp_path / "f.npy", np.zeros((1, 16, 16)))
    with pytest.raises(DataError, match="resizes images of 8 bits only"):
        open_images(floats, size=8)[0]
