"""What an audit can find: how severe it is, why it matters, and what to do."""

import re

from tinyssl.summary import counted

SEVERITIES = ("grave", "warning", "note")  # would invalidate a study; may; to know
# Severity, kind and title, perhaps of several; why they matter; what to do
CATALOGUE = """
grave copies-across-splits: {image} in two splits
    The model is tested on images it was trained on: scores are too high.
    Take the copies out of the training part, or out of the test.
grave conflicting-grades-identical: {pair} of identical images with grades {grades}
    At least one of the two grades is wrong; no model can get both right.
    Have them graded again, or leave both out. How often graders disagree shows here.
grave patients-across-splits: {patient} in two splits
grave eyes-by-name-across-splits: {patient} by the names of the files in two splits
grave visits-across-splits: {visit} by the notes inside the files in two splits
    Eyes and grades of one patient are alike: the test is not of unseen patients.
    Put all images of one patient on one side of the split.
warning copies-identical: {pair} of identical images
warning copies-similar: {pair} of near-duplicates, saved or photographed again
    Copies in two folds make cross-validation too good, and count twice.
    Keep one of each, or give both one patient (groups.csv has the groups).
warning copies-identical-between-parts: {pair} of identical images, in two parts
warning copies-similar-between-parts: {pair} of near-duplicates, in two parts
    To learn from one part and test on the other is to test on seen images.
    Leave them out of one part whenever the two are used together.
warning conflicting-grades-similar: {pair} of near-duplicates with grades {grades}
    One of the two grades is wrong, or the eye changed between two visits.
    Have them graded again, or leave both out. How often graders disagree shows here.
warning eyes-by-name-with-several-images: {patient} by the names of {total} files
warning visits-with-several-images: {visit} by the notes inside {total} files
    They look like images of one patient, and no column says so: folds may split them.
    Give them one patient in a manifest.csv; groups.csv has the groups.
warning unreadable: {image} cannot be read
    Every job stops there, or goes on without them and without a word.
    Fetch them again, or leave them out with --skip-bad.
warning labels-without-images: {row} without an image
    The labels name files that are not there: the data set is not whole.
    Fetch the files, or take the rows out.
warning rows-refused: {row} cannot be used
    What the row says breaks a rule; every job stops there.
    Correct the row.
warning masks-unreadable: {mask} cannot be read
warning masks-of-other-proportions: {mask} of other proportions than their images
note masks-of-other-sizes: {mask} of another size than their images, to be scaled
    A mask that does not lie on its image trains the wrong pixels.
    Fetch them again, or find the images they belong to.
warning masks-twice: {mask} used more than once
    Two images, or two observers, cannot have the same outlines by chance.
    Compare the mask with each of its images.
warning gray: {image} without colour among coloured ones
note dark: {image} much darker than the others
note blurred: {image} much smoother than the others
    What sets them apart can tell their grade, or hide their lesions.
    Look at them; leave out what a grader would refuse.
warning image-size-tells-the-grade: {part}: image size tells the grade, {score}
warning kind-of-file-tells-the-grade: {part}: kind of file tells the grade, {score}
    Grades may come from different cameras, which a network can read instead of eyes.
    Score each kind by itself; see whether the scores hold.
note patients-with-several-images: {patient} with {total} images
    Folds drawn image by image would put one patient on both sides.
    Draw folds by patient, as tinyssl does.
note images-without-labels: {image file} that no row names
    They are not read; perhaps labels are missing.
    Nothing, if they were left out on purpose; they can serve pretraining.
note ungraded: {image} without a grade among graded ones
    They train nothing and test nothing.
    Grade them, or use them for pretraining only.
"""
KINDS = {
    kind: (severity, title, why, advice)
    for heads, why, advice in re.findall(r"((?:\S.*\n)+) +(.*)\n +(.*)", CATALOGUE)
    for severity, kind, title in re.findall(r"(\w+) (\S+): (.*)", heads)
}
NOUNS = ("image", "image file", "pair", "patient", "visit", "row", "mask")


def tell(kind, groups, looks=None, **words):
    """Yield one finding, if any group (of rows of `looks`, or of texts) has it."""
    files, rows = [list(group) for group in groups], []
    if looks is not None:
        rows = [[int(row) for row in group] for group in files]
        files = [[looks.label(row) for row in group] for group in rows]
    if files:
        words |= {noun: counted(len(files), noun) for noun in NOUNS}
        severity, title, why, advice = KINDS[kind]
        finding = {"kind": kind, "severity": severity, "title": title.format(**words)}
        finding |= {"why": why, "advice": advice, "count": len(files)}
        yield finding | {"files": files, "rows": rows}
