"""What several tests of metrics compare with."""

import pytest


@pytest.fixture(scope="session")
def torchmetrics():
    """Return torchmetrics' functions of labels; skip where it is not installed."""
    pytest.importorskip("torchmetrics")
    from torchmetrics.functional import classification

    return classification
