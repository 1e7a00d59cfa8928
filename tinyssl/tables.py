"""Tables of methods: a name to an import path, imported when it is used."""

import importlib
import inspect
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any


def find(package: str, table: Mapping[str, str], name: str) -> Any:
    """Return the class that a package's table of "module:Class" has under a name."""
    if name not in table:
        raise ValueError(f"must be one of {', '.join(table)}, found {name!r}")
    return load(f"{package}.{table[name]}")


def find_class(package: str, table: Mapping[str, str], attribute: str) -> Any:
    """Return a class of the table by its own name, for ``from package import``."""
    for path in table.values():
        if path.endswith(f":{attribute}"):
            return load(f"{package}.{path}")
    raise AttributeError(f"module {package!r} has no attribute {attribute!r}")


def options_of(method: Any) -> dict[str, tuple[Any, Any, str]]:
    """Return a method's own options: kind, default and help of each.

    Those whose kind no command line can give, such as arrays, are left out.
    """
    unwritten = ("ndarray", "Module", "Callable", "Any")
    return {
        name: (parameter.annotation, parameter.default, _words(method, name))
        for name, parameter in method.own_options().items()
        if not any(kind in str(parameter.annotation) for kind in unwritten)
    }


def _words(method: Any, name: str) -> str:
    """Return what the docstrings of a method say of one parameter."""
    own = [getattr(method, part) for part in ("read", "build") if hasattr(method, part)]
    for document in (*method.__mro__, *own):
        kind, text = described(document, name)
        short = "" if kind.startswith("{") else kind.partition(", ")[2]
        if text or short:  # "steps : int, how many" says it in one line
            return text or f"{short[0].upper()}{short[1:]}."
    return ""


def described(document: Any, name: str) -> tuple[str, str]:
    """Return the kind and the text that a numpydoc docstring gives a parameter."""
    entry = rf"(?m)^(?:\w+, )*{name}(?:, \w+)*(?: : (.*))?$((?:\n(?: .*)?)*)"
    kind, text = [*re.findall(entry, inspect.getdoc(document) or ""), ("", "")][0]
    return kind, " ".join(text.split())


def load(path: str) -> Any:
    """Return what an import path names: "package.module:function"."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def call(path: str, given: dict[str, Any], *more: Any) -> Any:
    """Call what an import path names, which is imported only now."""
    return load(path)(SimpleNamespace(**given), *more)
