"""Stand-ins for the outside systems: real HTTP servers that speak their protocols for a made-up world."""
