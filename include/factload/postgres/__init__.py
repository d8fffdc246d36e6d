"""PostgreSQL, as every other part of the engine uses it.

``url``, ``database``, ``connections``  a database's URL; its engine; connections that end in bounded time
``errors``               what the driver's errors mean
``server``               which server answers: PostgreSQL, or one that only speaks its protocol
``tables``, ``types``    tables as they are in the database; what the types of their columns are, and hold
``catalog``              tables of PostgreSQL's catalog that several modules ask
``indexes``, ``ddl``     what a table allows once; DDL that SQLAlchemy has no construct for
``statements``           statements that name tables and columns which SQLAlchemy doesn't know
``insert``               chunked inserts: ``arrays``, rows as texts of arrays; ``copy``, ``binary_copy``, by COPY
``text_hash``            the server's hash of texts, for whole columns here
``encoding``             what the database's encoding can hold
``locks``                who holds the lock that a load waited for in vain
"""
