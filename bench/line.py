"""A line between two network devices of this machine, as thin and as long as asked for: for a bench that needs one.

    python -m bench.line HERE THERE --bits 5000000 --one-way-ms 40 --queue 100

HERE and THERE are file descriptors of TUN devices. Whole IP packets are carried from one to the other: each waits its
turn in a queue that drops what finds it full, takes as long as its bits need, and arrives a distance later, so that
TCP feels the line as it would a real one. The kernel's own netem does the same where it is built in; this needs TUN.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

_SET_DEVICE = 0x400454CA  # TUNSETIFF
_TUN, _BARE = 0x0001, 0x1000  # IFF_TUN, IFF_NO_PI: IP packets, nothing before them
_MOST_BYTES = 65536


def device(name: str) -> int:
    """A TUN device of this name; it lasts as long as the file descriptor. Needs root.

    Raises:
        OSError: This machine has no TUN, or doesn't let us.
    """
    made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(made, _SET_DEVICE, struct.pack("16sH22x", name.encode(), _TUN | _BARE))
    return made


@dataclass
class _Way:
    """One direction.

    Attributes:
        leaving: When each packet in the queue will have been put on the line.
        under_way: Packets with the moment of their arrival, in order.
    """

    to: int
    bits: float
    distance_s: float
    queue: int
    leaving: deque[float] = field(default_factory=deque)
    under_way: deque[tuple[float, bytes]] = field(default_factory=deque)

    def take(self, packet: bytes, now: float) -> None:
        """Put a packet into the queue, or drop it."""
        while self.leaving and self.leaving[0] <= now:
            self.leaving.popleft()
        if len(self.leaving) >= self.queue:
            return
        begins = self.leaving[-1] if self.leaving else now
        self.leaving.append(begins + len(packet) * 8 / self.bits)
        self.under_way.append((self.leaving[-1] + self.distance_s, packet))

    def hand_over(self, now: float) -> None:
        """Let arrive what is due."""
        while self.under_way and self.under_way[0][0] <= now:
            with suppress(OSError):  # nobody is there while a device is down
                os.write(self.to, self.under_way.popleft()[1])


def main() -> None:
    """Carry packets until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ends", type=int, nargs=2)
    parser.add_argument("--bits", type=float, required=True)
    parser.add_argument("--one-way-ms", type=float, required=True)
    parser.add_argument("--queue", type=int, required=True)
    given = parser.parse_args()
    here, there = given.ends
    ways = {
        end: _Way(other, given.bits, given.one_way_ms / 1000, given.queue)
        for end, other in ((here, there), (there, here))
    }
    os.nice(-10)  # a line doesn't wait for the machines at its ends
    waiting = select.poll()
    for end in ways:
        waiting.register(end, select.POLLIN)
    while True:
        due = min((way.under_way[0][0] for way in ways.values() if way.under_way), default=time.monotonic() + 1)
        ready = waiting.poll(max(0.0, 1000 * (due - time.monotonic())))
        now = time.monotonic()
        for end, _ in ready:
            with suppress(OSError):
                while True:
                    ways[end].take(os.read(end, _MOST_BYTES), now)
        for way in ways.values():
            way.hand_over(now)


if __name__ == "__main__":
    main()
