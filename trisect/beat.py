"""The heartbeat by which a daemon knows how long its event loop was blocked."""

from __future__ import annotations

import asyncio
from collections import deque

import prometheus_client

HEARTBEAT_S = 0.04
LAG_WINDOW_S = 10.0
LAG_WINDOWS = 3
LAG = prometheus_client.Gauge(
    "trisect_loop_lag_max_seconds", "Longest time the event loop was blocked in the last half minute."
)


class Beat:
    """Measures how long the event loop was blocked of late, by waking up on time or not."""

    def __init__(self) -> None:
        self._worst = deque([0.0] * LAG_WINDOWS, LAG_WINDOWS)

    @property
    def worst_s(self) -> float:
        """The longest time within the last half minute."""
        return max(self._worst)

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        window_ends = loop.time() + LAG_WINDOW_S
        while True:
            due = loop.time() + HEARTBEAT_S
            await asyncio.sleep(HEARTBEAT_S)
            now = loop.time()
            self._worst[-1] = max(self._worst[-1], now - due)
            LAG.set(self.worst_s)
            if now >= window_ends:
                self._worst.append(0.0)
                window_ends = now + LAG_WINDOW_S
