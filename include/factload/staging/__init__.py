"""What a load keeps until it is published: files, and tables in the schema ``factload_staging``.

``files``     staging files: whole or absent, never trusted without their checksum
``folders``   the folder of one attempt
``in_use``    the sign that keeps a load's staging from being removed while a step works on it
``orphaned``  staging that is no longer needed: removed once published, swept by age
"""
