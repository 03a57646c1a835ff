"""The warehouse: its roles, the tables of `raw` and `quality`, and the load into them."""
