"""PostgreSQL, as every other part of the engine uses it.

``url``, ``database``, ``connections``  a database's URL; its engine; connections that end in bounded time
``errors``               what the driver's errors mean
``tables``, ``types``    tables as they are in the database; what the types of their columns are, and hold
``catalog``              tables of PostgreSQL's catalog that several modules ask
``indexes``, ``ddl``     what a table allows once; DDL that SQLAlchemy has no construct for
``insert``               chunked inserts: ``arrays``, rows as the text of arrays; ``copy``, rows by COPY
``encoding``             what the database's encoding can hold
``locks``                who holds the lock that a load waited for in vain
"""
