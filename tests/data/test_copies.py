"""The same photograph is known again in another file; another photograph is not."""

import io

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import toy
from tinyssl.data.copies import content_groups, seen_before, thumbnails
from tinyssl.runs import load_thumbnails, save_thumbnails


def saved_anew(image, quality):
    """Return the image as a JPEG gives it back."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.fixture(scope="module")
def eyes():
    """Return eyes of forty patients, an image each."""
    found = toy.fundus(80, size=96, rng=0)
    return found.images[np.unique(found.patient, return_index=True)[1]]


def smaller(image, side):
    return np.asarray(Image.fromarray(image).resize((side, side)))


CHANGES = [(saved_anew, 95), (saved_anew, 75), (saved_anew, 50), (smaller, 64)]


@pytest.mark.parametrize(("change", "option"), CHANGES)
def test_neither_compression_nor_another_size_hides(eyes, change, option):
    again = thumbnails(change(image, option) for image in eyes)
    assert seen_before(thumbnails(eyes), again).all()


def test_a_copy_saved_again_joins_the_group_of_its_picture(eyes):
    images = [*eyes[:3], saved_anew(eyes[1], 75)]
    patient = np.array(["a", "b", "c", "d"])
    assert content_groups(images, patient).tolist() == [0, 1, 2, 3]
    small = thumbnails(images)
    assert content_groups(images, patient, small).tolist() == [0, 1, 2, 1]


def test_other_eyes_are_other_eyes_and_none_are_none(eyes):
    assert not seen_before(thumbnails(eyes[:20]), thumbnails(eyes[20:])).any()
    small = thumbnails(eyes[:2])
    assert seen_before(small[1:], small).tolist() == [False, True]
    assert seen_before(thumbnails([]), small).tolist() == [False, False]
    assert seen_before(small, thumbnails([])).tolist() == []


def test_saved_and_loaded(eyes, tmp_path):
    save_thumbnails(tmp_path / "a.npy", thumbnails(eyes[:3]))
    actual = load_thumbnails(tmp_path / "a.npy")
    assert np.array_equal(actual, thumbnails(eyes[:3]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_files_missing_with_code_in_them_or_of_another_size_are_refused(tmp_path):
    np.save(tmp_path / "code.npy", np.array([{}], object), allow_pickle=True)
    for name in ("missing.npy", "code.npy"):
        with pytest.raises(ValueError, match=f"{name} is missing or damaged"):
            load_thumbnails(tmp_path / name)
    np.save(tmp_path / "large.npy", np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="must hold thumbnails of 16 x 16 pixels"):
        load_thumbnails(tmp_path / "large.npy")
