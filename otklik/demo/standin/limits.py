"""How often one may ask the stand-ins, as the real systems allow it."""

import time
from collections import deque

RATES = {"vk": 20, "ok": 20, "telegram": 30, "max": 30}
"""Requests within any one second; a system that is not named here has no limit."""


class Window:
    """Lets at most `rate` requests through within any one second; those refused do not count."""

    def __init__(self, rate: int) -> None:
        self._arrivals: deque[float] = deque(maxlen=rate)

    def enter(self) -> float:
        """Let a request through and return 0, or refuse it and return the seconds after which one may come."""
        now = time.monotonic()
        if len(self._arrivals) == self._arrivals.maxlen:
            wait = self._arrivals[0] + 1 - now
            if wait > 0:
                return wait
        self._arrivals.append(now)
        return 0.0
