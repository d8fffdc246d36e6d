"""What a published load came to, as OpenLineage's facets: rows written, and the proofs that were made of them.

OpenLineage's provider asks the task for them when it has ended well. Without the provider nobody does, and nothing here
needs it to be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

from factload.airflow.lineage import Lineage
from factload.reports.report import Report

_IN_A_DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Assertion:
    """A proof: what was asserted, of which measure (None: of the whole table), and whether it is so."""

    assertion: str
    success: bool
    column: str | None = None


def assertions(report: Report) -> Iterator[Assertion]:
    """What is proved of a published load: each row is accounted for, and readers see the rows that were staged."""
    rows = report.rows
    yield Assertion("source_rows_accounted_for", rows["source"] == report.accounted)
    yield Assertion("published_rows_equal_staged_rows", rows["published"] == rows["staged"])
    for measure, total in report.control_totals.items():
        equal = Decimal(total["source"]) == Decimal(total["published"])
        yield Assertion("control_total_equals_source", equal, measure)


def dataset_of(uri: str) -> tuple[str, str]:
    """The namespace and the name by which OpenLineage knows what has this URI."""
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.scheme == _IN_A_DATABASE:
        return f"{parts.scheme}://{parts.netloc}", path.strip("/").replace("/", ".")
    if parts.scheme == "file":
        return (f"file://{parts.netloc}" if parts.netloc else "file"), path
    return f"{parts.scheme}://{parts.netloc}", path.lstrip("/")


def facets_of(lineage: Lineage, report: Report) -> Any:
    """Inputs and output of the load as OpenLineage's provider takes them; the fact table is among the inputs too, since
    it was read back, and OpenLineage has the proofs with what was read."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.generated import data_quality_assertions_dataset as quality
    from openlineage.client.generated.output_statistics_output_dataset import (
        OutputStatisticsOutputDatasetFacet,
    )

    proofs = [
        quality.Assertion(assertion=proof.assertion, success=proof.success, column=proof.column)
        for proof in assertions(report)
    ]
    namespace, name = dataset_of(lineage.output)
    read_back = InputDataset(
        namespace=namespace,
        name=name,
        inputFacets={"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions=proofs)},
    )
    written = OutputDataset(
        namespace=namespace,
        name=name,
        outputFacets={
            "outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=report.rows["published"])
        },
    )
    read = [InputDataset(*dataset_of(uri)) for uri in lineage.inputs]
    return OperatorLineage(inputs=[*read, read_back], outputs=[written])
