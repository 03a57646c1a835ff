"""What keeps Otklik running: the embedded database, the supervisor, Airflow, Superset, the site."""
