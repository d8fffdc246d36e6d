"""Airflow's ``@task``, for the steps of a load: with the link to the load's page, and a note of why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.standard.decorators.python import _PythonDecoratedOperator
from airflow.sdk.bases.decorator import TaskDecorator, task_decorator_factory

from factload.airflow.links import LoadLink
from factload.airflow.noted import errors_noted


class StepTask(_PythonDecoratedOperator):
    """A step. What Airflow shows beside a task, mapped ones too, is said by the operator's class."""

    custom_operator_name = "@task"
    operator_extra_links = (LoadLink(),)

    def execute(self, context: Any) -> Any:
        """Run the function."""
        with errors_noted(context):
            return super().execute(context)


def task(python_callable: Callable[..., Any] | None = None, **options: Any) -> TaskDecorator:
    """As ``airflow.sdk.task``."""
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=StepTask, **options
    )
