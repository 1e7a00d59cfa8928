"""Settings every test shares."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the cores

settings.register_profile(
    "tinyssl",
    deadline=None,
    max_examples=int(os.environ.get("TINYSSL_TEST_EXAMPLES", "20")),
    derandomize=bool(os.environ.get("TINYSSL_SAME_EXAMPLES")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tinyssl")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real images; skip where there is none (TINYSSL_DATA)."""
    folder = os.environ.get("TINYSSL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real images here: set TINYSSL_DATA to their folder")
    return Path(folder)


@pytest.fixture
def tiny_encoder():
    """Return a DenseNet that trains in seconds; always the same weights."""
    import torch

    from tinyssl.models import DenseNet

    torch.manual_seed(0)
    options = {"growth_rate": 8, "block_layers": (2, 2), "stem_channels": 16}
    return DenseNet(num_classes=2, small_stem=True, **options)
