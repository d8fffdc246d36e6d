"""The text of each field of a feed's part: its documentation.

A rule brings its own text. That of any other field stands below it, and is read out of the source when somebody asks:
pydantic would read it for every field whenever a process imports the model, a third of a second for texts that no load
and no DAG file ever looks at.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pydantic import BaseModel


@lru_cache(maxsize=32)
def field_texts(part: type[BaseModel]) -> dict[str, str]:
    """Field → its text; fields without one are left out."""
    own = [name for name in part.__mro__ if name.__module__ == part.__module__]
    below = {name: text for owner in reversed(own) for name, text in _texts(owner)}
    return below | {name: field.description for name, field in part.model_fields.items() if field.description}


def _texts(owner: type) -> Iterator[tuple[str, str]]:
    module = ast.parse(inspect.getsource(sys.modules[owner.__module__]))
    written = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name == owner.__name__]
    for node, below in pairwise(statement for part in written for statement in part.body):
        match node, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
