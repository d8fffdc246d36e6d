"""The steps of a load. Each stands alone: it gets small values, finds its files and rows itself, and may run
in any process, any number of times, on any worker. ``pipeline`` says their order; each has a module of its verb.

``open``, ``extract``, ``split``, ``load``   the attempt begins; dimension maps, partition files, staged rows
``reconcile``, ``publish``, ``clean``        the proof, the one visible transaction, what goes afterwards
``release``, ``failure``    a person lets a held load pass; why an attempt ended
``resume``                  what an earlier attempt staged, and what of it is used again
``recorded``                the partitions that there are, by their numbers
``ahead``                   what of publishing one machine does beside the steps before it
"""

from factload.steps.ahead import complete_staging, publish_as_staged
from factload.steps.clean import clean_staging
from factload.steps.extract import extract_dimension_map
from factload.steps.failure import record_failure
from factload.steps.load import load_partition
from factload.steps.open import open_load
from factload.steps.publish import publish_load
from factload.steps.reconcile import reconcile_load
from factload.steps.recorded import recorded_partitions
from factload.steps.release import release_load
from factload.steps.split import split_workbook

__all__ = [
    "clean_staging",
    "complete_staging",
    "extract_dimension_map",
    "load_partition",
    "open_load",
    "publish_as_staged",
    "publish_load",
    "reconcile_load",
    "record_failure",
    "recorded_partitions",
    "release_load",
    "split_workbook",
]
