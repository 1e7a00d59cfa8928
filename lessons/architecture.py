"""The picture of the architecture page, drawn from what the code imports.

An arrow leads from a part of the package to one that imports it, perhaps through parts
that are not shown. Arrows that follow from others are left out.
"""

import ast
import functools
from pathlib import Path
from textwrap import indent

PACKAGE = Path(__file__).parents[1] / "tinyssl"
SHOWN = """_kernels data transforms metrics models dictionary training cases task
pretext targets starts experiment report grade studies compare audit"""
PARTS = SHOWN.split()
WIDTH, ROW, BOX = 356, 56, (84, 28)  # pixels; a narrow screen shows all
TIP = """<marker id="tip" viewBox="0 0 6 6" refX="1" refY="3" orient="auto"
markerWidth="6" markerHeight="6"><path d="M0 0L6 3L0 6z"/></marker>"""


@functools.cache
def used(part):
    """Return the parts of the package that a part imports, directly or not."""
    found = set()
    for path in [*PACKAGE.glob(f"{part}.py"), *PACKAGE.glob(f"{part}/**/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                node.body = []  # for readers of types alone
        for node in ast.walk(tree):
            names = [getattr(alias, "name", "") for alias in getattr(node, "names", ())]
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            found |= {name.split(".")[1] for name in names if name[:8] == "tinyssl."}
    return found.union(*map(used, found - {part})) - {part}


def arrows():
    """Return what each part shown uses, less what follows from other arrows."""
    shown = {part: used(part) & {*PARTS} for part in PARTS}
    return {p: sorted(u.difference(*(shown[q] for q in u))) for p, u in shown.items()}


def words():
    """Return the picture in words, for those who do not see it."""
    users = [f"{p} uses {' and '.join(q)}" for p, q in arrows().items() if q]
    return "Parts of tinyssl, each above those that use it: " + "; ".join(users)


def draw():
    """Return the picture as SVG, for a page in reST."""
    level, x, above, lines = {}, {}, arrows(), []
    for part in sorted(PARTS, key=lambda part: len(used(part) & {*PARTS})):
        level[part] = 1 + max((level[q] for q in above[part]), default=-1)
    ends = [(q, part) for part in PARTS for q in above[part]]
    for i in range(max(level.values()) + 1):  # each below the middle of what it uses
        row = {p: [(q, p, i - 1) for q in above[p]] for p in PARTS if level[p] == i}
        row |= {(*e, i): [(*e, i - 1)] for e in ends if level[e[0]] < i < level[e[1]]}
        middle = {s: [x.get(lane, x.get(lane[0])) for lane in row[s]] for s in row}
        row = sorted(row, key=lambda s: sum(middle[s]) / (len(middle[s]) or 1))
        widths = [BOX[0] if slot in level else 0 for slot in row]  # 0: an arrow goes by
        gap = min(40, (WIDTH - sum(widths)) / len(row))
        left = (WIDTH - sum(widths) - gap * (len(row) - 1)) / 2
        for j, slot in enumerate(row):
            x[slot] = round(left + sum(widths[:j]) + gap * j + widths[j] / 2)
    for q, p in ends:
        path, old = f"M{x[q]} {ROW * level[q] + BOX[1]}", x[q]
        for i in range(level[q] + 1, level[p] + 1):
            new, end = x.get((q, p, i), x[p]), ROW * i - 5 * (i == level[p])
            bend = ROW * i - (ROW - BOX[1]) // 2
            path += f"C{old} {bend} {new} {bend} {new} {end}"
            path, old = path + f"V{end + BOX[1]}" * (i < level[p]), new
        lines.append(f'<path d="{path}" marker-end="url(#tip)"/>')
    for part, y in level.items():
        corner = f'x="{x[part] - BOX[0] // 2}" y="{ROW * y}"'
        lines.append(f'<rect {corner} width="{BOX[0]}" height="{BOX[1]}" rx="4"/>')
        lines.append(f'<text x="{x[part]}" y="{ROW * y + 18}">{part}</text>')
    size = f"-2 -2 {WIDTH + 4} {ROW * max(level.values()) + BOX[1] + 4}"
    lines.insert(0, f'<svg class="arrows" role="img" viewBox="{size}">')
    lines.insert(1, f"<title>{words()}</title>\n{TIP}")
    return ".. raw:: html\n\n" + indent("\n".join([*lines, "</svg>"]), "   ")
