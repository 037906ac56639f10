#!/usr/bin/env python3
"""What load testers report of one server whose latency is known.

bench/known draws a latency for every request and keeps what it took at its own
end, from the arrival at its kernel on. cstest's service time is from sending on, as
the other tools' figures are; its response time is from the intended start on, which
a server cannot know: there P99.9 also has what this machine was late. Each tool meets a fresh server with the same seed, at the same rate where it
has one (wrk is a closed loop: as many connections as give about that rate).
Printed for each row: what the server knew, what the tool said, and how far off.

usage: bench/agree.py [--rate N] [--seconds S] [--only cstest,wrk] [--rows constant,stall]
Needs: bin/cstest (make build), wrk, and k6, vegeta, fortio (bench/tools.sh).
Exit status 1 when cstest is off by more than 1 % and 250 µs in a row: in any
figure of service time, in all but P99.9 of response time.
"""
import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from peers import ROOT, tool

QUANTILES = ("p50", "p90", "p99", "p999")
ROWS = {
    "constant": (["-latency", "constant:20ms"], 20),
    "log-normal": (["-latency", "lognormal:20ms,80ms"], 24),
    "stall": (["-latency", "constant:20ms", "-stall", "500ms", "-stall-at", "4s"], 20),
    "faults": (["-latency", "constant:20ms", "-errors", "0.02", "-hangs", "0.01"], 20),
}
TIMEOUT = "2s"


def figures(mean, p50, p90, p99, p999, n, errors, timeouts):
    return dict(mean=mean, p50=p50, p90=p90, p99=p99, p999=p999, n=n, errors=errors, timeouts=timeouts)


def output(command, directory):
    return subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def wrk(url, rate, seconds, mean, directory):
    script = os.path.join(directory, "wrk.lua")
    with open(script, "w") as f:
        f.write("""done = function(s, l)
  io.write(string.format("FIGURES %f %f %f %f %f %d %d %d\\n", l.mean/1e3, l:percentile(50)/1e3, l:percentile(90)/1e3,
    l:percentile(99)/1e3, l:percentile(99.9)/1e3, s.requests, s.errors.status + s.errors.read, s.errors.timeout))
end
""")
    c = max(1, round(rate * mean / 1000))
    text = output(["wrk", "-t1", "-c%d" % c, "-d%ds" % seconds, "--timeout", TIMEOUT, "-s", script, url], directory)
    found = re.search(r"FIGURES (.*)", text)
    return figures(*(float(x) for x in found.group(1).split()))


def k6(url, rate, seconds, mean, directory):
    script = os.path.join(directory, "k6.js")
    with open(script, "w") as f:
        f.write("""import http from 'k6/http';
import { Counter } from 'k6/metrics';
const timeouts = new Counter('timeouts');
export const options = { summaryTrendStats: ['avg', 'p(50)', 'p(90)', 'p(99)', 'p(99.9)'], scenarios: { a: {
  executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', duration: '%ds', preAllocatedVUs: 1000, maxVUs: 4000 } } };
export default function () { const r = http.get('%s', { timeout: '%s' }); if (r.error_code === 1050) timeouts.add(1); }
export function handleSummary(data) { return { stdout: JSON.stringify(data.metrics) }; }
""" % (rate, seconds, url, TIMEOUT))
    m = json.loads(output([tool("k6"), "run", "--quiet", "--no-usage-report", script], directory))
    good = m.get("http_req_duration{expected_response:true}", m["http_req_duration"])["values"]
    timeouts = m.get("timeouts", {"values": {"count": 0}})["values"]["count"]
    failed = m["http_req_failed"]["values"]["passes"]
    return figures(good["avg"], good["p(50)"], good["p(90)"], good["p(99)"], good["p(99.9)"],
                   m["http_reqs"]["values"]["count"], failed - timeouts, timeouts)


def vegeta(url, rate, seconds, mean, directory):
    results = os.path.join(directory, "vegeta.bin")
    output(["sh", "-c", "echo 'GET %s' | %s attack -rate %d -duration %ds -timeout %s >%s" % (url, tool("vegeta"), rate, seconds, TIMEOUT, results)], directory)
    r = json.loads(output([tool("vegeta"), "report", "-type=json", results], directory))
    plot = output([tool("vegeta"), "report", "-type=hdrplot", results], directory)
    p999 = next(float(line.split()[0]) for line in plot.splitlines()[1:] if float(line.split()[1]) >= 0.999)
    codes, ms = r["status_codes"], {k: v / 1e6 for k, v in r["latencies"].items()}
    return figures(ms["mean"], ms["50th"], ms["90th"], ms["99th"], p999, r["requests"], codes.get("500", 0), codes.get("0", 0))


def fortio(url, rate, seconds, mean, directory):
    out = os.path.join(directory, "fortio.json")
    output([tool("fortio"), "load", "-qps", str(rate), "-c", str(rate), "-t", "%ds" % seconds, "-r", "0.0001",
            "-p", "50,90,99,99.9", "-timeout", TIMEOUT, "-uniform", "-allow-initial-errors", "-json", out, "-loglevel", "Error", url], directory)
    with open(out) as f:
        r = json.load(f)
    h = r["DurationHistogram"]
    p = {x["Percentile"]: x["Value"] * 1e3 for x in h["Percentiles"]}
    codes = r["RetCodes"]
    return figures(h["Avg"] * 1e3, p[50], p[90], p[99], p[99.9], h["Count"], codes.get("500", 0), codes.get("-1", 0))


def cstest(url, rate, seconds, mean, directory):
    scenario = os.path.join(directory, "agree.yaml")
    with open(scenario, "w") as f:
        f.write("""version: 1
name: agree
target:
  url: %s
  api: custom
  request: {method: POST, path: /chat, body: {text: "${turn.text}"}}
  response: {answer: answer}
  connections: shared
  pool: 1000
  timeout: %s
load: {arrivals: constant, stages: [{name: all, for: %ds, starts: %d/s}]}
conversations: [{name: one, turns: [{say: 优惠券还能用吗?}]}]
checks: {memory: off}
sla: {latency: {p99: 5s}}
""" % (url.rstrip("/"), TIMEOUT, seconds, rate))
    out = os.path.join(directory, "cstest-result")
    output([os.path.join(ROOT, "bin", "cstest"), "run", scenario, "--no-tui", "--quiet", "--results-dir", out], directory)
    with open(os.path.join(out, "result.json")) as f:
        doc = json.load(f)
    c = doc["counts"]

    def of(timing):
        ms = lambda key: (doc["latency"][timing].get(key + "_ns") or math.nan) / 1e6
        return figures(ms("mean"), ms("p50"), ms("p90"), ms("p99"), ms("p999"), c["turns"], c["server_error"], c["timeout"])
    return {"cstest, service time": of("service"), "cstest, response time": of("response")}


TOOLS = {"cstest": cstest, "wrk": wrk, "k6": k6, "vegeta": vegeta, "fortio": fortio}


def meet(name, row, known, o):
    flags, mean = ROWS[row]
    directory = tempfile.mkdtemp(prefix="cstest-agree-")
    server = subprocess.Popen([known] + flags, stdout=subprocess.PIPE, text=True)
    try:
        url = "http://%s/" % server.stdout.readline().strip()
        said = TOOLS[name](url, o.rate, o.seconds, mean, directory)
        with urllib.request.urlopen(url + "truth", timeout=10) as f:
            return said, json.load(f)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rate", type=int, default=1000)
    args.add_argument("--seconds", type=int, default=10)
    args.add_argument("--only", default=",".join(TOOLS))
    args.add_argument("--rows", default=",".join(ROWS))
    o = args.parse_args()
    build = tempfile.mkdtemp(prefix="cstest-known-")
    known = os.path.join(build, "known")
    subprocess.run(["go", "build", "-o", known, "./bench/known"], cwd=ROOT, check=True)
    names = [n for n in TOOLS if n in o.only.split(",") and (n == "cstest" or tool(n))]
    worst = 0
    print("| row | tool | requests | mean | P50 | P90 | P99 | P99.9 | errors | timeouts |\n|---|---|---|---|---|---|---|---|---|---|")
    try:
        for row in o.rows.split(","):
            for name in names:
                told, knew = meet(name, row, known, o)
                for label, said in told.items() if name == "cstest" else [(name, told)]:
                    cells = []
                    for key in ("mean",) + QUANTILES:
                        true = knew[key + "_ms"]
                        cells.append("%.2f (%+.2f)" % (said[key], said[key] - true))
                        if name == "cstest" and abs(said[key] - true) > max(0.01 * true, 0.25):
                            cells[-1] += " **off**"
                            worst = worst or key != "p999" or "response" not in label
                    print("| %s | %s | %d | %s | %d of %d | %d of %d |" % (row, label, said["n"], " | ".join(cells),
                          said["errors"], knew["errors"], said["timeouts"], knew["hangs"]), flush=True)
    finally:
        shutil.rmtree(build, ignore_errors=True)
    sys.exit(worst)


if __name__ == "__main__":
    main()
