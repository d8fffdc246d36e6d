# The official image, with exactly the locked packages and this project in it.
FROM apache/airflow:3.3.2

# The lock names every package, so pip resolves nothing (--no-deps) and can't replace Airflow by another version; it takes
# no file whose hash isn't in the lock.
# Providers that the lock doesn't name go: they would be left without the versions that they need.
COPY requirements.txt /opt/airflow/
RUN grep -q "^apache-airflow==${AIRFLOW_VERSION} " requirements.txt \
    || { echo "The image holds Airflow ${AIRFLOW_VERSION}, requirements.txt another: change both together." >&2; exit 1; }; \
    sed -n 's/^\(apache-airflow-providers-[a-z0-9-]*\)==.*/\1/p' requirements.txt > /tmp/locked \
    && pip list --format=freeze | { grep -o '^apache-airflow-providers-[a-z0-9-]*' || true; } > /tmp/installed \
    && { grep -vxFf /tmp/locked /tmp/installed || true; } | xargs -r pip uninstall --quiet --yes \
    && pip install --no-cache-dir --no-deps --requirement requirements.txt \
    && rm /tmp/locked /tmp/installed

# Group 0 may write, whatever AIRFLOW_UID is.
RUN install -d -m 2775 -g 0 inbox cache

# The engine, its command, the DAG builder and the Loads page, as any other package; the lock has what builds it.
COPY --chown=airflow:0 pyproject.toml README.md LICENSE /tmp/factload/
COPY --chown=airflow:0 include/factload/ /tmp/factload/include/factload/
RUN pip install --no-cache-dir --no-deps --no-build-isolation /tmp/factload && rm -r /tmp/factload

ENV FACTLOAD_HOME=/opt/airflow

# What fills the store, and the sample's generator, which the services inbox and demo-data find; and what a team edits
COPY --chown=airflow:0 include/factload_deployment/ include/factload_deployment/
COPY --chown=airflow:0 include/factload_demo/ include/factload_demo/
COPY --chown=airflow:0 include/feeds/ include/feeds/
COPY --chown=airflow:0 plugins/ plugins/
COPY --chown=airflow:0 dags/ dags/
