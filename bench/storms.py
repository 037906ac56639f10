#!/usr/bin/env python3
"""What users get while the model, or Redis, is ill, one kind of illness after the other.

The bundled server at its defaults, 150 turns/s of coupons, returns, deliveries, a
complaint and a changed order, the model at 110 ms (P99 190 ms), a real Redis of its
own for each run. The first 30 s are well, then comes the illness for 60 s, then 60 s
for coming back; "90 % 503" runs as the specification has it: 5 min, ill from 60 s to
120 s, with the profile article-3 beside it.

"Back after" is from the illness's end until five seconds in a row had at least 95 %
of what the model answers on a good day, in the seconds before.

usage: bench/storms.py [--only model|redis|NAME,NAME] [--jobs 3]
Needs: bin/cstest (make build), redis-server, redis-cli.
"Told of a loss" are turns whose answer says that the dialog's earlier turns are gone
or cannot be had. Exit status 1 when a guarantee broke, more than 5 % got no answer, or
not everybody was back 30 s after the model was well, 5 s after Redis was.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEFORE, ILL, AFTER = 30, 60, 60
LONG = (60, 60, 180)

MODEL = {
    "90 % 503": "{name: ill, at: %(at)ds, for: %(for)ds, kind: status, status: 503, share: 90%%}",
    "20 % 503": "{name: ill, at: %(at)ds, for: %(for)ds, kind: status, status: 503, share: 20%%}",
    "hangs": "{name: ill, at: %(at)ds, for: %(for)ds, kind: hang}",
    "drips": "{name: ill, at: %(at)ds, for: %(for)ds, kind: drip}",
    "flaps, 5 s of 10": "{name: ill, at: %(at)ds, for: %(for)ds, kind: status, status: 503, flap: {on: 5s, off: 5s}}",
    "three times as slow": "{name: ill, at: %(at)ds, for: %(for)ds, kind: slow, factor: 3}",
}

SCENARIO = """version: 1
name: storm
seed: 20261111
target:
  bundled: {profile: %(profile)s, redis: "%(redis)s"}
  timeout: 3s
llm:
  latency: {median: 110ms, p99: 190ms}
%(faults)s
load:
  think: {median: 600ms, p95: 2s}
  stages: [{name: all, for: %(length)ds, starts: 50/s}]
  drain: 15s
conversations:
  - {name: coupon, weight: 3, turns: [{say: 我有一张满减优惠券，怎么用？}, {say: 退货要什么条件？}, {say: 那优惠券还能用吗？}]}
  - {name: delivery, weight: 3, turns: [{say: 大促期间几天能发货？}, {say: 发到拉萨要几天？}, {say: 运费怎么算？}]}
  - {name: other, weight: 2, turns: [{say: 这件羊毛衫和牛仔裤搭配好看吗？}, {say: 送妈妈合适吗？}, {say: 有礼盒装吗？}]}
  - {name: change, weight: 1, turns: [{say: 我的订单到哪了？}, {say: 帮我把收货地址改成公司}, {say: 谢谢}]}
  - {name: complaint, weight: 1, turns: [{say: 收到的杯子是碎的}, {say: 我要投诉你们}, {say: 多久有人联系我？}]}
checks: {memory: on}
sla: {latency: {p99: 5s}}
"""


class Redis:
    """A redis-server of its own."""

    def __init__(self, directory, keeps):
        self.directory, self.keeps = directory, keeps
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--dir", self.directory,
             "--appendonly", "yes" if self.keeps else "no", "--appendfsync", "everysec"], stdout=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("redis-server did not start")
                time.sleep(0.02)

    def say(self, *command):
        subprocess.run(["redis-cli", "-p", str(self.port)] + list(command), stdout=subprocess.DEVNULL, check=False)

    def holds_something(self):
        return b"keys=" in subprocess.run(["redis-cli", "-p", str(self.port), "INFO", "keyspace"], stdout=subprocess.PIPE, check=False).stdout

    def kill(self):
        self.process.kill()
        self.process.wait()

    def away(self, seconds):
        self.kill()
        time.sleep(seconds)
        self.start()

    def stopped(self, times, seconds, pause):
        for _ in range(times):
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            self.process.send_signal(signal.SIGCONT)
            time.sleep(pause)

    def slow(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:  # 20 ms of every 40 it does nothing
            self.say("DEBUG", "SLEEP", "0.02")
            time.sleep(0.02)

    def settings(self, seconds, ill, well):
        self.say(*ill)
        time.sleep(seconds)
        self.say(*well)


# What is done to Redis, and whether it keeps what it had; the illness lasts as long as the call.
REDIS = {
    "restarts in 2 s, keeps its data": (True, lambda r: r.away(2)),
    "restarts in 2 s, empty": (False, lambda r: r.away(2)),
    "away for 20 s, empty": (False, lambda r: r.away(20)),
    "stopped for 0.4 s, five times": (False, lambda r: r.stopped(5, 0.4, 2)),
    "stopped for 10 s": (False, lambda r: r.stopped(1, 10, 0)),
    "slow, for 20 s": (False, lambda r: r.slow(20)),
    "loses everything at once": (False, lambda r: r.say("FLUSHALL")),
    "out of memory for 20 s": (False, lambda r: r.settings(20, ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"))),
    "read-only for 20 s": (False, lambda r: r.settings(20, ("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"))),
}


def run(profile, redis, faults, length, began=lambda t: None):
    directory = tempfile.mkdtemp(prefix="cstest-storms-")
    path, out = os.path.join(directory, "storm.yaml"), os.path.join(directory, "out")
    with open(path, "w") as f:
        f.write(SCENARIO % dict(profile=profile, redis="redis://127.0.0.1:%d/0" % redis.port, faults=faults, length=length))
    process = subprocess.Popen([os.path.join(ROOT, "bin", "cstest"), "run", path, "--no-tui", "--quiet", "--results-dir", out],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    began(process)
    said = process.communicate()
    try:
        with open(os.path.join(out, "result.json")) as f:
            return json.load(f)
    except OSError:
        sys.exit("".join(said))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def report(name, result, begin, end, within):
    """A row: what became of the turns of the illness, and how long it was felt."""
    series = result["series"]
    ill = [s for s in series if begin <= s["t_s"] < end]
    share = lambda s: s["tiers"]["llm"] / s["turns"] if s["turns"] else 1
    usual = statistics.mean(share(s) for s in series if 5 <= s["t_s"] < begin)
    well = [share(s) >= 0.95 * usual for s in series if end <= s["t_s"] < series[-1]["t_s"] - 15]
    back = next((i for i in range(len(well) - 4) if all(well[i:i + 5])), None)
    turns = sum(s["turns"] for s in ill) or 1
    cell = lambda key: "%.1f %%" % (100 * sum(s["tiers"][key] for s in ill) / turns)
    p95 = [s["p95_ns"] / 1e6 for s in ill if s["p95_ns"]]
    c = result["counts"]
    print("| %s | %d | %s | %s | %s | %s | %s | %s | %s | %.2f | %s | %d | %d |" % (
        name, turns, cell("llm"), cell("faq"), cell("handoff"), cell("static"), cell("wrong"), cell("nobody"),
        "%.0f, %.0f ms" % (statistics.median(p95), max(p95)) if p95 else "n/a",
        sum(s["llm_calls"] for s in ill) / turns, "never" if back is None else "%d s" % back, c["context_lost"], c["integrity"]), flush=True)
    answered = sum(s["tiers"]["nobody"] for s in ill) <= 0.05 * turns
    return c["integrity"] == 0 and answered and (within is None or back is not None and back <= within)


def model(name, profile="hardened"):
    before, ill, after = LONG if name == "90 % 503" else (BEFORE, ILL, AFTER)
    directory = tempfile.mkdtemp(prefix="cstest-storms-")
    redis = Redis(directory, False)
    try:
        r = run(profile, redis, "  faults: [%s]" % (MODEL[name] % {"at": before, "for": ill}), before + ill + after)
    finally:
        redis.kill()
        shutil.rmtree(directory, ignore_errors=True)
    return (name if profile == "hardened" else name + ", " + profile), r, before, before + ill, 30 if profile == "hardened" else None


def redis_ill(name):
    keeps, make = REDIS[name]
    directory = tempfile.mkdtemp(prefix="cstest-storms-")
    redis = Redis(directory, keeps)
    times = []

    def began(process):
        def later():
            while process.poll() is None and not redis.holds_something():
                time.sleep(0.05)  # the load begins a moment after the process
            first = time.monotonic()
            time.sleep(BEFORE)
            start = time.monotonic()
            make(redis)
            times.extend((start - first, time.monotonic() - first))
        threading.Thread(target=later).start()

    try:
        r = run("hardened", redis, "", BEFORE + ILL + 20, began)
    finally:
        redis.kill()
        shutil.rmtree(directory, ignore_errors=True)
    begin, end = int(times[0]), int(times[1]) + 1
    return name, r, begin, end, 5


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--only", default="model,redis")
    args.add_argument("--jobs", type=int, default=3)
    o = args.parse_args()
    wanted = lambda kind, name: kind in o.only.split(",") or name in o.only.split(",")
    tasks = [lambda n=n: model(n) for n in MODEL if wanted("model", n)]
    if wanted("model", "90 % 503"):
        tasks.insert(0, lambda: model("90 % 503", "article-3"))
    tasks += [lambda n=n: redis_ill(n) for n in REDIS if wanted("redis", n)]
    fine = True
    print("| illness | turns in it | model | FAQ | person | fixed text | told of a loss | no answer | P95 of a second: usual, worst | calls a turn | back after | context lost | integrity |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for done in [pool.submit(t) for t in tasks]:
            fine = report(*done.result()) and fine
    sys.exit(not fine)


if __name__ == "__main__":
    main()
