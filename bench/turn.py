#!/usr/bin/env python3
"""What a turn of the bundled server costs, and how many a second there are room for.

Users who ask without a pause, dialogs of two turns, a connection for each user, the
model at 110 ms (P99 190 ms); generator, server, mock LLM and Redis share the machine.
A row for each number of users: good turns a second and P99 behind the first 10 s, CPU
of each process by turn over the whole run.

usage: bench/turn.py [--redis embedded|real] [--users 900,1100] [--seconds 25] [--canaries off]
Needs: bin/cstest (make build), and redis-server for --redis real.
"""
import argparse
import os
import shutil
import statistics
import tempfile

import overload

BEGINNING = 10


def used(pid):
    """CPU time of a process, in µs."""
    with open("/proc/%d/stat" % pid) as f:
        user, system = f.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) * 1e6 / os.sysconf("SC_CLK_TCK")


def row(kind, users, seconds):
    directory = tempfile.mkdtemp(prefix="cstest-turn-")
    server, redis = overload.redis_server(directory) if kind == "real" else (None, "embedded")
    try:
        before = used(server.pid) if server else 0
        r = overload.run("closed", redis, [("all", seconds, overload.load("closed", users))])
        after = used(server.pid) if server else 0
    finally:
        if server:
            server.kill()
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    turns = r["counts"]["turns"]
    at = overload.seconds(r, "all")[BEGINNING:]
    p99 = [s["p99_ns"] / 1e6 for s in at if s["p99_ns"]]
    cost = ["%s %.0f" % (p["name"], 1e6 * p["cpu_s"] / turns) for p in r["processes"]] + ["redis %.0f" % ((after - before) / turns)] * bool(server)
    calls = sum(s["llm_calls"] for s in at) / sum(s["turns"] for s in at)
    print("| %d | %.0f | %.0f, %.0f ms | %s | %.2f | %.1f |" % (
        users, statistics.mean(s["ok"] for s in at), statistics.median(p99), max(p99), ", ".join(cost), calls, statistics.mean(s["bad"] for s in at)), flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--redis", choices=("embedded", "real"), default="real")
    args.add_argument("--users", default="900,1100")
    args.add_argument("--seconds", type=int, default=25)
    args.add_argument("--canaries", choices=("on", "off"), default="on")
    o = args.parse_args()
    overload.SCENARIO = overload.SCENARIO.replace("memory: on", "memory: " + o.canaries)
    print("| users | good turns/s | P99 of a second: usual, worst | µs of CPU a turn | calls a turn | bad a second |\n|---|---|---|---|---|---|")
    for users in o.users.split(","):
        row(o.redis, int(users), o.seconds)


if __name__ == "__main__":
    main()
