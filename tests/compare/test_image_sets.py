"""Image sets: every source under one name a picture, and clear refusals."""

import numpy as np
import pytest

from tinyssl.compare.image_sets import open_images, pairs_of, refuse_sizes
from tinyssl.data import DataError, toy

GREY = np.full((9, 16, 16, 3), np.arange(9)[:, None, None, None], np.uint8)


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

    # a name that pairs must be one image
    first = open_images(folder("c", "x.png", "x.bmp", "y.png"))
    with pytest.raises(DataError, match="2 images are called 'x'"):
        pairs_of(first, open_images(folder("d", "x.png", "y.png")))
    third = open_images(folder("e", "y.png", "z.png"))
    assert len(pairs_of(first, third)) == 1  # x has no partner: no matter


def test_sizes_that_differ_are_named_or_resized(folder, save):
    paths = folder("a", "x.png", "y.png"), folder("b", "x.png")
    save(paths[1], [np.zeros((16, 20, 3), np.uint8)], ["odd.png"])
    with pytest.raises(DataError, match=r"odd of 16 x 20 beside x of 16 x 16 .*--size"):
        refuse_sizes(*map(open_images, paths))
    sets = [open_images(path, size=12) for path in paths]
    refuse_sizes(*sets)
    assert {image.shape for images in sets for image in images} == {(12, 12, 3)}


@pytest.mark.parametrize(
    ("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float32", 1), (">f8", 1)]
)
def test_data_range_follows_from_the_type(dtype, top, tmp_path):
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
