"""One schema for each raw entity: what a valid row is, and why a bad one is bad."""
