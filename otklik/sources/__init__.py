"""One module or package for each outside system, all yielding batches of records for an interval."""
