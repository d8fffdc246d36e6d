"""Everything that stands against a load, in one run that writes nothing: ``factload check``, and dry runs.

``load``      what a load would come to
``target``    where its rows would go: fact table, dimensions, what is published already
``sheets``    the sheets that can be read, and of each the fields that can
``duplicates``  rows that an earlier one leaves no room for
``findings``  what was found, collected rather than raised
"""
