"""The made-up region: a deterministic Sverdlovsk oblast that no production code imports."""
