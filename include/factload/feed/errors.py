"""What is wrong in a feed file, in words that teach: file, line, field, what was found, what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from factload.errors import did_you_mean, nearest
from factload.feed.document import Where, lines_of
from factload.feed.documentation import field_texts
from factload.feed.model import Feed

_Defect = Mapping[str, Any]

# pydantic's words → ours; https://docs.pydantic.dev/latest/errors/validation_errors/
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "fields below it, each `name: ...`",
    "list_type": "a list such as [a, b]",
    "tuple_type": "a list such as [a, b]",
    "none_required": "nothing: leave it out",
    "too_short": "at least one",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


def defects(path: Path, node: yaml.Node, error: ValidationError) -> list[str]:
    """A line for each field of the file at ``path`` (its YAML is ``node``) that ``error`` is about."""
    lines = dict(lines_of(node))
    return [
        f"{path}:{_line(where, lines)}: {'.'.join(map(str, where)) or 'the feed'}: {said}"
        for where, said in told(error, lines)
    ]


def told(error: ValidationError, given: Collection[Where]) -> list[tuple[Where, str]]:
    """Each field that ``error`` is about, and what is wrong with it. ``given``: every field that is there."""
    grouped: dict[Where, list[_Defect]] = {}
    for defect in error.errors():
        grouped.setdefault(_field(defect, given), []).append(defect)
    grouped = {where: found for where in grouped if (found := _of_its_kind(where, grouped))}
    misspelt = {
        (*where[:-1], meant)
        for where, found in grouped.items()
        if found[0]["type"] == "extra_forbidden"
        and (meant := nearest(str(where[-1]), list(model_at(where[:-1]).model_fields)))
    }
    return [
        (where, _message(where, found))
        for where, found in grouped.items()
        if not (found[0]["type"] == "missing" and where in misspelt)
    ]


def _field(defect: _Defect, given: Collection[Where]) -> Where:
    """The field that a defect is about: pydantic's place, without the names it gives to alternatives."""
    where = tuple(defect["loc"])
    beside = getattr(defect.get("ctx", {}).get("error"), "at", ())
    kept: Where = ()
    for part in (*where, *beside):
        if (*kept, part) in given:
            kept = (*kept, part)
    missing = defect["type"] == "missing" and where[-1:]
    return (*kept, *missing) if missing else kept


def _of_its_kind(where: Where, grouped: Mapping[Where, Sequence[_Defect]]) -> list[_Defect]:
    """A field's defects. Of one that has fields below it, and might have been a word instead, not that it is none,
    where something is wrong in these fields."""
    no_word = [d for d in grouped[where] if d["type"] == "literal_error" and isinstance(d["input"], dict)]
    others = [d for d in grouped[where] if d not in no_word]
    below = any(other[: len(where)] == where and other != where for other in grouped)
    return others if others or below else no_word


def _line(where: Where, lines: Mapping[Where, int]) -> int:
    while where not in lines:
        where = where[:-1]
    return lines[where]


def _message(where: Where, found: Sequence[_Defect]) -> str:
    first = found[0]
    if first["type"] == "extra_forbidden":
        return _unknown_field(where)
    if first["type"] == "missing":
        told = field_texts(model_at(where[:-1])).get(str(where[-1]), "")
        return f"is missing. {told}".rstrip()
    if first["type"] == "value_error":
        said = str(first["msg"]).removeprefix("Value error, ")
        shown = isinstance(first["input"], dict | list) or repr(first["input"]) in said
        return said if shown else said + _found(first["input"])
    expected = " or ".join(dict.fromkeys(_expected(where, defect) for defect in found))
    choices = [c for d in found if d["type"] == "literal_error" for c in _choices(d)]
    near = did_you_mean(first["input"], choices) if isinstance(first["input"], str) else ""
    return f"expected {expected}{_found(first['input'])}{_hint(first)}{'. ' if near else ''}{near}"


def _expected(where: Where, defect: _Defect) -> str:
    kind = defect["type"]
    if kind == "literal_error":
        return " or ".join(_choices(defect))
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{words} {defect['ctx'][bound]:,}"
    if kind in ("model_type", "model_attributes_type"):
        return f"fields below it: {', '.join(model_at(where).model_fields)}"
    if kind == "value_error":
        return str(defect["msg"]).removeprefix("Value error, ").removeprefix("expected ")
    return _EXPECTED.get(kind) or str(defect["msg"]).removeprefix("Input should be ")


def _choices(defect: _Defect) -> list[str]:
    return str(defect["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")


def _found(value: object) -> str:
    if value is None:
        return " (found nothing)"
    if isinstance(value, str | int | float | bool):
        return f" (found {value!r})"
    kind = "fields" if isinstance(value, dict) else f"a {type(value).__name__}"
    return f" (found {kind})"


def _hint(defect: _Defect) -> str:
    if defect["type"] == "string_type" and defect["input"] is not None:
        return ". YAML reads no, yes, dates and numbers as such: put text like them into quotes"
    return ""


def _unknown_field(where: Where) -> str:
    name, names = str(where[-1]), list(model_at(where[:-1]).model_fields)
    if ")" in name or "(" in name:
        return 'is half of a text that a comma cut in two: put it into quotes, such as type: "numeric(18,4)"'
    return "is not a field here. " + (did_you_mean(name, names) or f"There are {', '.join(names)}")


def model_at(where: Where) -> type[BaseModel]:
    """The part of a feed that the field at ``where`` is."""
    model: type[BaseModel] = Feed
    parts = iter(where)
    for part in parts:
        field = model.model_fields.get(str(part))
        if field is None:
            break
        if get_origin(field.annotation) is dict:
            next(parts, None)  # a name that the feed chose
        model = _model_in(field.annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
