"""What can go wrong around the engine, foreseen: one sentence for the person, no traceback."""

from __future__ import annotations


class DemoError(RuntimeError):
    """The base of them all."""


class PostgresError(DemoError):
    """The embedded PostgreSQL could not be started or stopped. The message ends with the tail of its log."""


class AirflowError(DemoError):
    """Airflow could not be started. The message ends with the tail of the log that says why."""


class ApiError(DemoError):
    """Airflow's REST interface refused a request, or its web server does not answer any more."""


class BusyError(DemoError):
    """Another call of these commands is at work in this project."""


class LoadFailed(DemoError):
    """The run of the DAG ended in failure. The message holds the end of each failed task's log."""


class MismatchError(DemoError):
    """What the database holds is not what the sample was made to come to."""
