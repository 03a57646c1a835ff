"""What people see: the files of `superset/assets` checked, made whole by dbt's manifest, and brought to Superset."""
