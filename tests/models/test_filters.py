"""A bank of filters answers as the dictionary that it was taken from."""

import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from tinyssl import models
from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.models import FilterBank
from tinyssl.training import to_tensor

EYES = toy.fundus(6, size=48, rng=0).images[:, 3:46]
EYES[-1, 10:30] = 15 + EYES[-1, 10:30] % 4  # as dark as what does not count


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "stride"), [(6, 2), (5, 1), (4, 3)])
def test_its_maps_pool_to_the_features_of_the_dictionary(channels, size, stride):
    images, options = EYES[..., :channels], {"num_filters": 20, "patch_size": size}
    dictionary = PatchDictionary(**options, stride=stride).fit(images[:3])
    bank = FilterBank(**options, stride=stride, in_channels=channels)
    bank.take(dictionary)
    maps = bank.features(to_tensor(images)).flatten(2)  # (N, K, places)
    for image, found, expected in zip(
        images, maps, dictionary.features(images).reshape(6, 3, 20), strict=True
    ):
        tiles = torch.as_tensor(image / 255).movedim(2, 0).unfold(1, size, stride)
        tiles = tiles.unfold(2, size, stride)  # (C, h, w, size, size)
        inside = tiles.amax(0).flatten(2).amin(2) > 12 / 255
        inside &= tiles.mean((0, 3, 4)) >= 0.08
        n, found = inside.sum(), found.double()
        assert not found[:, ~inside.flatten()].any()
        top = found.topk(5).values.mean(1)
        actual = [found.sum(1) / n, (found.square().sum(1) / n).sqrt(), top]
        expected = torch.as_tensor(expected).double()
        assert_close(torch.stack(actual), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", [(32, 32), (33, 47)])
def test_it_is_rebuilt_from_its_configuration_and_can_learn(shape):
    bank = FilterBank(num_filters=7, patch_size=5)
    again = models.from_config(json.loads(json.dumps(bank.config)))
    again.load_state_dict(bank.state_dict())
    x = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    maps = again.features(x)
    assert_close(maps, bank.features(x), rtol=0, atol=0)
    assert maps.shape[1] == again.num_features == sum(again.stage_channels)
    assert (maps > 0).any()
    maps.sum().backward()
    assert all(p.grad.any() for p in again.parameters())


def test_contrast_and_light_hardly_change_what_it_answers():
    bank = FilterBank(num_filters=9).double()
    x = torch.as_tensor(np.random.default_rng(0).uniform(0.2, 1, (2, 3, 20, 20)))
    assert_close(bank.features(0.5 + x / 2), bank.features(x), rtol=0.05, atol=0.05)
    assert bank.features(x).mean() > 0.1
