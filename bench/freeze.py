#!/usr/bin/env python3
"""The freeze oracle against nginx: stopped for S seconds in a run of T seconds at a
constant rate, P99 of response time must be S - 0.01 T, within 3 %.

usage: bench/freeze.py [S] [T] [RATE]     default 2 s, 60 s, 1000 starts/s
A tool that measures from when it sends, or waits with sending while the server
stands still, reports next to nothing.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402

SCENARIO = """version: 1
name: freeze
target:
  url: %(url)s
  api: custom
  request: {method: POST, path: /chat, body: {text: "${turn.text}"}}
  response: {answer: answer}
  connections: shared
  pool: %(pool)d
  timeout: 30s
load:
  arrivals: constant
  stages: [{name: steady, for: %(total)ds, starts: %(rate)d/s}]
  drain: 30s
  max_in_flight: 100k
conversations:
  - {name: hello, turns: [{say: 优惠券还能用吗}]}
checks: {memory: off}
sla: {availability: 99%%, latency: {p99: 30s}}
"""


def main():
    stop, total, rate = (float(sys.argv[i + 1]) if len(sys.argv) > i + 1 else v for i, v in enumerate((2, 60, 1000)))
    directory = tempfile.mkdtemp(prefix="cstest-freeze-")
    port = 18070
    server = peers.start_nginx(directory, port, workers=2, listen="reuseport", core="0,1")
    out = os.path.join(directory, "result")
    try:
        with open(os.path.join(directory, "freeze.yaml"), "w") as f:
            f.write(SCENARIO % dict(url="http://127.0.0.1:%d" % port, pool=int(stop * rate * 1.5), total=total, rate=rate))
        run = subprocess.Popen([os.path.join(peers.ROOT, "bin", "cstest"), "run", f.name, "--no-tui", "--quiet", "--results-dir", out])
        time.sleep(total / 2)
        with open("/proc/%d/task/%d/children" % (server.pid, server.pid)) as f:
            workers = [int(p) for p in f.read().split()]
        frozen = time.monotonic()
        for p in workers:
            os.kill(p, signal.SIGSTOP)
        time.sleep(stop)
        for p in workers:
            os.kill(p, signal.SIGCONT)
        frozen = time.monotonic() - frozen
        run.wait()
        with open(os.path.join(out, "result.json")) as f:
            d = json.load(f)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    want = frozen - 0.01 * total
    got = d["latency"]["response"]["p99_ns"] / 1e9
    print("%d of %d turns ok; stopped for %.3f s of %.0f s" % (d["counts"]["ok"], d["counts"]["turns"], frozen, total))
    print("P99 of response time %.3f s, must be %.3f s: off by %+.1f %% (3 %% allowed)" % (got, want, (got / want - 1) * 100))


if __name__ == "__main__":
    main()
