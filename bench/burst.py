#!/usr/bin/env python3
"""The seed's burst: 100,000 conversations within 5 s over h2c, and 100,000
HTTP/1.1 connections open at once, on this machine, against nginx.

usage: bench/burst.py h2c | http1 | held
  h2c    100,000 one-turn conversations in 5 s over 1,000 connections, against nginx
  http1  100,000 two-turn conversations, one connection each, opened at 10,000/s and
         open at once, over --processes auto, against nginx with 8 workers
  held   140,000 turns at 7,000/s, each answer held for 20 s by the mock LLM, over h2c
Prints starts, drops, connections, lag P99 and memory from result.json.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402

BASE = """version: 1
name: burst-%(kind)s
target:
  url: %(url)s
  api: custom
  request: {method: POST, path: /v1/chat/completions, body: %(body)s}
  response: {%(response)s}
  http: "%(http)s"
  connections: %(connections)s
  timeout: 60s
load:
  arrivals: constant
  stages: [{name: burst, for: %(length)s, starts: %(starts)s}]
  drain: 60s
  max_in_flight: 200k
conversations:
  - name: hello
    turns: [%(turns)s]
checks: {memory: off}
sla: {availability: 99%%, latency: {p99: 60s}}
%(more)s"""

CHAT = '{model: mock, messages: [{role: user, content: "${turn.text}"}]}'
KINDS = {
    "h2c": dict(http="h2c", connections="shared, pool: 1000", length="5s", starts="20k/s", turns="{say: 优惠券还能用吗}",
                response="answer: answer", listen="http2 reuseport", workers=2, more=""),
    "http1": dict(http="1.1", connections="per-user", length="10s", starts="10k/s",
                  turns="{say: 优惠券怎么用}, {say: 优惠券还能用吗, think: 15s}",
                  response="answer: answer", listen="reuseport", workers=8, more=""),
    "held": dict(http="h2c", connections="shared, pool: 1000", length="20s", starts="7k/s", turns="{say: 优惠券还能用吗}",
                 response='answer: "choices.0.message.content"', more=""),
}


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "h2c"
    if kind not in KINDS:
        sys.exit(__doc__)
    k = dict(KINDS[kind])
    directory = tempfile.mkdtemp(prefix="cstest-burst-")
    port = 18090
    binary = os.path.join(peers.ROOT, "bin", "cstest")
    if kind == "held":
        config = os.path.join(directory, "mock.yaml")
        with open(config, "w") as f:
            f.write("latency: {constant: 20s}\n")
        server = subprocess.Popen([binary, "serve", "mockllm", "--config", config, "--listen", "127.0.0.1:%d" % port, "--admin", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE)
        server.stdout.readline()
        k["url"], k["body"] = "http://127.0.0.1:%d" % port, CHAT
    else:
        server = peers.start_nginx(directory, port, workers=k.pop("workers"), listen=k.pop("listen"), core="0,1")
        k["url"], k["body"] = "http://127.0.0.1:%d" % port, '{text: "${turn.text}"}'
    k["kind"] = kind
    if ", pool: " in k["connections"]:
        k["connections"], pool = k["connections"].split(", pool: ")
        k["connections"] += "\n  pool: " + pool
    scenario = os.path.join(directory, "burst.yaml")
    with open(scenario, "w") as f:
        f.write(BASE % k)
    out = os.path.join(directory, "result")
    try:
        done = subprocess.run([binary, "run", scenario, "--no-tui", "--quiet", "--processes", "auto", "--results-dir", out])
        with open(os.path.join(out, "result.json")) as f:
            d = json.load(f)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    c, g = d["counts"], d["generator"]
    print("%s: exit %d, verdict %s" % (kind, done.returncode, d["verdict"]))
    print("planned %d, started %d, turns %d, ok %d, dropped by the generator %d, by the target %d"
          % (c["conversations_planned"], c["conversations"], c["turns"], c["ok"], c["dropped_generator"], c["dropped_target"]))
    lag = g["lag_p99_ns"] or 0
    print("lag P99 by second, ms: " + " ".join("%.0f" % ((s["lag_p99_ns"] or 0) / 1e6) for s in d["series"][:45]))
    print("lag P99 %.2f ms, most in flight %d, new connections during the load %d" % (lag / 1e6, g["max_in_flight"], (d.get("connect") or {}).get("n", 0)))
    for p in d["processes"]:
        print("process %-18s cpu %.1f s, max rss %.0f MiB" % (p["name"], p["cpu_s"], p["max_rss_bytes"] / 2**20))
    for e in d["errors"][:5]:
        print("error %d %s %s" % (e["count"], e["outcome"], e["message"]))


if __name__ == "__main__":
    main()
