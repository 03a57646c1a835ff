"""Otklik: the data pipeline of a regional governance centre."""

__version__ = "0.1.0"
