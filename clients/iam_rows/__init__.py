"""Every operation of IAM that is served: a file for each group, a row for each operation."""

import importlib
import pathlib

from .row import Row


def rows():
    """Returns the rows of every file here that has some."""
    names = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*.py") if path.stem != "__init__")
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = [row for module in modules for row in getattr(module, "ROWS", [])]
    twice = {row.operation for row in found if sum(row.operation == other.operation for other in found) > 1}
    assert not twice, f"rows that stand twice: {twice}"
    return found


__all__ = ["Row", "rows"]
