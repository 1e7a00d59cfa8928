"""The run folder: whole or old files, strict JSON, encoders that come back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tinyssl import runs


def test_failed_write_leaves_the_old_file_and_a_new_one_is_renamed(tmp_path):
    path = tmp_path / "deep" / "results.json"
    runs.write_json(path, {"a": 1})

    def fail(partial):
        partial.write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        runs.write_atomic(path, fail)
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]
    with path.open() as reader:  # someone who reads the old file keeps it
        runs.write_json(path, {"a": 2})
        assert json.load(reader) == {"a": 1}
    assert json.loads(path.read_text()) == {"a": 2}


def test_json_is_strict(tmp_path):
    value = {"nan": float("nan"), "path": tmp_path, "pair": (1, float("inf"))}
    value |= {"numbers": np.arange(2), "number": np.float32(0.5), 3: None}
    runs.write_json(tmp_path / "x.json", value)
    expected = {"nan": None, "path": str(tmp_path), "pair": [1, None]}
    expected |= {"numbers": [0, 1], "number": 0.5, "3": None}
    assert json.loads((tmp_path / "x.json").read_text()) == expected


def test_encoder_comes_back_with_what_it_saw(tmp_path, tiny_encoder):
    path = tmp_path / "encoder.pt"
    runs.save_encoder(path, tiny_encoder, task="rotation", seen=["ab", "cd"])
    encoder, saved = runs.load_encoder(path)
    x = torch.rand(2, 3, 16, 16)
    expected = tiny_encoder.eval().features(x)
    torch.testing.assert_close(encoder.eval().features(x), expected)
    assert (saved["task"], saved["seen"]) == ("rotation", ["ab", "cd"])


def test_wrong_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    runs.save_state(tmp_path / "other.pt", {"config": {}})
    for name, words in (
        ("missing.pt", r"no such file: .*missing\.pt"),
        ("text.pt", r"text\.pt is not a file of plain weights"),
        ("other.pt", r"other\.pt lacks task, seen, state_dict"),
    ):
        with pytest.raises(ValueError, match=words):
            runs.load_encoder(tmp_path / name)
    with pytest.raises(ValueError, match="is not a run folder"):
        runs.read_config(tmp_path)


def test_pickled_code_does_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"config": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="not a file of plain weights"):
        runs.load_plain(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_hash_tells_content_from_name(tmp_path):
    for name, text in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(text)
    a, b, c = runs.content_hashes([tmp_path / name for name in "abc"])
    assert a == b != c
    image = np.arange(4, dtype=np.uint8)
    assert runs.content_hashes([image]) == runs.content_hashes([image.copy()])
    assert runs.fingerprint([image, image]) != runs.fingerprint([image])


@pytest.mark.parametrize(
    ("error", "before", "leave", "after"),
    [
        (ValueError, [], [], None),
        (ValueError, [], ["encoder.pt"], ["config.json", "encoder.pt"]),
        (ValueError, ["config.json"], [], ["config.json"]),
        (ValueError, ["notes"], [], ["notes"]),
        (ValueError, [".notes"], [], [".notes"]),
        (KeyboardInterrupt, [], [], ["config.json"]),  # it can be resumed
    ],
)
def test_only_a_refusal_takes_back_its_claim(tmp_path, error, before, leave, after):
    out = tmp_path / "run"
    for name in before:
        runs.write_json(out / name, {})
    with pytest.raises(error, match="no"), runs.claimed(out, {}):  # noqa: PT012
        for name in leave:
            (out / name).touch()
        raise error("no")
    found = sorted(path.name for path in out.iterdir()) if out.exists() else None
    assert found == after


def test_a_folder_goes_on_with_its_own_settings_and_no_others(tmp_path):
    settings = {"command": "pretrain", "steps": 3}
    runs.claim(tmp_path, settings)
    runs.claim(tmp_path, settings, {"threads": 2})  # where it runs may differ
    with pytest.raises(ValueError, match="with steps=3, this one has steps=4"):
        runs.claim(tmp_path, settings | {"steps": 4}, growing=["steps"])
    assert runs.read_config(tmp_path)["steps"] == 3


def test_a_list_may_grow_where_that_is_said_but_loses_nothing(tmp_path):
    settings = {"init": [Path("a")], "labels": [0.1]}
    more = {"init": [Path("b"), Path("a")], "labels": [0.1]}
    runs.claim(tmp_path, settings)
    with pytest.raises(ValueError, match="init="):
        runs.claim(tmp_path, more, growing=["labels"])
    runs.claim(tmp_path, more, growing=["init", "labels"])
    assert runs.read_config(tmp_path)["init"] == ["b", "a"]
    claim = runs.claimed(tmp_path, {"init": ["a", "b", "c"]}, growing=["init"])
    with pytest.raises(ValueError, match="no"), claim:  # noqa: PT012
        assert len(runs.read_config(tmp_path)["init"]) == 3
        raise ValueError("no")
    assert runs.read_config(tmp_path)["init"] == ["b", "a"]
    with pytest.raises(ValueError, match="init="):
        runs.claim(tmp_path, settings, growing=["init", "labels"])
