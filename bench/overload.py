#!/usr/bin/env python3
"""What the bundled server still gives when it is asked for more than it can do.

Its rate limits are off; what is left is admission. First the knee: the most good
turns a second that closed loops of growing size get. Then 0.5x to 4x of it, with
users who wait for their answers (closed) and with customers who come regardless
(open), 18 s each, and 15 s of half the knee after it. Generator, server, mock LLM
and Redis share the machine.

With --apart the generator has one processor and the others have the second: what it
takes then, for connections above all, is not taken from the server.

With --connections shared all customers come over 4,096 kept connections, as behind a
gateway; else each conversation has its own, as from a browser.

usage: bench/overload.py [--redis embedded|real] [--factors 0.5,1,2] [--models closed,open] [--connections shared] [--apart]
Needs: bin/cstest (make build), and redis-server for --redis real.
Exit status 1 when a point has under 80 % of the knee's goodput, is not back within
10 s, or broke a guarantee.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SETTLE = 8    # seconds of a stage that are its beginning
BEYOND = 18
AFTER = 15
TURNS = 2     # of a conversation
SCENARIO = """version: 1
name: overload-%(model)s
seed: 20261111
target:
  bundled: {profile: hardened, redis: "%(redis)s", knobs: {limit.global: 0/s, limit.user: 0/s}}
  timeout: 5s
%(connections)sllm: {latency: {median: 110ms, p99: 190ms}}
load:
  think: 0s
  stages:
%(stages)s
  drain: 10s
conversations:
  - name: dialog
    turns: [{say: 大促期间几天能发货到成都？}, {say: 那发到拉萨呢？}]
checks: {memory: on}
sla: {latency: {p99: 5s}}
"""


def redis_server(directory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--dir", directory], stdout=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, "redis://127.0.0.1:%d/0" % port
        except OSError:
            if server.poll() is not None:
                sys.exit("redis-server did not start")
            time.sleep(0.05)


SHARED = "  connections: shared\n  pool: 4096\n"
connections = ""
apart = False


def threads(pid):
    try:
        return os.listdir("/proc/%d/task" % pid)
    except OSError:
        return []  # it ended


def children(pid):
    found = []
    for thread in threads(pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, thread)) as f:
                found += [int(child) for child in f.read().split()]
        except OSError:
            continue  # it ended
    return found


def pin(pid, processor):
    for thread in threads(pid):
        try:
            os.sched_setaffinity(int(thread), {processor})
        except OSError:
            continue  # it ended


def keep_apart(generator, ended):
    """The generator on the first processor, what it starts on the second, until ended."""
    def keep():
        while not ended.wait(0.2):
            pin(generator, 0)
            for child in children(generator):
                pin(child, 1)
    threading.Thread(target=keep).start()


def run(model, redis, stages):
    directory = tempfile.mkdtemp(prefix="cstest-overload-")
    lines = ["    - {name: %s, for: %ds, %s}" % (name, seconds, load) for name, seconds, load in stages]
    path = os.path.join(directory, "scenario.yaml")
    with open(path, "w") as f:
        f.write(SCENARIO % dict(model=model, redis=redis, connections=connections, stages="\n".join(lines)))
    out = os.path.join(directory, "out")
    process = subprocess.Popen([os.path.join(ROOT, "bin", "cstest"), "run", path, "--no-tui", "--quiet", "--results-dir", out],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ended = threading.Event()
    if apart:
        keep_apart(process.pid, ended)
    said = process.communicate()[0]
    ended.set()
    try:
        with open(os.path.join(out, "result.json")) as f:
            return json.load(f)
    except OSError:
        sys.exit(said)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def load(model, size):
    return "users: %d" % size if model == "closed" else "starts: %d/s" % max(1, round(size / TURNS))


def seconds(result, stage):
    return [s for s in result["series"] if s["stage"] == stage]


def knee(redis):
    best = (0, 0)
    for users in (200, 400, 600, 800, 900, 1000, 1200):
        rate = statistics.mean(s["ok"] for s in seconds(run("closed", redis, [("all", 14, load("closed", users))]), "all")[SETTLE:])
        print("%d users: %.0f good turns/s" % (users, rate), file=sys.stderr)
        if rate < best[1] * 0.9:
            break
        if rate > best[1]:
            best = (users, rate)
    return best


def back_after(after, usual):
    """Seconds until three in a row had 95 % of what is usual and nothing bad; None if never."""
    fine = [s["ok"] >= 0.95 * usual and s["bad"] == 0 for s in after]
    return next((i for i in range(len(fine) - 2) if all(fine[i:i + 3])), None)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--redis", choices=("embedded", "real"), default="real")
    args.add_argument("--factors", default="0.5,1,1.5,2,4")
    args.add_argument("--models", default="closed,open")
    args.add_argument("--connections", choices=("own", "shared"), default="own")
    args.add_argument("--apart", action="store_true")
    o = args.parse_args()
    global connections, apart
    apart = o.apart
    connections = SHARED if o.connections == "shared" else ""
    directory = tempfile.mkdtemp(prefix="cstest-overload-")
    server, redis = redis_server(directory) if o.redis == "real" else (None, "embedded")
    if apart and server:
        pin(server.pid, 1)
    failed = False
    try:
        users, rate = knee(redis)
        print("knee: %.0f good turns/s at %d users (%s Redis)\n" % (rate, users, o.redis))
        print("| load | asked for | good turns/s | of the knee | degraded | shed | P99 of answers | back after | integrity, context | verdict |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for model in o.models.split(","):
            whole = users if model == "closed" else rate
            for factor in o.factors.split(","):
                size = float(factor) * whole
                r = run(model, redis, [("beyond", BEYOND, load(model, size)), ("after", AFTER, load(model, whole / 2))])
                beyond, after = seconds(r, "beyond")[SETTLE:], seconds(r, "after")
                got = statistics.mean(s["ok"] for s in beyond)
                turns = sum(s["turns"] for s in beyond) or 1
                usual = statistics.median(s["ok"] for s in after[-5:])
                back = back_after(after, usual)
                broken = r["counts"]["integrity"] + r["counts"]["context_lost"]
                slowest = max((s["p99_ns"] or 0) for s in beyond) / 1e6
                p99 = "%.0f ms" % slowest if slowest else "n/a"
                least = 0.8 * rate * min(1, float(factor))
                failed = failed or got < least or back is None or back > 10 or broken > 0
                print("| %s %sx | %s | %.0f | %.0f %% | %.1f %% | %.1f %% | %s | %s | %d, %d | %s |" % (
                    model, factor, load(model, size).replace("starts: ", "").replace("users: ", "users "), got, 100 * got / rate,
                    100 * sum(s["degraded"] for s in beyond) / turns, 100 * sum(s["bad"] for s in beyond) / turns, p99,
                    "never" if back is None else "%d s" % back, r["counts"]["integrity"], r["counts"]["context_lost"], r["verdict"]), flush=True)
    finally:
        if server:
            server.kill()
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
