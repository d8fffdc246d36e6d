"""What a load keeps until it is published: files, and tables in the schema ``factload_staging``.

``files``     staging files: whole or absent, never trusted without their checksum
``store``     where they lie: put once, opened, mapped, aged, deleted
``folder``    … in a folder that all workers share
``objects``   … in an object store, with a ``cache`` on each machine; ``connections`` has its credentials,
              ``store_errors`` what its errors mean
``whole``     whether a file is what was written
``disk``      the local disk, for the user that loads alone
``copies``    this machine's copies of workbooks that have a URL
``in_use``    the sign that keeps a load's staging from being removed while a step works on it
``kept``      rows that were taken out of a fact table and may come back: their table, until its time is over
``orphaned``  staging that is no longer needed: removed once published, swept by age
"""
