"""The Loads page inside Airflow: what every feed's loads came to, day by day, and each load in full."""
