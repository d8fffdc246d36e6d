"""Members of dimensions that change by what rows say of them. Read in this order:

``attributes``             what rows say of members that may be made, settled before any row is loaded
``said``                   what staged rows say of members, beside the staging table
``changes``                members brought up to date by it when the load is published, and back by an undo
``versions``, ``history``  members that get new versions by it; which they must be, planned out of values
``version_rows``, ``version_choice``, ``version_reading``  these versions in the database: the tables; which members are
                           looked at; what their versions are
``version_changes``, ``version_log``  what is changed of them; what the ledger keeps of that
"""
