"""What publishing does with existing rows: one module for each mode, which is all that the engine knows of it.

``registry``                          the mode of a feed, and of an earlier publication
``mode``                              what a mode must say and do
``publishing``                        one publication: its values, and the statements that modes share
``replace``, ``append_once``, ``upsert``  the modes, each a frozen ``MODE``

How a feed file writes a mode, and which there are, is in ``feed.mode``.
"""
