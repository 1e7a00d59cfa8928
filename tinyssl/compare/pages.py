"""What a person reads of a comparison: lines of what was found, and a page."""

import numpy as np

from tinyssl import metrics, plots
from tinyssl.compare.comparison import verdict
from tinyssl.compare.restored import WAYS
from tinyssl.report import Section, Table, write_report

FIT = 4  # images a feature that a distance should have
SHOWN = 4  # best images in a figure, and as many of the worst
UNKNOWN = "not known: images are taken as independent, eyes of one patient are not"
LABELS = {  # a score's name, digits, and whether more is better
    "ssim": ("SSIM", 3, True),
    "psnr": ("PSNR of the mean MSE, dB", 1, True),
    "mse": ("MSE", 5, False),
    "mse_swapped": ("MSE in swapped patches", 5, False),
    "mse_unswapped": ("MSE elsewhere", 5, False),
}
OTHERWISE = {"mse_swapped": ("MSE in changed patches", 5, False)}  # if not swapped
ABOUT = (
    "Means with 95 % intervals over patients (images, if unknown) drawn anew; errors "
    "of values in [0, 1]."
)
WHAT = {
    "random": " Random: paired at random.",
    "copy": " Copy: the disordered image as it is.",
    "difference": " Difference: restored minus copy.",
}
RANGE = (
    "SSIM depends on the data range, 255 for files of 8 bits. Images in [0, 1] scored "
    "as if it were 255 are near 1 whatever they show: {:.5f} here, {:.3f} is right."
)
CORNERS = (
    "SSIM of two different eyes is not 0: black corners and a smooth background agree."
)
BIAS = (
    "A Frechet distance is biased upward by few images, and its unit is that of the "
    "features squared: a bare “FID 0.17” cannot be read without n, d, which features, "
    "and the distance of two samples of one distribution. Inception features have "
    "another scale."
)
EXCHANGE = (
    "The interval (delete-a-group jackknife) says where the distance of other images, "
    "as many, would lie, their bias in it. The exchange decides, not the Gaussian: "
    "features have heavier tails, so alike sets lie above its floor too often."
)
CHANCE = (
    "Diamond: the distance with its 95 % interval, {:.3g} of the variance of the real "
    "features. Exchanged: images put on either side by chance, pairs within the pair. "
    "One Gaussian: two samples of the Gaussian fitted to the real features."
)
REPORTED = (
    "A student project reports SSIM .95 and FID .17 of restored retinas, and not what "
    "returning the input scores: here SSIM {}, higher with fewer or smaller patches."
)
SAME = (
    "With the same images on both sides, what differs by sample cancels: the distance "
    "may fall below that of two samples. Between halves (originals of half the "
    "patients beside the other half's images, 20 halvings) it stands beside its floor, "
    "originals on both sides."
)


def interval(value, digits=3, kind="f"):
    """Write a mean with its interval, as `tinyssl.summary.number`."""
    if np.isnan(value["mean"]):
        return "–"
    keys = ("mean", "low", "high")
    mean, low, high = (f"{value[key]:.{digits}{kind}}" for key in keys)
    text = mean if np.isnan(value["low"]) else f"{mean} [{low}, {high}]"
    return text.replace("-", "\N{MINUS SIGN}")


def in_decibels(error):
    """Return the PSNR of a mean error: a mean of decibels may be infinite."""
    with np.errstate(divide="ignore"):  # inf
        mean, high, low = -10 * np.log10([error[k] for k in ("mean", "low", "high")])
    return {"mean": float(mean), "low": float(low), "high": float(high)}


def notes_of_sets(sets, results, shape):
    """Say what ``compare`` found."""
    alike, found, count = results["similarity"], results["set"], len(results["pairs"])
    n1, n2 = map(len, sets)
    known = all(images.patients is not None for images in sets)
    text = {
        "images": f"{n1} real, {n2} generated, {shape} px; {count} paired by name, "
        f"{n1 - count} real and {n2 - count} generated without partner",
        "data range": ", ".join({f"{s.data_range:g} as read": s for s in sets}),
        "patients": "kept whole" if known else UNKNOWN,
    }
    if count:
        text["SSIM of pairs"] = interval(alike["ssim"]["paired"])
        if count > 1:
            text["SSIM of random pairs"] = interval(alike["ssim"]["random"])
        text["PSNR of pairs"] = interval(alike["psnr"]["paired"], 1) + " dB"
        text["MSE of pairs"] = interval(alike["mse"]["paired"], 5)
    if found is None:
        return text | {"Frechet distance": "needs two images on either side"}
    n, d = min(n1, n2), found["d"]
    distance = interval(found | {"mean": found["distance"]}, 4, "g")
    where = f"n = {n1} and {n2}, d = {d}, {found['features']}"
    text["Frechet distance"] = f"{distance}, {where}"
    for name, key, words in (
        ("noise floor", "floor", "two samples of one Gaussian"),
        ("exchanged", "exchanged", "images put on either side by chance"),
    ):
        low, high = np.quantile(found[key], [0.05, 0.95])
        text[name] = f"{low:.4g} to {high:.4g}: {words}"
    if n <= d:
        text["WARNING"] = (
            f"{n} images for {d} features: the distance is mostly bias; "
            f"--dim {max(1, n // FIT)} leaves {FIT} images a feature"
        )
    return text | {"verdict": verdict(found)}


def notes_of_restored(results, labels, total):
    """Say what ``restoration`` found, and where it loses to returning the input."""
    text = {"images": f"{len(results['images'])} not seen in pretraining, of {total}"}
    sides = {"better": [], "WORSE": [], "unclear": []}
    for key, found in results["scores"].items():
        label, digits, more = labels[key]
        text[label] = ", ".join(f"{way} {interval(found[way], digits)}" for way in WAYS)
        low, high = found["difference"]["low"], found["difference"]["high"]
        gain, loss = (low > 0, high < 0) if more else (high < 0, low > 0)
        sides["better" if gain else "WORSE" if loss else "unclear"].append(label)
    for line in results["distances"]:
        same = ", ".join(f"{way} {line['same'][way]:.4g}" for way in WAYS)
        words = f"{same}, n = {line['n']}, d = {line['d']}"
        if "halves" in line:
            halves = (f"{k} {v['mean']:.4g}" for k, v in line["halves"].items())
            words += f"; between halves {', '.join(halves)}"
        if line["n"] <= 2 * line["d"]:
            fit = max(2, line["n"] // (2 * FIT))
            words += f"; few images for d: mostly bias, --dim {fit} helps"
        text[f"Frechet distance, {line['features']}"] = words
    sides = [f"{word} in {', '.join(names)}" for word, names in sides.items() if names]
    return text | {"verdict": f"Than returning the input: {'; '.join(sides)}"}


def page_of_sets(out, sets, pairs, results):
    """Write the page of ``compare``."""
    notes, rows, found = results["notes"], results["pairs"], results["set"]
    sections, read = [], [BIAS]
    if rows:
        chosen = best_and_worst([row["ssim"] for row in rows])
        shown = (
            np.stack([images[i] for i in some])
            for images, some in zip(sets, pairs[chosen].T, strict=True)
        )
        first, second = (x / (255.0 if x.dtype == np.uint8 else 1.0) for x in shown)
        scores, names = ([rows[k][key] for k in chosen] for key in ("ssim", "real"))
        figure = plots.pairs(first, second, scores, names=names)
        caption = "Best pairs at the left, worst at the right."
        sections = [score_section([], figure, caption, results["similarity"], LABELS)]
        options = {"data_range": 255, "channel_axis": -1}
        wrong = [metrics.ssim(*x, **options) for x in zip(first, second, strict=True)]
        read = [RANGE.format(np.mean(wrong), np.mean(scores)), CORNERS, BIAS]
    if found is not None:
        chance = {"exchanged": found["exchanged"], "one Gaussian": found["floor"]}
        ends = found["low"], found["high"]
        figure = plots.distances(found["distance"], chance, interval=ends)
        figures = [(figure, CHANCE.format(found["relative"]))]
        sections.append(set_section(EXCHANGE, figures, notes))
    sections.append(Section("How to read these numbers", read))
    facts = {"real": sets[0].root, "generated": sets[1].root}
    facts |= {name: notes[name] for name in ("images", "patients", "data range")}
    subtitle = notes.get("verdict", "One image on a side: no set to compare")
    title = "Real beside generated"
    write_report(out / "report.html", title, sections, subtitle=subtitle, facts=facts)


def page_of_restored(out, found, results, labels, facts):
    """Write the page of ``restoration``."""
    notes, scores = results["notes"], results["scores"]
    chosen = best_and_worst([row["restored"]["ssim"] for row in results["images"]])
    layers = (found.images, found.disordered, found.restored, found.changed)
    figure = plots.restorations(*(layer[chosen] for layer in layers))
    caption = (
        "Original, disordered (changed pixels outlined), restored, error. Best SSIM at "
        "the left, worst at the right."
    )
    text = [REPORTED.format(interval(scores["ssim"]["copy"]))]
    psnr = {way: in_decibels(scores["mse"][way]) for way in WAYS}
    gain = psnr["restored"]["mean"] - psnr["copy"]["mean"]
    psnr["difference"] = {"mean": gain, "low": np.nan, "high": np.nan}
    scores = scores | {"psnr": psnr}
    sections = [score_section(text, figure, caption, scores, labels)]
    if results["distances"]:
        sections.append(set_section(SAME, [], notes))
        sections.append(Section("How to read these numbers", [BIAS]))
    title, verdict = "What comes back from disorder", notes["verdict"]
    write_report(out / "report.html", title, sections, subtitle=verdict, facts=facts)


def best_and_worst(scores):
    """Return the positions of the best scores and the worst, descending."""
    order = np.argsort(-np.array(scores), kind="stable")
    few = len(order) <= 2 * SHOWN
    return order if few else np.concatenate([order[:SHOWN], order[-SHOWN:]])


def score_section(text, figure, caption, scores, labels):
    """Show images, and their average scores: a row a score, a column a way."""
    rows = [
        (label, *(interval(value, digits) for value in scores[key].values()))
        for key, (label, digits, _) in labels.items()
        if key in scores
    ]
    ways = tuple(scores["mse"])
    table = Table(("", *ways), rows, ABOUT + "".join(WHAT.get(way, "") for way in ways))
    return Section("Image by image", text, [(figure, caption)], [table])


def set_section(text, figures, notes):
    """Show what was noted of the sets."""
    kinds = ("Frechet", "noise", "exchanged", "WARNING")
    rows = [item for item in notes.items() if item[0].startswith(kinds)]
    return Section("As sets", [text], figures, [Table(("", "found"), rows)])
