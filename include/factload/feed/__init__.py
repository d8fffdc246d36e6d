"""What a feed file says, validated. Read ``model`` first; each part of a feed has a module of its name.

``file``                    feed files: finding and reading them
``document``                the YAML of a feed file, bounded; the lines of its fields
``model``, ``part``         the whole of a feed; what its parts have in common
``workbook``, ``left_out``  where the workbooks lie; which rows and cells of them are read
``unpivot``                 columns that become rows
``witness``                 the owner's own number
``periods``                 fields that are given by ranges of periods: a plain feed for each
``fact``, ``columns``, ``dimensions``, ``unmatched``, ``mode``, ``limits``, ``schedule``
``sql_types``, ``normalize_steps``, ``written_values``   the words that they use
``errors``                  file, line, field, what was found, "did you mean"
``documentation``, ``schema``   the text of a field; what editors know of feed files

Nothing here needs numpy, pyarrow or a database: an orchestrator reads feed files all day.
"""
