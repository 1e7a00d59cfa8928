"""Tables of methods: a name to an import path, imported when it is used."""

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any


def find(package: str, table: Mapping[str, str], name: str) -> Any:
    """Return the class that a table names.

    Parameters
    ----------
    package : str
        Where the paths of the table begin.
    table : dict of str to "module:Class"
    name : str

    Raises
    ------
    ValueError
        If the table has no such name.
    """
    if name not in table:
        raise ValueError(f"must be one of {', '.join(table)}, found {name!r}")
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)


def find_class(package: str, table: Mapping[str, str], attribute: str) -> Any:
    """Return a class of the table by its own name, for ``from package import Class``."""
    for path in table.values():
        module, _, class_name = path.partition(":")
        if class_name == attribute:
            return getattr(importlib.import_module(f"{package}.{module}"), class_name)
    raise AttributeError(f"module {package!r} has no attribute {attribute!r}")


def options_of(method: Any) -> dict[str, tuple[Any, Any, str]]:
    """Return a method's own options: kind, default and help of each.

    Those whose kind no command line can give, such as arrays, are left out.
    """
    return {
        name: (parameter.annotation, parameter.default, _words(method, name))
        for name, parameter in method.own_options().items()
        if _is_plain(parameter.annotation)
    }


def _is_plain(annotation: Any) -> bool:
    """Tell whether a value of this kind can be written on a command line."""
    text = inspect.formatannotation(annotation)
    return not any(word in text for word in ("ndarray", "Module", "Callable", "Any"))


def _words(method: Any, name: str) -> str:
    """Return what the docstrings of a method say of one parameter."""
    own = [getattr(method, part) for part in ("read", "build") if hasattr(method, part)]
    found = (described(document, name)[1] for document in (*method.__mro__, *own))
    return next(filter(None, found), "")


def described(document: Any, name: str) -> tuple[str, str]:
    """Return the kind and the text that a numpydoc docstring gives a parameter."""
    entry = rf"(?m)^(?:\w+, )*{name}(?:, \w+)*(?: : (.*))?$((?:\n(?: .*)?)*)"
    kind, text = [*re.findall(entry, inspect.getdoc(document) or ""), ("", "")][0]
    return kind, " ".join(text.split())


def load(path: str) -> Any:
    """Return what an import path names: "package.module:function"."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
