#!/bin/sh
# Run once by the warehouse's container, when its volume is new: the loads' own role, owner of the database and
# no superuser. It may create the schemas of the ledger and of staging, and nothing outside this database.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
     --set password="$LOADER_PASSWORD" --set database="$POSTGRES_DB" <<'SQL'
CREATE ROLE factload LOGIN PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO factload;
REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
SQL
