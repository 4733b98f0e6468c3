"""redis-py against the built server. SLUICE_PORT names the server's port; SLUICE_RESP=3 asks for RESP3 where the
installed redis-py knows it (5.0 and later). SLUICE_TLS_PORT is its port for TLS, with a certificate by SLUICE_CA."""
import os
import threading
import time

import redis

PORT = int(os.environ["SLUICE_PORT"])
EXTRA = {"protocol": int(os.environ["SLUICE_RESP"])} if "SLUICE_RESP" in os.environ else {}
PASSWORD = "open sesame"

called = set()


class Client(redis.Redis):
    """Remembers which stream methods were called."""

    def __getattribute__(self, name):
        if name.startswith("x"):
            called.add(name)
        return super().__getattribute__(name)


def connect(**options):
    return Client(port=PORT, decode_responses=True, socket_timeout=10, **EXTRA, **options)


def check(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def refuses(error, part, call, *args, **options):
    try:
        got = call(*args, **options)
    except error as e:
        assert part in str(e), f"{part!r} is not in {str(e)!r}"
    else:
        raise AssertionError(f"answered {got!r} instead of {part!r}")


def eventually(what, test):
    deadline = time.monotonic() + 10
    while not test():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def reading(reply):
    """A reading's streams, as RESP2 lists them and as RESP3 maps them."""
    return {k: v[0] if EXTRA.get("protocol") == 3 else v for k, v in (reply.items() if isinstance(reply, dict) else reply)}


def restarted(r, stop):
    """Has `stop` end the server, and waits for the one that is started in its place."""
    before = r.info("server")["run_id"]
    stop()

    def again():
        try:
            return connect().info("server")["run_id"] != before
        except redis.exceptions.ConnectionError:
            return False

    eventually("the server does not come back", again)


def streams():
    r = connect()
    check(r.xadd("s", {"f": "one"}, id="1-1"), "1-1")
    check(r.xadd("s", {"f": "two", "g": "2"}, id="2-1"), "2-1")
    check(r.xadd("s", {"f": "three"}, id="3-*" if redis.VERSION >= (5,) else "3-0", maxlen=10, approximate=False), "3-0")
    check(r.xadd("nobody", {"f": "v"}, nomkstream=True), None)
    refuses(redis.ResponseError, "equal or smaller", r.xadd, "s", {"f": "v"}, id="1-1")
    check(r.xlen("s"), 3)
    check(r.xrange("s"), [("1-1", {"f": "one"}), ("2-1", {"f": "two", "g": "2"}), ("3-0", {"f": "three"})])
    check(r.xrange("s", min="(1-1", max="2"), [("2-1", {"f": "two", "g": "2"})])
    check(r.xrevrange("s", count=1), [("3-0", {"f": "three"})])
    check(r.xdel("s", "1-1", "9-9"), 1)
    check(r.xtrim("s", maxlen=1, approximate=False), 1)
    check(r.xtrim("s", minid="3", approximate=False), 0)
    check(r.xrange("s"), [("3-0", {"f": "three"})])
    check(reading(r.xread({"s": "0"})), {"s": [("3-0", {"f": "three"})]})
    check(r.xread({"s": "$"}) or [], [])
    if hasattr(redis.Redis, "xdelex"):
        r.xadd("x", {"f": "1"}, id="1-1")
        check(r.xdelex("x", "1-1", "2-2", ref_policy="KEEPREF"), [1, -1])
    binary = redis.Redis(port=PORT, **EXTRA)
    binary.xadd(b"bin\x00\r\n", {b"\xff\x00": b"\r\n$1\r\n"}, id="1-1")
    check(binary.xrange(b"bin\x00\r\n"), [(b"1-1", {b"\xff\x00": b"\r\n$1\r\n"})])
    info = r.xinfo_stream("s")
    check((info["length"], info["last-generated-id"], info["first-entry"]), (1, "3-0", ("3-0", {"f": "three"})))
    check(r.xinfo_stream("s", full=True)["entries"], {"3-0": {"f": "three"}})


def groups():
    r = connect()
    for i in range(1, 6):
        r.xadd("jobs", {"n": i}, id=f"{i}-0")
    check(r.xgroup_create("jobs", "g", id="0"), True)
    check(r.xgroup_create("new", "g", mkstream=True), True)
    refuses(redis.ResponseError, "BUSYGROUP", r.xgroup_create, "jobs", "g")
    refuses(redis.ResponseError, "NOGROUP", r.xreadgroup, "nogroup", "c", {"jobs": ">"})
    check(r.xgroup_createconsumer("jobs", "g", "idler"), 1)
    check(reading(r.xreadgroup("g", "ann", {"jobs": ">"}, count=2)), {"jobs": [("1-0", {"n": "1"}), ("2-0", {"n": "2"})]})
    check(reading(r.xreadgroup("g", "bob", {"jobs": ">"}, count=1)), {"jobs": [("3-0", {"n": "3"})]})
    check(reading(r.xreadgroup("g", "cid", {"jobs": ">"}, count=1, noack=True)), {"jobs": [("4-0", {"n": "4"})]})
    check(r.xpending("jobs", "g"), {"pending": 3, "min": "1-0", "max": "3-0",
                                    "consumers": [{"name": "ann", "pending": 2}, {"name": "bob", "pending": 1}]})
    pending = r.xpending_range("jobs", "g", "-", "+", 10, consumername="ann")
    check([(p["message_id"], p["consumer"], p["times_delivered"]) for p in pending], [("1-0", "ann", 1), ("2-0", "ann", 1)])
    check(r.xpending_range("jobs", "g", "-", "+", 10, idle=10**6), [])
    check(r.xclaim("jobs", "g", "bob", 0, ["1-0"]), [("1-0", {"n": "1"})])
    check(r.xclaim("jobs", "g", "bob", 0, ["2-0"], justid=True, retrycount=7, idle=1000), ["2-0"])
    claimed = r.xautoclaim("jobs", "g", "ann", 0, count=1)
    check(list(claimed), ["2-0", [("1-0", {"n": "1"})], []])
    r.xdel("jobs", "2-0")
    check(list(r.xautoclaim("jobs", "g", "ann", 0))[2], ["2-0"])
    check(r.xautoclaim("jobs", "g", "ann", 0, justid=True), ["1-0", "3-0"])
    check(reading(r.xreadgroup("g", "ann", {"jobs": "0"})), {"jobs": [("1-0", {"n": "1"}), ("3-0", {"n": "3"})]})
    check(r.xack("jobs", "g", "1-0", "3-0", "99-0"), 2)
    consumers = {c["name"]: c["pending"] for c in r.xinfo_consumers("jobs", "g")}
    check(consumers, {"idler": 0, "ann": 0, "bob": 0, "cid": 0})
    group = r.xinfo_groups("jobs")[0]
    check((group["name"], group["pending"], group["last-delivered-id"], group["lag"]), ("g", 0, "4-0", 1))
    check(r.xgroup_setid("jobs", "g", "0"), True)
    check(r.xinfo_groups("jobs")[0]["lag"], 4)
    r.xreadgroup("g", "bob", {"jobs": ">"})
    check(r.xgroup_delconsumer("jobs", "g", "bob"), 4)
    check(r.xgroup_destroy("jobs", "g"), 1)
    check(r.xgroup_destroy("jobs", "g"), 0)
    if hasattr(redis.Redis, "xackdel"):
        r.xgroup_create("jobs", "g", id="0")
        r.xreadgroup("g", "ann", {"jobs": ">"}, count=1)
        check(r.xackdel("jobs", "g", "1-0", ref_policy="DELREF"), [1])


def blocking():
    r = connect()
    start = time.monotonic()
    check(r.xread({"empty": "$"}, block=60) or [], [])
    assert 0.05 < time.monotonic() - start < 5, "the time-out is not kept"
    r.xgroup_create("work", "g", mkstream=True)
    served = []

    def worker(name):
        own = connect()
        while True:
            reply = reading(own.xreadgroup("g", name, {"work": ">"}, count=1, block=10_000) or {})
            for _, fields in reply.get("work", []):
                if fields["job"] == "stop":
                    return
                served.append(fields["job"])

    threads = [threading.Thread(target=worker, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    eventually("the workers do not wait", lambda: r.info("clients")["blocked_clients"] == 4)
    for i in range(100):
        r.xadd("work", {"job": i})
    eventually("not every job is done", lambda: len(served) == 100)
    for _ in threads:
        r.xadd("work", {"job": "stop"})
    for thread in threads:
        thread.join(10)
    check(sorted(map(int, served)), list(range(100)))  # each once


def transactions_and_pipelines():
    r = connect()
    with r.pipeline(transaction=False) as p:
        for i in range(1000):
            p.xadd("pipelined", {"i": i}, id=f"{i + 1}-0")
        check(p.execute(), [f"{i + 1}-0" for i in range(1000)])
    with r.pipeline() as p:
        check(p.set("k", "v").xadd("tx", {"f": "v"}, id="1-1").get("k").execute(), [True, "1-1", "v"])
    with r.pipeline() as p:
        p.watch("k")
        r.set("k", "changed")
        p.multi()
        p.set("k", "lost")
        refuses(redis.WatchError, "", p.execute)
    check(r.get("k"), "changed")
    with r.pipeline() as p:
        p.set("k", "v").lpush("k", "no such command here")
        refuses(redis.ResponseError, "", p.execute)
    check(r.get("k"), "changed")
    check(r.transaction(lambda p: p.multi() or p.incr("counter"), "counter"), [1])


def scripts_are_refused():
    r = connect()
    for call in (lambda: r.eval("return 1", 0), lambda: r.evalsha("0" * 40, 0), lambda: r.script_load("return 1"),
                 lambda: r.register_script("return 1")()):
        refuses(redis.ResponseError, "SECKILL.BUY", call)
        refuses(redis.ResponseError, "INCREX", call)


def sales():
    r = connect()
    check(r.execute_command("SECKILL.CREATE", "phone", "STOCK", 2, "STREAM", "orders"), "OK")
    check(r.execute_command("SECKILL.CREATE", "phone", "STOCK", 2), None)
    code, order, available, count, replayed = r.execute_command("SECKILL.BUY", "phone", "ann")
    check((code, available, count, replayed), (0, 1, 1, 0))
    check(r.xrange("orders")[0][0], order)
    check(r.xrange("orders")[0][1]["user"], "ann")
    check(r.execute_command("SECKILL.TRY", "phone", "ann"), 2)
    check(r.execute_command("SECKILL.TRY", "phone", "bob"), 0)
    check(r.execute_command("SECKILL.TRY", "phone", "cid"), 1)
    refuses(redis.ResponseError, "WRONGTYPE", r.get, "phone")
    check(r.execute_command("INCREX", "stock", "BYINT", -1, "LBOUND", 0), [0, 0])


def pools_and_reconnects():
    pool = redis.ConnectionPool(port=PORT, decode_responses=True, max_connections=4, **EXTRA)
    r = Client(connection_pool=pool)
    r.set("counted", 0)
    threads = [threading.Thread(target=lambda: [r.incr("counted") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    check(r.get("counted"), "200")
    # Somebody closes them all: each is opened anew at its next use.
    admin = connect()
    killed = admin.client_kill_filter(_type="normal", skipme=True)
    assert killed >= 1, "no connection was there to be closed"
    check(r.get("counted"), "200")
    # A reader whose connection is closed while it waits hears of it.
    heard = []

    def wait():
        try:
            heard.append(connect(retry_on_timeout=False).xread({"never": "$"}, block=10_000))
        except redis.exceptions.ConnectionError as e:
            heard.append(e)

    thread = threading.Thread(target=wait)
    thread.start()
    eventually("it does not wait", lambda: admin.info("clients")["blocked_clients"] == 1)
    blocked = [c for c in admin.client_list() if c["cmd"] == "xread"]
    check(admin.client_kill_filter(_id=blocked[0]["id"]), 1)
    if redis.VERSION < (6,):  # later ones try again by themselves
        thread.join(10)
        assert isinstance(heard[0], redis.exceptions.ConnectionError), heard
    else:
        admin.xadd("never", {"f": "v"})
        eventually("it does not come back", lambda: admin.xadd("never", {"f": "v"}) and heard)
    restarted(admin, lambda: connect().shutdown(nosave=True))
    check(r.get("counted"), "200")
    restarted(admin, lambda: os.kill(int(connect().info("server")["process_id"]), 9))
    check(r.get("counted"), "200")


def names_and_passwords():
    r = connect(client_name="tester", db=3)
    check(r.client_getname(), "tester")
    r.set("here", "3")
    check(connect(db=0).get("here"), None)
    check(connect(db=3).get("here"), "3")
    check(r.ping(), True)
    admin = connect()
    admin.config_set("requirepass", PASSWORD)
    try:
        refuses(redis.AuthenticationError, "", connect().ping)
        refuses(redis.exceptions.RedisError, "", connect(password="wrong").ping)
        check(connect(password=PASSWORD).ping(), True)
        check(connect(username="default", password=PASSWORD).ping(), True)
    finally:
        admin.config_set("requirepass", "")


def users():
    admin = connect()
    admin.acl_setuser("app", enabled=True, passwords="+app's", keys=["app:*"], channels=["app.*"], reset=True,
                      commands=["+@stream", "+get", "+set", "+@transaction", "+acl|whoami"])
    app = connect(username="app", password="app's")
    check(app.acl_whoami(), "app")
    check(app.xadd("app:s", {"f": "v"}, id="1-1"), "1-1")
    for forbidden in (lambda: app.xadd("other", {"f": "v"}), lambda: app.xread({"app:s": "0", "other": "0"}),
                      lambda: app.flushall(), lambda: app.config_get("port")):
        refuses(redis.exceptions.NoPermissionError, "", forbidden)
    with app.pipeline() as p:
        refuses(redis.exceptions.NoPermissionError, "", p.set("app:k", "lost").set("other", "lost").execute)
    check(app.get("app:k"), None)
    refuses(redis.exceptions.RedisError, "WRONGPASS", connect(username="app", password="wrong").ping)
    denied = [entry["object"] for entry in admin.acl_log()]
    assert {"other", "flushall", "config|get", "AUTH"} <= set(denied), denied
    check(admin.acl_log_reset(), True)
    user = admin.acl_getuser("app")
    assert "on" in user["flags"] and "+get" in user["commands"], user
    assert "app" in admin.acl_users() and "stream" in admin.acl_cat()
    # Its rights change while it is connected, and then it is gone.
    admin.acl_setuser("app", keys=["other"], commands=["-set"], enabled=True)
    check(app.xadd("other", {"f": "v"}, id="1-1"), "1-1")
    refuses(redis.exceptions.NoPermissionError, "", app.set, "app:k", "v")
    check(admin.acl_deluser("app"), 1)
    refuses(redis.exceptions.RedisError, "WRONGPASS", app.xlen, "other")


def messages_of(p, count):
    """The next messages of a subscription: kind, pattern, channel, data."""
    heard = []

    def listen():
        message = p.get_message(timeout=0.1)
        if message:
            heard.append((message["type"], message["pattern"], message["channel"], message["data"]))
        return len(heard) == count

    eventually(f"only {heard} is heard", listen)
    return heard


def pubsub():
    r = connect()
    p = r.pubsub()
    p.subscribe("news")
    p.psubscribe("n*")
    check(messages_of(p, 2), [("subscribe", None, "news", 1), ("psubscribe", None, "n*", 2)])
    check(r.publish("news", "one"), 2)
    check(sorted(messages_of(p, 2)), [("message", None, "news", "one"), ("pmessage", "n*", "news", "one")])
    check((r.pubsub_channels(), r.pubsub_numpat()), (["news"], 1))
    check(dict(r.pubsub_numsub("news", "nobody")), {"news": 1, "nobody": 0})
    # Its connection is closed: told so or not, it subscribes again by itself.
    check(r.client_kill_filter(_type="pubsub"), 1)

    def hears_again():
        try:
            message = p.get_message(timeout=0.1)
            r.publish("news", "two")
            return message is not None and message["data"] == "two"
        except redis.exceptions.ConnectionError:
            return False

    eventually("it does not come back", hears_again)
    p.unsubscribe()
    p.punsubscribe()
    eventually("it is still there", lambda: p.get_message(timeout=0.1) is None and r.publish("news", "nobody hears") == 0)
    # What happens to keys, and the end of a sale.
    r.config_set("notify-keyspace-events", "Kt$")
    watcher = r.pubsub(ignore_subscribe_messages=True)
    watcher.subscribe("__keyspace@0__:watched", "__seckill__:item")
    eventually("nobody listens", lambda: watcher.get_message(timeout=0.1) is None and
               r.pubsub_numsub("__seckill__:item")[0][1] == 1)
    r.xadd("watched", {"f": "v"})
    r.execute_command("SECKILL.CREATE", "item", "STOCK", 1)
    r.execute_command("SECKILL.BUY", "item", "ann")
    check([m[2:] for m in messages_of(watcher, 2)], [("__keyspace@0__:watched", "xadd"), ("__seckill__:item", "soldout")])
    r.config_set("notify-keyspace-events", "")
    # A thread that listens, as redis-py offers it.
    got = []
    listener = r.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(jobs=lambda message: got.append(message["data"]))
    thread = listener.run_in_thread(sleep_time=0.01, daemon=True)
    eventually("nobody listens", lambda: r.publish("jobs", "x") == 1)
    eventually("nothing is heard", lambda: got)
    thread.stop()
    thread.join(10)


def tls():
    def secure(**options):
        trusting = {"ssl": True, "ssl_ca_certs": os.environ["SLUICE_CA"], "ssl_check_hostname": True, **options}
        return Client(host="127.0.0.1", port=int(os.environ["SLUICE_TLS_PORT"]), decode_responses=True,
                      socket_timeout=10, **trusting, **EXTRA)

    r = secure()
    check(r.xadd("s", {"f": "v" * 100_000}, id="1-1"), "1-1")
    check(connect().xlen("s"), 1)
    with r.pipeline(transaction=False) as p:
        for i in range(2, 500):
            p.xadd("s", {"f": "v" * 100}, id=f"{i}-0")
        check(len(p.execute()), 498)
    check(r.xrange("s", count=1), [("1-1", {"f": "v" * 100_000})])
    check(r.xread({"s": "$"}, block=20) or [], [])
    p = r.pubsub()
    p.subscribe("news")
    messages_of(p, 1)
    check(r.publish("news", "one"), 1)
    check(messages_of(p, 1), [("message", None, "news", "one")])
    check(connect().client_kill_filter(_type="normal", skipme=True) >= 1, True)
    check(r.xlen("s"), 499)
    refuses(redis.exceptions.ConnectionError, "certificate verify failed", secure(ssl_ca_certs=os.environ["SLUICE_OTHER_CA"]).ping)


def keys():
    r = connect()
    r.mset({f"scan:{i}": i for i in range(200)})
    check(sorted(r.scan_iter("scan:*", count=7)), sorted(f"scan:{i}" for i in range(200)))
    check(r.set("ttl", "v", px=60_000, nx=True), True)
    assert 0 < r.pttl("ttl") <= 60_000
    r.xadd("jobs", {"f": "v"})
    check(r.type("jobs"), "stream")
    check(r.delete("ttl", "nobody"), 1)
    check(r.getex("scan:1", ex=10), "1")
    assert r.dbsize() >= 200
    check(r.command_count(), len(r.command()))
    check(r.config_get("appendfsync"), {"appendfsync": "always"})


for part in (streams, groups, blocking, transactions_and_pipelines, scripts_are_refused, sales, pools_and_reconnects,
             names_and_passwords, users, pubsub, tls, keys):
    connect().flushall()
    part()
    print(f"ok {part.__name__}")

missed = {m for m in dir(redis.Redis) if m.startswith("x")} - called
assert not missed, f"stream methods that no test calls: {sorted(missed)}"
print(f"redis-py {redis.__version__}: {len(called)} stream methods")
