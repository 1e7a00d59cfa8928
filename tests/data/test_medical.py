"""DICOM, NIfTI and .npy files of one image, by the rules that medical.py states."""

import importlib.util
import pickle

import numpy as np
import pytest
from strategies import refused

from tinyssl.data import DataError, load_images, load_masks, medical, open_dataset
from tinyssl.data.images import read_image

RAMP = np.arange(48).reshape(6, 8)


def save_dicom(path, pixels, **tags):
    pydicom = pytest.importorskip("pydicom")
    pixels, uid = np.asarray(pixels), pydicom.uid.generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", uid
    colour = pixels.shape[-1] == 3
    dataset.Rows, dataset.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    bits = 8 * pixels.dtype.itemsize
    known = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1}
    known |= {"PhotometricInterpretation": "RGB" if colour else "MONOCHROME2"}
    known |= {"SamplesPerPixel": 3 if colour else 1, "PlanarConfiguration": 0}
    known |= {"PixelRepresentation": int(pixels.dtype.kind == "i")}
    known |= {"PixelData": pixels.tobytes()}
    for name, value in (known | tags).items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(
    ("dtype", "tags", "expected"),
    [
        (np.uint8, {}, RAMP),
        (np.uint16, {"BitsStored": 12, "HighBit": 11}, RAMP / 4095 * 255),
        (np.uint16, {"WindowCenter": 24.5, "WindowWidth": 11}, (RAMP - 19) * 25.5),
        (
            np.uint8,
            {"WindowCenter": [8.5, 9], "WindowWidth": [4, 9]},
            (RAMP - 6.5) * 85,
        ),
        (
            np.int16,
            {"RescaleSlope": 2, "RescaleIntercept": 30000},
            (RAMP + 32768) / 257,
        ),
        (np.int8, {}, RAMP + 128),
        (np.uint8, {"PhotometricInterpretation": "MONOCHROME1"}, 255 - RAMP),
    ],
)
def test_dicom_is_shown_by_its_window_or_its_bits(tmp_path, dtype, tags, expected):
    save_dicom(tmp_path / "a.dcm", RAMP.astype(dtype), **tags)
    actual = read_image(tmp_path / "a.dcm")
    expected = np.clip(np.rint(expected), 0, 255)[..., None].repeat(3, axis=-1)
    np.testing.assert_array_equal(actual, expected)


def test_dicom_of_colour_is_read_and_a_volume_is_not(tmp_path):
    colour = np.stack([RAMP, RAMP + 50, RAMP + 100], axis=-1).astype(np.uint8)
    save_dicom(tmp_path / "a.dcm", colour)
    np.testing.assert_array_equal(read_image(tmp_path / "a.dcm"), colour)
    volume = np.zeros((5, 6, 8), np.uint8)
    save_dicom(tmp_path / "v.dcm", volume, NumberOfFrames=5)
    with refused(r"v\.dcm: must be \(H, W\) .* found \(6, 8, 5\); save slices"):
        read_image(tmp_path / "v.dcm")
    (tmp_path / "b.dcm").write_bytes(b"no DICOM")
    with refused(r"b\.dcm: unreadable image"):
        read_image(tmp_path / "b.dcm")


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (RAMP.astype(np.uint8), RAMP),
        (RAMP % 2 == 1, RAMP % 2 * 255),
        (RAMP / 47, np.rint(RAMP / 47 * 255)),
        ((RAMP / 47).astype(np.float32), np.rint(RAMP / 47 * 255)),
        (np.stack([RAMP] * 3, -1).astype(np.int64), RAMP),
    ],
)
def test_arrays_hold_bytes_or_shares(tmp_path, array, expected):
    np.save(tmp_path / "a.npy", array)
    actual = read_image(tmp_path / "a.npy")
    np.testing.assert_array_equal(actual, np.stack([expected] * 3, -1))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_deep_arrays_are_as_a_png_of_16_bits(tmp_path, dtype):
    from PIL import Image

    deep = (RAMP * 1394).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", deep.astype(dtype))
    expected, actual = (read_image(tmp_path / f"a.{kind}") for kind in ("png", "npy"))
    np.testing.assert_array_equal(actual, expected)
    assert actual.max() > 200


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (RAMP * 1.0, r"float64\) must lie in 0\.\.1, found 0\.\.47"),
        (RAMP * np.nan, "must lie in"),
        (RAMP - 1, r"must lie in 0\.\.65535, found -1"),
        (RAMP + 65535, r"must lie in 0\.\.65535"),
        (np.stack([RAMP * 9] * 3, -1), r"must lie in 0\.\.255, found 0\.\.423"),
        (np.zeros((3, 6, 8), np.uint8), r"found \(3, 6, 8\); save slices of a volume"),
        (np.zeros((0, 8), np.uint8), r"found \(0, 8\)"),
        (np.array(["a"]), "must be"),
        (RAMP * 1j, "must hold integers or floats, found complex128"),
        (np.array([[None]]), "unreadable image"),
    ],
)
def test_arrays_of_other_values_are_refused_by_name(tmp_path, array, message):
    np.save(tmp_path / "bad.npy", array)
    with refused(rf"bad\.npy: .*{message}"):
        read_image(tmp_path / "bad.npy")


def test_an_array_is_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    (tmp_path / "bad.npy").write_bytes(pickle.dumps(Trap()))
    with refused(r"bad\.npy: unreadable image"):
        read_image(tmp_path / "bad.npy")
    assert not (tmp_path / "sprung").exists()


def test_nifti_of_one_slice_is_read_and_a_volume_is_not(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    shapes = {"a.nii": (6, 8), "b.nii.gz": (6, 8, 1), "v.nii": (2, 3, 8)}
    for name, shape in shapes.items():
        pixels = RAMP.astype(np.uint8).reshape(shape)
        nibabel.Nifti1Image(pixels, np.eye(4)).to_filename(tmp_path / name)
    for name in ("a.nii", "b.nii.gz"):
        np.testing.assert_array_equal(read_image(tmp_path / name)[..., 1], RAMP)
    with refused(r"v\.nii: must be \(H, W\) .* found \(2, 3, 8\); save slices"):
        read_image(tmp_path / "v.nii")


def test_a_folder_of_arrays_is_a_data_set(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for k in range(3):
            half = np.tile(np.arange(8) < 4, (8, 1))
            array = half if folder == "masks" else np.full((8, 8, 3), 60 * k, np.uint8)
            np.save(tmp_path / folder / f"{k}.npy", array)
    table = open_dataset(tmp_path)
    assert (len(table), table.is_fundus, table.unused) == (3, False, ())
    images, _ = load_images(table, 4)
    assert images[:, 0, 0, 0].tolist() == [0, 60, 120]
    assert load_masks(table, "mask", 4).mean() == 0.5


@pytest.mark.parametrize(
    ("name", "package"), [("1.dcm", "pydicom"), ("1.nii.gz", "nibabel")]
)
def test_a_missing_package_is_one_line(tmp_path, monkeypatch, name, package):
    for k in range(3):
        (tmp_path / f"{k}{name}").write_bytes(b"")
    found = importlib.util.find_spec

    def find(name):
        return None if name == package else found(name)

    monkeypatch.setattr(medical.importlib.util, "find_spec", find)
    for skip_bad in (False, True):
        with refused(rf'0{name}: .* need {package}: pip install "tinyssl\[medical\]"'):
            open_dataset(tmp_path, skip_bad=skip_bad)
    with pytest.raises(DataError, match=package):
        read_image(tmp_path / f"0{name}")
