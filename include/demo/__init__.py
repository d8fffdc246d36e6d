"""What `make demo`, `make up` and the tests need around the engine, and nothing of the engine itself.

`postgres` runs PostgreSQL out of a wheel, `sample` makes the dimension and the workbook, `airflow_site` runs
Airflow on this machine, `processes` ends what was started, and `run` is the demo from beginning to end.
"""
