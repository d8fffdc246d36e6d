"""Two Celery workers on two machines, which share an S3 server, a broker and databases: speed, and faults at random.

    make machines                     # as root: `ip netns`; redis-server must be installed
    make machines LOADS=20 SEED=7

The machines are namespaces of this one: each has a network, a host name and mounts of its own (``network``, ``plant``).
``faults``: what is done to them. Every load is compared with what its workbook must come to.
"""
