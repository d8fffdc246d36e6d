"""Loads of many workbooks against a large dimension: exact, bounded in memory, and as quick a row as a small one.

`__main__`     the command line, which `make bench-scale` runs
`dimension`    a dimension of any size, with its primary key
`load`         one load by `factload run`, and what it cost
`exact`        whether the fact table holds every row that was drawn, asked in SQL
`handed_on`    the bytes that Airflow would keep of the load
`stepped`      the steps of a load one by one, each with the processor time of client and server
`verified`     `factload verify` of a load, with the processor time of client and server
`costs`        these as costs of a row, a member, a partition
`place`        the project folder that they run in
`results`, `page`, `predicted`, `plots`   what of docs/scaling.md is made of docs/scaling.json

`benchmarks.scaling_model` predicts other loads of the costs.
"""
