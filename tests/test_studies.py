"""Commands end to end: pretraining, every target task, and the page each leaves."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from html_page import Page
from PIL import Image

from tinyssl import commands, demo, experiment, fitting, summary, targets
from tinyssl.data import open_dataset, toy
from tinyssl.grade import keep, ood
from tinyssl.outcomes import cpu_minutes
from tinyssl.report import experiment as pages
from tinyssl.runs import load_plain, write_json
from tinyssl.summary import slug

ANY = pytest.mark.parametrize("target", targets.TARGETS)
# A refusal that does not come must fail at once, not train for minutes
QUICK = {"images": (2,), "repeats": 1, "steps": 1, "batch_size": 2, "workers": 1}
UNTRAINED = {"images": (2,), "workers": 1}
OWN_DATA, MASKS = "toy:20:64", {"mask", "EX"}  # masks have no folds here


def pretrain(data, out, task="restoration", **options):
    options = {"steps": 2, "batch_size": 4, "workers": 1, "size": 64} | options
    commands.pretrain(str(data), task=task, out=out, **options)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten eyes of five children in the layout of CHASE_DB1, by two observers."""
    folder = tmp_path_factory.mktemp("chase")
    eyes = toy.fundus(10, size=96, rng=0)
    for k, (image, vessels) in enumerate(zip(eyes.images, eyes.vessels, strict=True)):
        name = f"Image_{k // 2 + 1:02d}{'LR'[k % 2]}"
        Image.fromarray(image).save(folder / f"{name}.jpg", quality=95)
        for observer in ("1stHO", "2ndHO"):
            Image.fromarray(vessels).save(folder / f"{name}_{observer}.png")
            vessels = np.roll(vessels, 1, axis=1)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of pretraining on other synthetic eyes: whole images and patches."""
    place = tmp_path_factory.mktemp("runs")
    for task in ("restoration", "rotation"):
        pretrain("toy:12:64:7", place / task, task)
        options = {"encoder": "unet", "widths": (4, 8), "field_width": 0}
        pretrain("toy:12:64:7", place / f"u-{task}", task, **options)
    return place


def finetune(data, out, target="grade", **options):
    quick = QUICK if targets.find(target).trains else UNTRAINED
    options = quick | {"folds": 0 if target in MASKS else 2} | options
    return commands.finetune(str(data), target=target, out=out, **options)


def page_of(out):
    return Page((out / "report.html").read_text(encoding="utf-8"))


@ANY
def test_every_target_is_compared_and_leaves_a_page(target, runs, tmp_path):
    prefix = "u-" if target == "mask" else ""
    init = [runs / f"{prefix}restoration", runs / f"{prefix}rotation"]
    out, said = tmp_path / "run", []
    kind, settings = targets.find(target), {"images": (2, "all")}
    settings |= {"steps": 2} if kind.trains else {}
    transfer = ("frozen", "encoder", *(["network"] if kind.decodes else []))
    settings |= {"init": init, "transfer": transfer, "log": said.append}
    if target == "mask":
        settings |= {"all_steps": 3, "repeats": 2}
    results = finetune(OWN_DATA, out, target, **settings)

    still = {"restoration, frozen", "rotation, frozen", "random weights, frozen"}
    found = {row["init"] for row in results["rows"]}
    curved = kind.trains and bool(kind.defaults.get("curve"))  # held out, not training
    assert {bool(row["curve"]) for row in results["rows"]} == {curved}
    plain = {"scratch", "scratch, same compute"} if kind.trains else {"random weights"}
    assert {*plain, "restoration", "rotation"} <= found
    assert ("restoration, with decoder" in found) == kind.decodes
    assert "rotation, with decoder" not in found  # it trains none
    probed = {line["init"].split(":")[0] for line in results.get("frozen", ())}
    if kind.trains:
        assert still <= (probed if kind.probes else found)
    else:
        assert found == {*plain, "restoration", "rotation"}
    assert results["summary"][0]["metric"] == next(iter(kind.metrics))
    assert set(results["more"]) <= set(kind.metrics)

    saved = json.loads((out / "results.json").read_text())
    assert saved["summary"] == json.loads(json.dumps(results["summary"]))
    page = page_of(out)
    minus = f"minus {results['rows'][0]['init']}"
    side = "above" if next(iter(kind.metrics.values())).higher else "below"
    better = f"{side} zero is better than"
    for words in (minus, "verdict", "every", better, kind.title, kind.measure[:30]):
        assert words in page.text
    images_last = page.text.rfind("The images") > page.text.rfind(kind.measure[:30])
    assert images_last == (target not in MASKS)  # whose sizes differ: none are shown
    assert all(figure["alt"] for figure in page.attributes("img"))
    assert "report:" in results["lines"][-1]
    assert any("images" in line for line in said)
    assert json.loads((out / "config.json").read_text())["target"] == target


@ANY
def test_scratch_alone_is_only_read_again_and_elsewhere_the_same(target, tmp_path):
    first = finetune(OWN_DATA, tmp_path / "a", target)
    alone = "scratch" if targets.find(target).trains else "random weights"
    assert {row["init"] for row in first["rows"]} == {alone}
    page = page_of(tmp_path / "a").text
    assert f"No initialisation stands beside {alone}" in page
    assert ("majority grade" in page) == (target in ("grade", "class"))
    bytes_ = (tmp_path / "a" / "results.json").read_bytes()
    jobs = sorted((tmp_path / "a" / "jobs").iterdir())
    before = [job.stat().st_mtime_ns for job in jobs]
    finetune(OWN_DATA, tmp_path / "a", target)
    assert [job.stat().st_mtime_ns for job in jobs] == before
    assert (tmp_path / "a" / "results.json").read_bytes() == bytes_
    elsewhere = finetune(OWN_DATA, tmp_path / "b", target)
    assert elsewhere["summary"] == first["summary"]


def test_encoders_of_a_targets_folds_work_and_what_they_saw_is_refused(runs, tmp_path):
    for target in ("points", "grade"):
        options = {"folds": 2, "target": target}
        init = [pretrain(OWN_DATA, tmp_path / f"p-{target}", "rotation", **options)]
        results = finetune(OWN_DATA, tmp_path / target, target, init=init)
        assert {row["init"] for row in results["rows"]} >= {"rotation"}
    with pytest.raises(ValueError, match=r"fold0\.\.fold2 with one each for --folds 3"):
        finetune(OWN_DATA, tmp_path / "x", folds=3, init=init)
    found = r"was pretrained on 6 of the 6 images held out in fold 0.*--transductive"
    with pytest.raises(ValueError, match=found):
        finetune("toy:12:64:7", tmp_path / "y", init=[runs / "rotation"])
    assert not (tmp_path / "y").exists()


def test_two_runs_of_one_task_stand_beside_each_other(runs, tmp_path):
    other = shutil.copytree(runs / "rotation", tmp_path / "longer")
    settings = {"init": [runs / "rotation", other], "same_compute": False}
    for target in ("grade", "points"):
        results = finetune(OWN_DATA, tmp_path / target, target, **settings)
        found = {row["init"] for row in results["rows"]}
        assert found == {"scratch", "rotation rotation", "rotation longer"}


def test_vessels_of_a_real_layout_beside_a_second_observer(folder, tmp_path):
    options = {"encoder": "unet", "widths": (4, 8), "num_swaps": 4}
    init = [pretrain(folder, tmp_path / "patches", **options)]
    config = json.loads((tmp_path / "patches" / "config.json").read_text())
    assert (config["images"], config["field_width"]) == (10, 540)
    assert "restored" in page_of(tmp_path / "patches").text.lower()
    settings = {"init": init, "images": (1, "all"), "all_steps": 2}
    results = finetune(folder, tmp_path / "vessels", "mask", **settings)
    assert {row["n"] for row in results["rows"]} == {1, 8}
    assert results["notes"]["held out"] == "Image_05L, Image_05R"
    assert 0 < results["notes"]["second observer's Dice"] < 1
    page = page_of(tmp_path / "vessels").text
    for words in ("thin recall", "sensitivity", "Dice", "second observer"):
        assert words in page
    with pytest.raises(ValueError, match="learned from patches of fields 540 px wide"):
        finetune(folder, tmp_path / "other", "mask", field_width=80, **settings)


def test_several_encoders_of_a_task_take_turns_in_the_repeats(tmp_path, monkeypatch):
    many = pretrain(OWN_DATA, tmp_path / "many", "rotation", encoders=2, folds=2)
    places = [f"encoder{k}/fold{fold}" for k in range(2) for fold in range(2)]
    found = json.loads((many / "results.json").read_text())["scores"]
    assert [entry["folder"] for entry in found] == places
    first = [next(iter(load_plain(many / p / "task.pt").values())) for p in places]
    assert len({tuple(weight.flatten().tolist()) for weight in first}) == 4
    taken, carry = [], fitting.carry

    def watched(task, start, fold):
        taken.append(start.folder(fold).relative_to(many).as_posix())
        carry(task, start, fold)

    monkeypatch.setattr(fitting, "carry", watched)
    results = finetune(OWN_DATA, tmp_path / "run", init=[many], repeats=None)
    assert sorted(taken) == places
    assert {row["repeat"] for row in results["rows"]} == {0, 1}
    with pytest.raises(ValueError, match="--repeats must reach 2, as many encoders"):
        finetune(OWN_DATA, tmp_path / "other", init=[many], repeats=1)
    shutil.rmtree(many / "encoder1")
    with pytest.raises(ValueError, match="must hold 2 encoders, as its config"):
        finetune(OWN_DATA, tmp_path / "other", init=[many], repeats=2)


@pytest.fixture
def trained(monkeypatch):
    """What was trained from now on: initialisations and their labels."""
    found, fit = [], fitting.fit

    def watched(task, shared, job, *some, **how):
        found.append((job["init"], job["labels"]))
        return fit(task, shared, job, *some, **how)

    monkeypatch.setattr(fitting, "fit", watched)
    return found


def test_what_is_added_to_a_run_is_trained_alone_and_as_in_a_run_of_its_own(
    runs, tmp_path, trained
):
    one, two = (runs / task for task in ("restoration", "rotation"))
    first, more = {"init": [one], "images": [4]}, {"init": [one, two], "images": [4, 2]}
    how = {"same_compute": False, "transductive": True}
    old = finetune(OWN_DATA, tmp_path / "run", **how, **first)["rows"]
    trained.clear()
    grown = finetune(OWN_DATA, tmp_path / "run", **how, **more)["rows"]
    fewer = [(name, 2) for name in ("scratch", "restoration", "rotation")]
    assert sorted(trained) == sorted(2 * [*fewer, ("rotation", 4)])
    assert all(row in grown for row in old)
    own = finetune(OWN_DATA, tmp_path / "own", **how, **more)["rows"]
    timeless = [[row | {"seconds": 0} for row in rows] for rows in (grown, own)]
    assert timeless[0] == timeless[1]
    with pytest.raises(ValueError, match="holds a run with init="):
        finetune(OWN_DATA, tmp_path / "run", **how, **first)


def test_other_weights_under_the_same_name_are_trained_again_and_they_alone(
    runs, tmp_path, trained
):
    tasks = ("rotation", "restoration")
    names = [shutil.copytree(runs / task, tmp_path / task) for task in tasks]
    how = {"init": names, "same_compute": False, "transductive": True}
    finetune(OWN_DATA, tmp_path / "run", **how)
    trained.clear()
    pretrain("toy:12:64:8", tmp_path / "other", "rotation")
    shutil.rmtree(names[0])
    (tmp_path / "other").rename(names[0])
    finetune(OWN_DATA, tmp_path / "run", **how)
    assert trained == [("rotation", 2)] * 2


def test_schedules_are_chosen_for_each_start_without_what_is_scored(
    runs, tmp_path, monkeypatch
):
    some = ({"steps": 2}, {"steps": 3, "frozen": True}, {"steps": 4, "lr": 0.01})
    some += ({"steps": 2, "encoder_rate": 0.5},)
    monkeypatch.setattr(experiment, "SCHEDULES", some)
    seen, judged, fit = [], [], fitting.fit

    def watched(task, shared, job, index, schedule, **how):
        held = shared.cases.held(job["fold"])
        seen.append(np.isin(index, held).any())
        if "schedules" in job:
            judged.append(({*job["chosen"]}, {*job["chosen"]} - {*index.tolist()}))
        return fit(task, shared, job, index, schedule, **how)

    monkeypatch.setattr(fitting, "fit", watched)
    settings = {
        "init": [runs / "rotation"],
        "tune": True,
        "steps": None,
        "epochs": None,
    }
    settings |= {"images": (8,), "repeats": 2, "lr": None}
    results = finetune(OWN_DATA, tmp_path / "run", **settings)
    assert not any(seen)
    assert len(judged) == 3 * 4 * 3 * 2  # initialisations, schedules, parts, folds
    for first in range(0, len(judged), 3):  # the parts judge every image once
        (chosen, one), (_, two), (_, three) = judged[first : first + 3]
        assert one | two | three == chosen
        assert len(one) + len(two) + len(three) == len(chosen) == 8
    for row in results["rows"]:
        again = row["steps"] - row["schedule"]["steps"]
        assert (again > 0) == (row["init"] == "scratch, same compute")
        one = [r for r in results["rows"] if r["repeat"] == 0]
        (first,) = (
            r for r in one if (r["init"], r["fold"]) == (row["init"], row["fold"])
        )
        assert row["schedule"] == first["schedule"]
    choices = [*(tmp_path / "run" / "jobs").glob("choice-*.json")]
    assert len(choices) == 3 * 2  # initialisations and folds
    for path in choices:
        found = json.loads(path.read_text())["result"]
        best = max(found["tried"], key=lambda x: -9 if x is None else x)
        assert (
            found["schedule"]
            == json.loads(json.dumps(some))[found["tried"].index(best)]
        )
    page = page_of(tmp_path / "run").text
    assert "the schedule that did best for it on thirds of them" in page
    assert "schedules" in results["notes"]
    with pytest.raises(
        ValueError, match="--steps belongs to one budget for all, --tune"
    ):
        finetune(OWN_DATA, tmp_path / "other", tune=True, steps=3, epochs=None)


def test_curves_and_what_images_look_like_are_taken_from_some_of_many(
    tmp_path, monkeypatch
):
    lengths = {"curve": set(), "scores": set(), "seen": set()}
    predict, fit = targets.find("grade").predict, ood.fit

    def watched(self, images, *, views=8, **how):
        lengths["curve" if views == 1 else "scores"].add(len(images))
        return predict(self, images, views=views, **how)

    def known(encoder, seen, held):
        lengths["seen"] |= {len(seen), len(held)}
        return fit(encoder, seen, held)

    monkeypatch.setattr(targets.find("grade"), "predict", watched)
    monkeypatch.setattr(ood, "fit", known)
    monkeypatch.setattr(fitting, "WATCHED", 3)
    monkeypatch.setattr(keep, "ENOUGH", 4)
    finetune(OWN_DATA, tmp_path / "run", images=(8,), steps=2)
    assert max(lengths["curve"]) <= 3
    assert min(lengths["scores"]) >= 8  # all that a fold holds out
    assert max(lengths["seen"]) <= 4


def test_cpu_minutes_count_the_choice_of_schedules(tmp_path):
    for init, seconds in (("scratch", 60), ("scratch, same compute", 120)):
        found = {"key": {"job": {"init": init}}, "result": {"seconds": seconds}}
        write_json(tmp_path / f"jobs/choice-{slug(init)}-4-run0.json", found)
    rows = [{"init": "scratch", "seconds": 30}, {"init": "scratch", "seconds": 90}]
    assert cpu_minutes(rows, {}, tmp_path) == "scratch 3.0"


def test_random_filters_and_cpu_minutes_stand_in_every_table_of_grades(
    runs, tmp_path, monkeypatch
):
    for init in ([], [runs / "rotation"]):
        said = {0: "gain", 1: "unclear"}[len(init)]
        words = vars(summary) | {"outcome": lambda line, said=said: said}
        monkeypatch.setattr(pages, "summary", SimpleNamespace(**words))
        out = tmp_path / f"{len(init)}"
        results = finetune(OWN_DATA, out, init=init, images=(4,))
        found = {line["init"].partition(":")[0] for line in results["frozen"]}
        assert {"random filters", "random weights, frozen"} <= found
        (alone,) = (x for x in results["summary"] if x["init"] == "scratch")
        for line in results["frozen"]:  # beside scratch on the same labels
            expected = np.mean(np.subtract(line["values"], alone["values"]))
            assert line["difference"] == pytest.approx(expected)
        cost = results["seconds"]["CPU minutes"]
        assert cost.startswith("scratch 0.")
        assert ("rotation 0." in cost and "of pretraining" in cost) == bool(init)
        assert cost in page_of(out).text
        assert ("Encoders left as they are: " in page_of(out).text) == (said == "gain")
        assert cost in "\n".join(results["lines"])
        compared = [line for line in results["summary"] if "holm" in line]
        words = f"correction for {len(compared)} comparisons"
        assert (words in page_of(out).text) == (len(compared) > 1) == bool(init)


def test_an_encoder_of_another_kind_and_size_stands_beside_as_it_would_alone(
    runs, tmp_path
):
    words = tmp_path / "words"
    commands.pretrain("toy:12:64:7", task="dictionary", size=80, out=words)
    how, found = {"images": (8,), "folds": 2}, {}
    for name, init, beside in (
        ("both", [runs / "rotation"], [words]),
        ("alone", [words], []),
    ):
        more = {"same_compute": False} | how
        results = finetune(OWN_DATA, tmp_path / name, init=init, beside=beside, **more)
        found[name] = {x["init"]: x["values"] for x in results["frozen"]}
    assert "rotation, frozen: linear probe" in found["both"]
    some = [k for k in found["alone"] if k.startswith(("dictionary", "random filters"))]
    assert len(some) == 4
    for name in some:
        assert found["both"][name] == found["alone"][name]
    with pytest.raises(ValueError, match="--beside belongs to targets that probe"):
        finetune(OWN_DATA, tmp_path / "other", "mask", beside=[words])


def test_patches_are_learned_blind_to_the_folds_of_the_masks(folder, tmp_path):
    how = {"encoder": "unet", "widths": (4, 8), "num_swaps": 4, "target": "vessel"}
    init = [pretrain(folder, tmp_path / "patches", folds=2, **how)]
    assert len([*init[0].glob("fold*/encoder.pt")]) == 2
    settings = {"init": init, "images": (1,), "all_steps": 2, "folds": 2, "repeats": 1}
    results = finetune(folder, tmp_path / "vessels", "mask", **settings)
    assert {row["fold"] for row in results["rows"]} == {0, 1}


def test_any_mask_is_a_target_and_another_data_set_can_be_scored(folder, tmp_path):
    settings = {"images": ("all",), "all_steps": 1, "widths": (4, 8)}
    out = tmp_path / "run"
    results = finetune("toy:40:64", out, "EX", test="toy:8:64:7", **settings)
    scores = results["rows"][0]["scores"]
    assert "thin_recall" not in scores
    assert len(scores["dice_per_image"]) == 8
    shows = 8 - scores["dice_per_image"].count(None)
    assert results["notes"]["held-out images that show it"] == f"{shows} of 8"
    assert "Hard exudates" in page_of(out).text
    with pytest.raises(ValueError, match="held-out images are also among"):
        finetune(folder, tmp_path / "x", "mask", test=str(folder), **settings)


def test_pretraining_goes_on_from_another_run_and_with_more_images(runs, tmp_path):
    more = {"init": runs / "rotation", "unlabelled": ("toy:4:64:3",)}
    out = pretrain("toy:8:64:9", tmp_path / "on", "rotation", **more)
    config = json.loads((out / "config.json").read_text())
    assert config["init"] == str(runs / "rotation")
    assert (config["images"], config["and"]) == (12, ["toy:4:64:3"])
    with pytest.raises(ValueError, match="was pretrained on"):  # by the first
        finetune("toy:12:64:7", tmp_path / "x", init=[out])


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        (pretrain, {"widths": (4, 8)}, "--widths belongs to --encoder unet"),
        (pretrain, {"field_width": 99}, "--field-width belongs to --encoder unet"),
        (pretrain, {"folds": 2, "transductive": True}, "--transductive goes without"),
        (pretrain, {"task": "astrology"}, "must be one of"),
        (pretrain, {"task": "rotation", "num_swaps": 3}, "num_swaps"),
        (finetune, {"epochs": 2}, "--epochs and --steps: give one of them"),
        (finetune, {"images": (99,)}, r"images must lie in 1\.\.\d+, found 99"),
        (finetune, {"target": "points", "head": "softmax"}, "head"),
        (finetune, {"target": "EXX"}, "needs EXX masks"),
        (finetune, {"transfer": ("network",)}, "network: grade has no decoder"),
        (finetune, {"widths": (4, 8)}, "--widths belongs to --encoder unet"),
        (
            finetune,
            {"target": "anomaly", "steps": 9},
            "--steps belongs to targets that",
        ),
        (finetune, {"target": "anomaly", "lr": 0.1}, "--target anomaly trains nothing"),
        (finetune, {"target": "anomaly", "compile": True}, "--compile belongs to tar"),
        (
            finetune,
            {"target": "anomaly", "normal": "x"},
            r"normal class \(--normal NAME",
        ),
    ],
)
def test_what_a_study_does_not_do_is_refused(tmp_path, command, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        command(OWN_DATA, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_demo_answers_both_questions_with_and_without_having_looked(
    monkeypatch, tmp_path
):
    small = {"EYES": 60, "UNSEEN": 40, "SIZE": 24, "LABELS": 6, "DRAWS": 2}
    small["FILTERS"] = {"num_filters": 8, "iterations": 2}
    small["PRETRAINING"] = {"steps": 2, "batch_size": 8, "lr": 1e-3}
    small["FINETUNING"] = {"steps": 2, "batch_size": 6, "lr": 1e-3}
    for name, value in small.items():
        monkeypatch.setattr(demo, name, value)
    results = commands.demo(out=tmp_path / "demo", workers=1)
    for name in demo.QUESTIONS:
        found = {line["init"]: line for line in results[name]["summary"]}
        assert {demo.LEARNED, demo.RANDOM, demo.PIXELS} <= set(found)
        assert (demo.TASK in found) == (name in demo.NETWORKS)
        learned, random = (found[init]["avg"] for init in (demo.LEARNED, demo.RANDOM))
        assert results[name]["difference"] == pytest.approx(learned - random)
    page = page_of(tmp_path / "demo")
    for words in (
        *demo.QUESTIONS.values(),
        f"Pretext task: {demo.TASK}",
        "Did it help",
    ):
        assert words in page.text
    assert len(page.attributes("img")) >= 5
    again = commands.demo(out=tmp_path / "other", workers=1)
    assert {k: results[k] for k in demo.QUESTIONS} == {
        k: again[k] for k in demo.QUESTIONS
    }


@pytest.mark.parametrize(
    ("ends", "word"),
    [
        ((0.1, 0.01, 0.2), "helped filters"),
        ((-0.1, -0.2, -0.01), "did not help filters but HURT"),
        ((0.1, -0.1, 0.3), "did not help filters"),
    ],
)
def test_demo_says_what_the_interval_says(ends, word):
    values = dict(zip(("difference", "low", "high"), ends, strict=True))
    inits = (demo.PIXELS, demo.LEARNED, demo.RANDOM, demo.SCRATCH, demo.TASK)
    summary = [{"init": i, "avg": k / 8} for k, i in enumerate(inits)]
    said = demo.answer("class", {"summary": summary} | values)
    assert "learned ones got 12 right from 40 labels, random ones 25 (" in said
    assert f"? Looking first {word}: of 100 pairs" in said
    network = f"A network got 38 without looking first, 50 after {demo.TASK}; "
    assert said.endswith(f"{network}{demo.PIXELS} got 0.")
    said = demo.answer("eye", {"summary": summary[:3]} | values)
    assert said.endswith(f"). {demo.PIXELS} got 0.")


def test_demo_learns_from_other_patients_than_it_scores():
    tables = open_dataset("toy:60:48:0"), open_dataset("toy:40:48:1000000")
    for name in demo.QUESTIONS:
        cases = demo.cases_of(name, *tables)
        held, seen = cases.held(0), cases.part(0, labelled=True)
        assert (len(seen), len(held)) == (60, 40)
        assert not {cases.hashes[i] for i in held} & {cases.hashes[i] for i in seen}
