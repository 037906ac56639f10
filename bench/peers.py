#!/usr/bin/env python3
"""CPU per request of cstest and its peers, side by side against one nginx.

Generator on core 0, nginx on core 1, 64 kept connections, closed loop. Every
tool runs twice, short and long; the figure is the difference of CPU time over
the difference of requests, so that start-up and reports cancel out. Rounds are
interleaved (A B C A B C ...) and the median over rounds is printed.

usage: bench/peers.py [--rounds N] [--seconds S] [--only cstest,wrk] [--h2c]
Needs: bin/cstest (make build), nginx, wrk; hey, vegeta, k6, locust, h2load where
installed (bench/tools.sh installs what Debian and the Go module proxy have).
"""
import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TOOLS = os.path.join(HERE, ".tools")
CONNECTIONS = 64


def start_nginx(directory, port, workers=1, listen="", core="1"):
    with open(os.path.join(HERE, "nginx.conf")) as f:
        conf = f.read()
    for key, value in {"PORT": port, "WORKERS": workers, "LISTEN": listen, "DIR": directory}.items():
        conf = conf.replace("@%s@" % key, str(value))
    path = os.path.join(directory, "nginx.conf")
    with open(path, "w") as f:
        f.write(conf)
    server = subprocess.Popen(["taskset", "-c", core, "nginx", "-p", directory, "-c", path, "-g", "user root;"])
    for _ in range(100):
        try:
            if "http2" not in listen:
                urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=1).read()
            return server
        except OSError:
            time.sleep(0.05)
    server.terminate()
    sys.exit("nginx did not start: see " + os.path.join(directory, "error.log"))


def tool(name):
    own = os.path.join(TOOLS, name)
    return own if os.path.exists(own) else shutil.which(name)


def run(command, directory, env=None):
    """CPU seconds, wall seconds and standard output of a command pinned to core 0."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(["taskset", "-c", "0"] + command, cwd=directory, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})})
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, done.stdout


def cstest(seconds, url, directory, http):
    """One run of the bundled bench scenario; requests are counted from result.json."""
    out = os.path.join(directory, "cstest-%d-%d" % (seconds, time.monotonic_ns()))
    command = [os.path.join(ROOT, "bin", "cstest"), "run", os.path.join(HERE, "nginx.yaml"), "--no-tui", "--quiet",
               "--target", url, "-d", "%ds" % seconds, "--results-dir", out]
    if http == "h2c":
        command += ["--set", "target.http=h2c", "--set", "target.connections=shared", "--set", "target.pool=8"]
    cpu, wall, text = run(command, directory)
    try:
        with open(os.path.join(out, "result.json")) as f:
            doc = json.load(f)
    except OSError:
        sys.exit("cstest wrote no result:\n" + text)
    if doc["counts"]["ok"] != doc["counts"]["turns"]:
        sys.exit("cstest: not every turn was ok: %s" % doc["counts"])
    return cpu, wall, doc["counts"]["turns"]


def counted(pattern, scale=1):
    def count(text, seconds):
        found = re.search(pattern, text)
        if not found:
            sys.exit("no count (%s) in:\n%s" % (pattern, text))
        return float(found.group(1).replace(",", "")) * scale
    return count


def peers(url, directory):
    """name -> (command for a number of seconds, requests from its output)."""
    k6 = os.path.join(directory, "k6.js")
    with open(k6, "w") as f:
        f.write("import http from 'k6/http';\nexport default function () { http.get('%s'); }\n" % url)
    locust = os.path.join(directory, "locustfile.py")
    with open(locust, "w") as f:
        f.write("from locust import FastHttpUser, task\nclass U(FastHttpUser):\n    @task\n"
                "    def t(self):\n        self.client.get('/')\n")
    c = str(CONNECTIONS)
    return {
        "wrk": (lambda s: ["wrk", "-t1", "-c" + c, "-d%ds" % s, url], counted(r"(\d+) requests in")),
        "hey": (lambda s: [tool("hey"), "-c", c, "-z", "%ds" % s, url], counted(r"\[200\]\s+(\d+) responses")),
        "vegeta": (lambda s: ["sh", "-c", "echo 'GET %s' | %s attack -rate 0 -max-workers %s -connections %s -duration %ds | %s report"
                              % (url, tool("vegeta"), c, c, s, tool("vegeta"))], counted(r"Requests\s+\[total[^\]]*\]\s+(\d+)")),
        "k6": (lambda s: [tool("k6"), "run", "--vus", c, "--duration", "%ds" % s, "--quiet", "--no-usage-report", k6],
               counted(r"http_reqs\.*:\s+(\d+)")),
        "locust": (lambda s: [tool("locust"), "-f", locust, "--headless", "-u", c, "-r", c, "-t", "%ds" % s,
                              "--only-summary", "-H", url], counted(r"Aggregated\s+(\d+)")),
    }


def h2_peers(url, _directory):
    return {"h2load": (lambda s: ["h2load", "-t1", "-c", "8", "-m", "8", "-D", str(s), url],
                       counted(r"requests: (\d+) total"))}


def measure(name, table, url, directory, seconds, http):
    figures = []
    for s in (max(2, seconds // 4), seconds):
        if name == "cstest":
            figures.append(cstest(s, url, directory, http))
        else:
            command, count = table[name]
            cpu, wall, text = run(command(s), directory)
            figures.append((cpu, wall, count(text, s)))
    (cpu1, _, n1), (cpu2, wall2, n2) = figures
    return (cpu2 - cpu1) / (n2 - n1) * 1e6, n2 / seconds


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--seconds", type=int, default=10)
    args.add_argument("--only", default="")
    args.add_argument("--h2c", action="store_true")
    o = args.parse_args()
    directory = tempfile.mkdtemp(prefix="cstest-bench-")
    port = 18080
    server = start_nginx(directory, port, listen="http2" if o.h2c else "")
    url = "http://127.0.0.1:%d/" % port
    try:
        table = h2_peers(url, directory) if o.h2c else peers(url, directory)
        names = ["cstest"] + [n for n in table if n in ("wrk", "h2load") or tool(n)]
        if o.only:
            names = [n for n in names if n in o.only.split(",")]
        results = {n: [] for n in names}
        for r in range(o.rounds):
            for n in names:
                results[n].append(measure(n, table, url, directory, o.seconds, "h2c" if o.h2c else "1.1"))
                print("round %d  %-8s %7.2f us/request  %8.0f requests/s" % (r + 1, n, *results[n][-1]), file=sys.stderr)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)
    floor = "h2load" if o.h2c else "wrk"
    print("| tool | CPU per request | requests/s on one core | beside %s (median of paired ratios) |\n|---|---|---|---|" % floor)
    for n in names:
        cpu = [f[0] for f in results[n]]
        rate = statistics.median(f[1] for f in results[n])
        ratio = ""
        if floor in results:
            ratio = "%.2f" % statistics.median(a[0] / b[0] for a, b in zip(results[n], results[floor]))
        print("| %s | %.1f µs (%.1f–%.1f) | %.1f k | %s |" % (n, statistics.median(cpu), min(cpu), max(cpu), rate / 1000, ratio))


if __name__ == "__main__":
    main()
