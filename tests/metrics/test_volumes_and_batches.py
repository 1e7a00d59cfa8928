"""SSIM of volumes and of batches: equal to scikit-image, and to one at a time."""

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import refused, seeds

from tinyssl import _kernels, reference
from tinyssl.metrics import SSIMAccumulator, _ssim, ssim

windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])
dtypes = st.sampled_from([("u1", 255), ("f4", 1), ("f8", 100)])


def volume_pair(seed, dtype, least=11, most=14, C=2):
    """Two alike (D, H, W, C) volumes, and their data range."""
    rng = np.random.default_rng(seed)
    volume = rng.random((*rng.integers(least, most, 3), C))
    other = np.clip(volume + rng.normal(0, 0.1, volume.shape), 0, 1)
    return *((dtype[1] * x).astype(dtype[0]) for x in (volume, other)), dtype[1]


@windows
@given(seeds, dtypes, st.booleans())
def test_volumes_equal_skimage(window, seed, dtype, unbiased):
    *volumes, data_range = volume_pair(seed, dtype)
    options = {"data_range": data_range, "channel_axis": -1, "full": True}
    score, expected = skimage.metrics.structural_similarity(
        *(x.astype(float) for x in volumes),
        gaussian_weights=window == "gaussian",
        use_sample_covariance=unbiased,
        **options,
    )
    options |= {"window": window, "sample_covariance": unbiased, "spatial_dims": 3}
    actual, actual_map = ssim(*volumes, **options)
    edge = slice(5, -5) if window == "gaussian" else slice(3, -3)
    expected = expected[edge, edge, edge]
    np.testing.assert_allclose(actual_map, expected, atol=1e-10, rtol=0)
    assert actual == pytest.approx(score, abs=1e-10)


@given(seeds, dtypes, st.integers(1, 3), st.sampled_from((3, 5)))
def test_ssim_volume(seed, dtype, tile, size):
    *volumes, data_range = volume_pair(seed, dtype, 5, 10, 1 + seed % 2)
    D, H, W, C = volumes[0].shape
    planes, rows, columns = D - size + 1, H - size + 1, W - size + 1
    taps = np.exp(-(np.linspace(-1, 1, size) ** 2))
    window = taps / taps.sum(), (0.01 * data_range) ** 2, (0.03 * data_range) ** 2, 1.1
    expected = reference.ssim_volume(*volumes, *window)
    centres = np.full((2, W * C), data_range / 2)
    out = np.empty((planes * rows, columns * C))
    sums = np.zeros((-(-planes // tile), columns * C))
    kernel = _kernels.similarity.ssim_volume
    for start in range(0, planes, tile):  # as threads do
        stop = min(start + tile, planes)
        kernel(*volumes, *window, centres, start, stop, tile, out, sums, np.inf)
    np.testing.assert_allclose(out.reshape(expected.shape), expected, atol=1e-12)
    parts = np.split(expected, range(tile, planes, tile))
    added = [part.sum(axis=(0, 1)).ravel() for part in parts]
    np.testing.assert_allclose(sums, added, atol=1e-12)
    kernel(*volumes, *window, centres, 0, planes, tile, out, sums, 0.0)  # all are far
    assert np.isnan(out).all()


@windows
@given(seeds, dtypes)
def test_laws_of_volumes(window, seed, dtype):
    *volumes, data_range = volume_pair(seed, dtype)
    options = {"data_range": data_range, "window": window, "spatial_dims": 3}
    score = ssim(*volumes, channel_axis=-1, **options)
    assert ssim(volumes[0], volumes[0], channel_axis=-1, **options) == 1.0
    assert ssim(*volumes[::-1], channel_axis=-1, **options) == score
    turned = (x.transpose(3, 2, 0, 1)[:, ::-1] for x in volumes)
    assert ssim(*turned, channel_axis=0, **options) == pytest.approx(score, abs=1e-12)
    apart = [ssim(*(x[..., c] for x in volumes), **options) for c in range(2)]
    assert np.mean(apart) == pytest.approx(score, abs=1e-12)
    batch = SSIMAccumulator(channel_axis=-1, **options)
    batch.update(*(x[None] for x in volumes))
    assert abs(batch.compute() - score) <= 2.0**-60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ssim, "SERIAL", 0)
        patch.setenv("TINYSSL_NUM_THREADS", "3")
        assert ssim(*volumes, channel_axis=-1, **options) == score


@windows
@given(seeds, dtypes, st.integers(1, 4), st.booleans(), st.data())
def test_a_batch_has_the_bits_of_its_images(window, seed, dtype, N, volumes, data):
    rng = np.random.default_rng(seed)
    images = rng.random((2, N, *[12] * volumes, 14, 40, 2)) * dtype[1]
    images = images.astype(dtype[0])
    options = {"data_range": dtype[1], "window": window, "full": True}
    options["spatial_dims"] = 2 + volumes
    one = [
        ssim(*pair, channel_axis=-1, **options) for pair in zip(*images, strict=True)
    ]
    first = data.draw(st.integers(0, images.ndim - 2))
    last = data.draw(st.integers(0, images.ndim - 2).filter(lambda x: x != first))
    moved = (np.moveaxis(x, (0, -1), (first, last)) for x in images)
    axes = {"batch_axis": first, "channel_axis": last - (images.ndim - 1)}
    scores, maps = ssim(*moved, **axes, **options)
    assert scores.tolist() == [score for score, _ in one]
    np.testing.assert_array_equal(maps, [score_map for _, score_map in one])
    grey = ssim(*images[..., 0], batch_axis=0, **options)[0]
    assert grey.tolist() == [ssim(*x, **options)[0] for x in zip(*images[..., 0])]  # noqa: B905


BATCH, VOLUME = np.zeros((2, 32, 32)), np.zeros((12, 12, 12))


@pytest.mark.parametrize(
    ("images", "axes", "message"),
    [
        (BATCH, {}, "2 axes, .* batch_axis where the images .*SSIMAccumulator"),
        (VOLUME, {}, r"2 axes, .*\(12, 12, 12\).*spatial_dims=3 that they are volumes"),
        (BATCH[0], {"batch_axis": 0}, r"3 axes, found shape \(32, 32\)$"),
        (BATCH, {"batch_axis": 3}, r"batch_axis must lie in -3\.\.2, found 3"),
        (BATCH, {"batch_axis": 0.0}, "TypeError: batch_axis must be an integer"),
        (BATCH, {"spatial_dims": 4}, "spatial_dims must be one of 2, 3, found 4"),
        (
            VOLUME[:10],
            {"spatial_dims": 3},
            "11 x 11 x 11 pixels, found 10 x 12 x 12: a",
        ),
        (BATCH + np.nan, {"batch_axis": 0}, r"nan at position \(0, 0, 0\)"),
        (BATCH[None], {"batch_axis": 1, "channel_axis": -3}, "not be batch_axis"),
    ],
)
def test_axes_that_are_not_said_are_refused(images, axes, message):
    with refused(message):
        ssim(images, images, data_range=1, **axes)
