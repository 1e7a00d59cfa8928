"""The conventions of the house, each check a function that a test shows can fail."""

import ast
import functools
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinyssl
from tinyssl import _kernels, metrics, reference, transforms

PACKAGE = Path(tinyssl.__file__).parent
SECTIONS = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
OPTIONAL = {"References"}  # a plain count has no source
OPTIONAL_OF_CLASSES = {"Parameters", "Returns", "References"}
POSITIONAL = """\
sample_swaps: image_shape patch_size num_swaps
swap_patches: images swaps patch_size
rotate: images turns
sample_turns sample_flips sample_adjustments: n
flip: images flips
adjust: images gains offsets
sample_tile_offsets: n image_shape grid tile_size
split_tiles: images grid
join_tiles: tiles grid
permutation_set: num_tiles size
sample_permutations: n permutations
permute_tiles: images grid orders
patchify: images patch_size
unpatchify: patches patch_size image_shape
sample_mask: n image_shape patch_size
mask_patches: images mask patch_size
sample_blocks sample_pastes: n image_shape
mask_blocks: images blocks
cut_paste: images boxes alphas gains
frechet_distance_from_stats: mean1 cov1 mean2 cov2
frechet_noise_floor: features n1 n2
ConfusionAccumulator: num_classes
GaussianAccumulator SSIMAccumulator:
"""  # the data, and what a call cannot be read without
PAIRS = """y_true y_pred|y_true y_score|mask_true mask_pred|image1 image2|\
features1 features2|points_true points_pred"""
PART = ("centres", "start", "stop", "tile", "sums", "far")  # of a map, one thread's
PUBLIC = {
    name: getattr(module, name)
    for module in (metrics, transforms)
    for name in module.__all__
}
HEAVY = ("torch", "matplotlib", "sklearn", "skimage", "numba", "scipy", "PIL", "tqdm")


def family(function):
    """Return a docstring, and behind it those of the siblings it points at.

    The first of a family explains; a sibling says "As `precision`, but ...".
    """
    text = inspect.getdoc(function) or ""
    pointed = re.findall(r"\b(?:[Aa]s|[Ss]ee) `(\w+)`", text)
    siblings = [PUBLIC[name] for name in pointed if PUBLIC.get(name) != function]
    return "\n\n".join([text, *(inspect.getdoc(sibling) for sibling in siblings)])


def missing_sections(function):
    """Return the docstring sections a public function and its family lack."""
    text = inspect.getdoc(function) or ""
    whole = re.findall(r"^(\w+)\n-{3,}$", family(function), flags=re.MULTILINE)
    underlined = re.findall(r"^(\w+)\n-{3,}$", text, flags=re.MULTILINE)
    present = [section for section in underlined if section in SECTIONS]
    in_order = [section for section in SECTIONS if section in present]
    optional = OPTIONAL_OF_CLASSES if inspect.isclass(function) else OPTIONAL
    lacking = [s for s in SECTIONS if s not in whole and s not in optional]
    return lacking + (["order"] if present != in_order else [])


def undocumented(function):
    """Return the parameters that neither the docstring nor its family names."""
    documented = re.findall(r"^([\w, ]+) : ", family(function), flags=re.MULTILINE)
    said = {name for line in documented for name in line.split(", ")}
    return [name for name in inspect.signature(function).parameters if name not in said]


def positional(function):
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]


@functools.cache
def imports(path):
    """Return the modules a file imports, at any depth of its code."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []  # for readers of types alone
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    return found


def loaded(statement):
    """Return which heavy packages a fresh interpreter has after a statement."""
    command = [sys.executable, "-c", f"{statement}\nimport sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split() if name in HEAVY}


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_has_its_sections_and_types_are_said(name):
    assert missing_sections(PUBLIC[name]) == []
    assert undocumented(PUBLIC[name]) == []


@pytest.mark.parametrize("name", PUBLIC)
def test_options_are_keyword_only(name):
    actual = positional(PUBLIC[name])
    if said := re.search(rf"\b{name}\b.*:(.*)", POSITIONAL):
        assert actual == said[1].split()
    else:
        assert " ".join(actual) in PAIRS.split("|")

    signature = inspect.signature(PUBLIC[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for p in signature.parameters.values())


def test_the_checks_of_conventions_can_fail():
    def careless(y_true, y_pred, weights=None):
        """Do something."""

    assert missing_sections(careless) == [s for s in SECTIONS if s not in OPTIONAL]
    assert undocumented(careless) == ["y_true", "y_pred", "weights"]
    assert positional(careless) == ["y_true", "y_pred", "weights"]

    def sibling(y_true, y_pred, *, average, strictness):
        """As `precision`, but stricter."""

    def stranger(y_true, y_pred):
        """As `nobody`."""

    assert missing_sections(sibling) == []
    assert undocumented(sibling) == ["strictness"]
    with pytest.raises(KeyError):
        missing_sections(stranger)


SMALL = """\
import numpy as np; from tinyssl import metrics as m; a = np.arange(100) % 5; b = a > 2
m.quadratic_weighted_kappa(a, a); m.confusion_matrix(a, a); m.roc_auc(b, a)
m.dice(b, b); m.frechet_distance(a, a); m.ssim(np.eye(32), np.eye(32), data_range=1)"""


@pytest.mark.parametrize(
    "statement",
    [*(f"import tinyssl{part}" for part in ("", ".metrics", ".transforms")), SMALL],
)
def test_imports_and_small_inputs_are_light(statement):
    assert loaded(statement) == set()


def test_the_dictionary_needs_neither_torch_nor_matplotlib():
    assert loaded("from tinyssl.dictionary import PatchDictionary") <= {"scipy"}


def test_the_check_of_imports_can_fail():
    assert loaded("import scipy, numba") == {"scipy", "numba"}


def test_the_arrows_of_the_house_run_one_way():
    core = ["metrics", "transforms", "_kernels", "data"]
    files = [path for part in core for path in sorted((PACKAGE / part).rglob("*.py"))]
    names = ("_checks", "_patches", "_threads", "dictionary", "reference")
    files += [PACKAGE / f"{name}.py" for name in names]
    for path in files:
        for name in imports(path):
            assert name.split(".")[0] not in {"torch", "matplotlib", "sklearn"}, path
    for path in PACKAGE.rglob("*.py"):
        assert "tinyssl.reference" not in imports(path), path
        if not {"_checks", "metrics", "transforms"} & {path.stem, path.parent.name}:
            assert "tinyssl._kernels" not in imports(path), path
    assert imports(PACKAGE / "reference.py") <= {
        "numpy",
        "numpy.lib.stride_tricks",
        "numpy.lib.stride_tricks.sliding_window_view",
    }


FLOORS = """\
summary tables kinds interrupts | ranks devices | plots models | files |
parcel anonymous | runs |
task training jobs | pretext | cases | targets |
starts | pretraining | fitting | experiment | report grade compare audit outcomes |
studies demo |
commands | cli"""  # a floor of the torch layer imports only those below it


def test_the_torch_layer_is_built_in_floors():
    floors = [floor.split() for floor in FLOORS.split("|")]
    for level, floor in enumerate(floors):
        above = {part for higher in floors[level + 1 :] for part in higher}
        for part in floor:
            files = [*PACKAGE.glob(f"{part}.py"), *PACKAGE.glob(f"{part}/**/*.py")]
            assert files, f"there is no {part}"
            for path in files:
                ours = [name for name in imports(path) if name[:8] == "tinyssl."]
                used = above & {name.split(".")[1] for name in ours}
                assert not used, f"{path.name} imports {used}"


def test_a_kernel_has_a_twin_in_the_answer_key():
    for name in _kernels._SUBMODULES:
        module = getattr(_kernels, name)
        for twin, kernel in vars(module).items():
            if not hasattr(kernel, "py_func") or twin.startswith("_"):
                continue
            ours = list(inspect.signature(kernel.py_func).parameters)
            theirs = list(inspect.signature(getattr(reference, twin)).parameters)
            assert ours[: len(theirs)] == theirs, twin
            assert {*ours[len(theirs) :]} <= {"out", "table", *PART}, twin
            assert kernel.targetoptions["nogil"], twin


def test_no_assert_in_the_core():
    for part in ("metrics", "transforms", "_kernels"):
        for path in (PACKAGE / part).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], path


def test_unknown_names_are_refused():
    for package in (tinyssl, _kernels):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            package.nothing  # noqa: B018
