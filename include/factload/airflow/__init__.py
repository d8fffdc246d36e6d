"""Where the engine meets Airflow: connections, periods, retries. The engine itself knows nothing of Airflow."""
