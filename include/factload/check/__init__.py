"""Everything that stands against a load, in one run that writes nothing: ``factload check``, and dry runs.

``load``      what a load would come to
``sheets``    the sheets that can be read, and of each the fields that can
``findings``  what was found, collected rather than raised
"""
