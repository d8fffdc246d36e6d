"""Who may see what: Airflow's own login, and the user's right to read the runs of a feed's DAG."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    requires_access_dag,
    requires_authenticated,
)
from airflow.models.dag import DagModel
from fastapi import Depends

# Every route: an anonymous caller is answered 401.
LOGGED_IN = Depends(requires_authenticated())

# Every route below a DAG: a user who may not read its runs is answered 403.
MAY_SEE_RUNS = Depends(requires_access_dag("GET", DagAccessEntity.RUN))

# What changes something for a DAG: a user who may not start its runs is answered 403.
MAY_TRIGGER = Depends(requires_access_dag("POST", DagAccessEntity.RUN))


def _dags_to_see(user: GetUserDep) -> set[str]:
    auth_manager = get_auth_manager()
    readable = auth_manager.get_authorized_dag_ids(user=user, method="GET")
    teams = DagModel.get_dag_id_to_team_name_mapping(list(readable))
    return {
        dag_id
        for dag_id in readable
        if auth_manager.is_authorized_dag(
            method="GET",
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id, team_name=teams.get(dag_id)),
            user=user,
        )
    }


def _may_trigger(dag_id: str, user: GetUserDep) -> bool:
    team = DagModel.get_dag_id_to_team_name_mapping([dag_id]).get(dag_id)
    return get_auth_manager().is_authorized_dag(
        method="POST",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=dag_id, team_name=team),
        user=user,
    )


# Whether the user may start runs of the route's DAG.
MayTrigger = Annotated[bool, Depends(_may_trigger)]

# The ids of the DAGs whose runs the user may read.
DagsToSee = Annotated[set[str], Depends(_dags_to_see)]
