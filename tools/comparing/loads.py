"""What the servers are asked to do: one function a load, each returning figures of one run against one server."""

import json
import subprocess
import time

VALUE = "x" * 100

# What shops write today: the stock, the buyer, the counter, the set, the order.
LUA = """
local left = tonumber(redis.call('GET', KEYS[1]))
if not left or left < 1 then return 1 end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 2 end
redis.call('INCRBY', KEYS[1], -1)
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'userId', ARGV[1], 'voucherId', '7', 'id', '1')
return 0
"""


def settle(server, seconds=5):
    """Waits, so long at most, until the server rests: what it has put off belongs to the load that caused it, not to the next."""
    end = time.monotonic() + seconds
    last = server.cpu_seconds()
    while time.monotonic() < end:
        time.sleep(0.2)
        now = server.cpu_seconds()
        if now - last < 0.015:  # the kernel counts in hundredths
            return
        last = now


def benchmark(server, words, requests, clients=50, pipeline=1, random=None):
    """redis-benchmark: operations a second, the server's CPU in us an operation, latencies in ms."""
    command = ["redis-benchmark", "-p", str(server.port), "-n", str(requests), "-c", str(clients), "-P", str(pipeline), "--csv"]
    if random:
        command += ["-r", str(random)]
    settle(server)
    before = server.cpu_seconds()
    done = subprocess.run(command + [str(w) for w in words], capture_output=True, text=True, timeout=600)
    settle(server)
    cpu = server.cpu_seconds() - before
    lines = [line for line in done.stdout.splitlines() if line.startswith('"') and not line.startswith('"test"')]
    if done.returncode != 0 or not lines:
        raise RuntimeError("redis-benchmark: " + (done.stdout + done.stderr)[-400:])
    fields = lines[-1].rsplit(",", 7)
    numbers = [float(field.strip('"')) for field in fields[1:]]
    return {"ops": numbers[0], "cpu_us": cpu * 1e6 / requests, "p50_ms": numbers[3], "p99_ms": numbers[5]}


def fill(server, messages, key="s"):
    """Appends so many messages of 100 bytes."""
    return benchmark(server, ["XADD", key, "*", "f", VALUE], messages, pipeline=64)


def drive(driver, server, mode, **options):
    """Our own driver, for what redis-benchmark cannot do; its report is one line of JSON."""
    words = [driver, mode, "--port", str(server.port)]
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    before = server.cpu_seconds()
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError("%s %s: %s" % (driver, mode, done.stderr[-400:]))
    figures = json.loads(done.stdout)
    figures["cpu_us"] = (server.cpu_seconds() - before) * 1e6 / max(1, figures["operations"])
    return figures


def flush(server):
    talk = server.talk()
    talk.ask("FLUSHALL")
    talk.close()


def xadd_pipelined(server, scale):
    flush(server)
    return benchmark(server, ["XADD", "s", "*", "f", VALUE], int(1_000_000 * scale), pipeline=64)


def xadd_plain(server, scale):
    flush(server)
    return benchmark(server, ["XADD", "s", "*", "f", VALUE], int(200_000 * scale))


def xadd_alone(server, scale):
    flush(server)
    return benchmark(server, ["XADD", "s", "*", "f", VALUE], int(20_000 * scale), clients=1)


def xrange(server, scale):
    flush(server)
    fill(server, 20_000)
    return benchmark(server, ["XRANGE", "s", "-", "+", "COUNT", 100], int(50_000 * scale), pipeline=4)


def xreadgroup(server, scale):
    flush(server)
    requests = int(10_000 * scale)
    fill(server, (requests + 1000) * 100)
    talk = server.talk()
    talk.ask("XGROUP", "CREATE", "s", "g", "0")
    talk.close()
    return benchmark(server, ["XREADGROUP", "GROUP", "g", "c", "COUNT", 100, "STREAMS", "s", ">"], requests)


def buy(server, scale):
    """One purchase: the Lua script there, SECKILL.BUY here. All succeed, but for users that the dice name twice."""
    flush(server)
    requests = int(500_000 * scale)
    talk = server.talk()
    if server.name == "redis":
        talk.ask("SET", "stock", 100_000_000)
        sha = talk.ask("SCRIPT", "LOAD", LUA).decode()
        words = ["EVALSHA", sha, 3, "stock", "buyers", "orders", "user:__rand_int__"]
    else:
        talk.ask("SECKILL.CREATE", "item", "STOCK", 100_000_000, "STREAM", "orders")
        words = ["SECKILL.BUY", "item", "user:__rand_int__"]
    talk.close()
    return benchmark(server, words, requests, pipeline=64, random=1_000_000_000)
