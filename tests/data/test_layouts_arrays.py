"""MedMNIST files and the synthetic eyes."""

import numpy as np
import pytest

from tinyssl.data import DataError, load_images, open_dataset
from tinyssl.data.images import round_mask

RNG = np.random.default_rng(0)


def eyes(n, size=28):
    """Return reddish discs on black."""
    images = RNG.integers(60, 90, (n, size, size, 3), np.uint8)
    images[..., 0] += 90
    images[:, ~round_mask(size)] = 0
    return images


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_medmnist_joins_its_parts(tmp_path):
    path = save(
        tmp_path / "retina.npz",
        train_images=eyes(3),
        train_labels=np.array([[0], [4], [2]], np.uint8),
        test_images=eyes(2),
        test_labels=np.array([[1], [0]], np.uint8),
    )
    table = open_dataset(path)
    assert table.layout == "medmnist"
    assert table.names == ("train/0", "train/1", "train/2", "test/0", "test/1")
    assert table.grade.tolist() == [0, 4, 2, 1, 0]
    assert table.grade.dtype == np.int64
    assert table.split.tolist() == ["train"] * 3 + ["test"] * 2
    assert table.images.shape == (5, 28, 28, 3)
    assert table.is_fundus


def test_medmnist_gray_images_are_no_eyes(tmp_path):
    images = RNG.integers(0, 255, (3, 28, 28), np.uint8)
    table = open_dataset(save(tmp_path / "pneumonia.npz", train_images=images))
    assert not table.is_fundus
    assert table.grade is None
    loaded, _ = load_images(table, 28)
    for channel in range(3):
        np.testing.assert_array_equal(loaded[..., channel], images)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_labels": np.zeros(3)}, "must hold train_images"),
        ({"train_images": np.zeros((2, 8, 8))}, r"\(n, H, W, 3\) uint8, found .*float"),
        ({"train_images": np.zeros((2, 8, 8, 8), np.uint8)}, r"found \(2, 8, 8, 8\)"),
        ({"train_images": np.zeros((0, 8, 8), np.uint8)}, r"found \(0, 8, 8\)"),
        (
            {"train_images": eyes(2), "train_labels": np.zeros((2, 14), np.uint8)},
            r"one integer an image, .* found \(2, 14\)",
        ),
        (
            {"train_images": eyes(2), "train_labels": np.zeros(2)},
            r"one integer an image, .* float64",
        ),
        (
            {"train_images": eyes(2), "test_images": eyes(2, 32)},
            "images must have one size",
        ),
        ({"train_images": np.array([{}, {}])}, "cannot be read as plain arrays"),
    ],
    ids=[
        "none",
        "float",
        "3-D",
        "empty",
        "multi-label",
        "float-label",
        "sizes",
        "pickle",
    ],
)
def test_medmnist_refuses(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        open_dataset(save(tmp_path / "bad.npz", **arrays))


def test_medmnist_never_unpickles(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    trap = np.empty(1, object)
    trap[0] = Trap()
    path = save(tmp_path / "trap.npz", train_images=trap)
    with pytest.raises(DataError, match="cannot be read as plain arrays"):
        open_dataset(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x80\x04pickle"])
def test_medmnist_refuses_broken_files(tmp_path, content):
    (tmp_path / "broken.npz").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as plain arrays"):
        open_dataset(tmp_path / "broken.npz")


def test_toy_is_a_table_of_everything():
    table = open_dataset("toy:6:32")
    assert len(table) == 6
    assert table.images.shape == (6, 32, 32, 3)
    assert set(table.masks) >= {"vessel", "MA", "HE", "EX"}
    assert list(table.points) == ["disc", "fovea"]
    assert table.region.shape == (6, 32, 32)
    assert set(table.eye) <= {"left", "right"}
    assert len(set(table.patient)) == 3


def test_toy_is_the_same_each_time():
    first, second = open_dataset("toy:4:32"), open_dataset("toy:4:32")
    np.testing.assert_array_equal(first.images, second.images)


def test_toy_of_another_seed_shows_other_eyes():
    first, second = open_dataset("toy:4:32"), open_dataset("toy:4:32:1")
    assert (first.images != second.images).any((1, 2, 3)).all()


@pytest.mark.parametrize("spec", ["toy:0", "toy:many", "toy:4:8", "toy:", "toy:4:32:x"])
def test_toy_refuses(spec):
    with pytest.raises(DataError, match="must be toy, toy:N, toy:N:SIZE or"):
        open_dataset(spec)
