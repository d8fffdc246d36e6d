"""What `make demo`, `make up` and the tests need around the engine, and nothing of the engine itself.

| module                          | is                                                                  |
| ------------------------------- | ------------------------------------------------------------------- |
| `postgres`, `postgres_programs` | PostgreSQL out of a wheel                                           |
| `sample`                        | the dimension, the fact table, and a workbook of known outcome      |
| `airflow_place`, `airflow_site` | Airflow on this machine: its environment, its processes             |
| `airflow_api`, `watch`          | its REST interface, and a run followed to its end                   |
| `setup`, `show`, `__main__`     | all of it set up, the demo from beginning to end, the commands      |
| `processes`, `display`, `errors`| child processes that end, steps on a screen, what can go wrong      |
"""
