#!/usr/bin/env python3
"""Streams: first token and chunk gap as cstest reports them, beside what the mock
LLM wrote down as it sent them.

usage: bench/streams.py [STREAMS] [SECONDS]     default 200 streams, 30 s
Each stream brings 200 chunks, one every 50 ms, and so lasts 10.4 s; they start at
the rate that keeps STREAMS of them open. One process of cstest, one of the mock
LLM, both on all cores, HTTP/1.1, one connection for each stream.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SCENARIO = """version: 1
name: streams
target: {url: %(url)s, api: openai, model: mock, mode: stream, connections: per-user, timeout: 60s}
llm:
  admin: %(admin)s
  echo_context: false
  latency: {first_token: {median: 400ms, p99: 1200ms}, per_token: 50ms}
  answers: [{match: ".", say: "%(answer)s"}]
load:
  arrivals: poisson
  stages: [{name: steady, for: %(seconds)ds, starts: %(rate)d/m}]
  drain: 30s
  max_in_flight: 20k
conversations:
  - {name: hello, turns: [{say: 优惠券还能用吗}]}
checks: {memory: off}
sla: {availability: 99%%}
"""


def main():
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    binary = os.path.join(ROOT, "bin", "cstest")
    directory = tempfile.mkdtemp(prefix="cstest-streams-")
    mock = subprocess.Popen([binary, "serve", "mockllm", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
                            stdout=subprocess.PIPE)
    try:
        ready = json.loads(mock.stdout.readline())
        scenario = os.path.join(directory, "streams.yaml")
        with open(scenario, "w") as f:
            f.write(SCENARIO % dict(url=ready["url"], admin=ready["admin"], answer="优惠" * 200, rate=streams * 60 / 10.4, seconds=seconds))
        out = os.path.join(directory, "result")
        subprocess.run([binary, "run", scenario, "--no-tui", "--quiet", "--results-dir", out] + sys.argv[3:])
        with open(os.path.join(out, "result.json")) as f:
            d = json.load(f)
        facts = json.load(urllib.request.urlopen(ready["admin"] + "/mock/facts"))
    finally:
        mock.terminate()
        mock.wait()
        shutil.rmtree(directory, ignore_errors=True)
    c, g = d["counts"], d["generator"]
    print("%s: turns %d, ok %d, most in flight %d, cpu %.1f s, max rss %.0f MiB, tainted %s s"
          % (d["verdict"], c["turns"], c["ok"], g["max_in_flight"], g["cpu_s"], g["max_rss_bytes"] / 2**20, g["tainted_s"]))
    print("| what | n here, there | P50 here, there, difference | P99 here, there, difference |\n|---|---|---|---|")
    for name in ("first_token", "chunk_gap"):
        h, t = d[name], facts[name]
        print("| %s | %d, %d | %s | %s |" % (name, h["n"], t["n"], *(
            "%.3f, %.3f, **%+.3f ms**" % (h[q] / 1e6, t[q] / 1e6, (h[q] - t[q]) / 1e6) for q in ("p50_ns", "p99_ns"))))


if __name__ == "__main__":
    main()
