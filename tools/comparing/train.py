#!/usr/bin/env python3
"""Shows a server that was built to be trained what it is for: the loads of tools/compare, and a sale with holds."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from comparing import loads, servers  # noqa: E402

SCALE = 0.2  # a server that keeps count is slow


def consume(server):
    """Workers read, acknowledge, and look at what they have."""
    talk = server.talk()
    talk.ask("XGROUP", "CREATE", "s", "workers", "0")
    for _ in range(2000):
        entries = talk.ask("XREADGROUP", "GROUP", "workers", "w", "COUNT", 20, "STREAMS", "s", ">")[0][1]
        for entry in entries:
            talk.ask("XACK", "s", "workers", entry[0])
        talk.ask("XPENDING", "s", "workers")
    talk.close()


def hold(server):
    """Buyers who have to pay: half of them do."""
    talk = server.talk()
    talk.ask("SECKILL.CREATE", "held", "STOCK", 1_000_000, "STREAM", "held:orders", "HOLD", 60_000)
    for i in range(5000):
        order = talk.ask("SECKILL.BUY", "held", "user:%d" % i)[1]
        talk.ask("SECKILL.CONFIRM" if i % 2 else "SECKILL.CANCEL", "held", order)
    talk.close()


def main():
    server = servers.sluice(sys.argv[1])
    try:
        server.start()
        for load in (loads.xadd_pipelined, loads.xadd_plain, loads.xrange, loads.xreadgroup, loads.buy):
            load(server, SCALE)
        loads.benchmark(server, ["XADD", "s:__rand_int__", "*", "f", loads.VALUE], 200_000, pipeline=64, random=20_000)
        loads.fill(server, 100_000)
        consume(server)
        hold(server)
        server.stop()
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
