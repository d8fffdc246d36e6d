"""The feed of most tests, and how they change it: by keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

SALES = """
feed: sales
workbook: {path: "inbox/sales_{period}.xlsx", sheet: Facts}
dimensions:
  product:
    table: dim_product
    business_key: business_key
    surrogate_key: primary_synthetic_key
    column: business_key
    normalize: [trim]
    unmatched: reject
fact:
  connection: warehouse
  table: fact_sales
  columns:
    dimension_id: {dimension: product}
    metric: {column: metric, type: "numeric(18,4)", required: true}
  mode: replace
  load_column: load_id
max_rejects: 80%
rows_per_partition: 2000
rows_per_chunk: 1000
parallelism: 2
"""

ABSENT = object()
"""As a value: the field is taken out of the feed."""


def changed(feed: str, changes: Mapping[str, Any]) -> str:
    """The feed file with other values: ``{"fact.mode": "append_once", "fact.load_column": ABSENT}``.

    A field that is new needs a parent that the feed has. Comments and the order of lines are not kept.
    """
    document = yaml.safe_load(feed)
    for field, value in changes.items():
        *parents, name = field.split(".")
        part = document
        for parent in parents:
            part = part[parent]
        if value is ABSENT:
            del part[name]
        else:
            part[name] = value
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
