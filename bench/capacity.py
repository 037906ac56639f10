#!/usr/bin/env python3
"""cstest capacity against servers whose capacity is known, three times each.

mock: cstest serve mockllm, as an OpenAI target, with 50 calls at a time of 100 ms and
20 that wait: 500/s. nginx: limit_req of so many requests a second, five at once, the
rest 503. Printed for each search: what held, what did not, and how far below the known
capacity the former is.

usage: bench/capacity.py [--times N] [--only mock,nginx] [--rate R] [--precision P]
Needs: bin/cstest (make build), nginx.
Exit status 1 when a knee is above the known one, or more than 5 % below.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from peers import ROOT

CSTEST = os.path.join(ROOT, "bin", "cstest")
MOCK, MOCK_ADMIN, NGINX = 19310, 19311, 19312
CALLS, LATENCY_MS, WAITING, BURST = 50, 100, 20, 5
MODEL = {"seed": 1, "latency": {"constant": "%dms" % LATENCY_MS},
         "capacity": {"max_in_flight": str(CALLS), "queue": str(WAITING)}}
NGINX_CONF = """daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    limit_req_zone $server_port zone=all:1m rate={rate}r/s;
    upstream answer {{ server unix:{dir}/answer.sock; keepalive 64; }}
    server {{ listen unix:{dir}/answer.sock; default_type application/json; location / {{ return 200 '{{"answer":"yes"}}'; }} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            limit_req zone=all burst={burst} nodelay;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://answer;
        }}
    }}
}}
"""
SCENARIO = """version: 1
name: known
target: {{url: "http://127.0.0.1:{port}", {target}, connections: shared, pool: 256, timeout: 5s}}
load: {{arrivals: constant, stages: [{{name: all, for: 10s, starts: 1/s}}]}}
conversations: [{{name: one, turns: [{{say: 优惠券还能用吗?}}]}}]
checks: {{memory: off}}
sla: {{gate: measured, availability: 99.5%, latency: {{p99: 2s}}}}
"""


def ready(port):
    for _ in range(100):
        try:
            urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server on port %d did not start" % port)


def start_mock(directory, rate):
    path = os.path.join(directory, "mock.json")
    with open(path, "w") as f:
        json.dump(MODEL, f)
    server = subprocess.Popen([CSTEST, "serve", "mockllm", "--config", path, "--listen", "127.0.0.1:%d" % MOCK,
                               "--admin", "127.0.0.1:%d" % MOCK_ADMIN], stdout=subprocess.DEVNULL)
    ready(MOCK)
    return server, CALLS * 1000 / LATENCY_MS, SCENARIO.format(port=MOCK, target="api: openai, model: mock")


def start_nginx(directory, rate):
    path = os.path.join(directory, "nginx.conf")
    with open(path, "w") as f:
        f.write(NGINX_CONF.format(dir=directory, port=NGINX, rate=rate, burst=BURST))
    server = subprocess.Popen(["nginx", "-p", directory, "-c", path, "-g", "user root;"])
    ready(NGINX)
    target = 'api: custom, request: {method: POST, path: /chat, body: {text: "${turn.text}"}}, response: {answer: answer}'
    return server, rate, SCENARIO.format(port=NGINX, target=target)


SERVERS = {"mock": start_mock, "nginx": start_nginx}


def search(scenario, out, precision):
    began = time.monotonic()
    done = subprocess.run([CSTEST, "capacity", scenario, "--from", "50/s", "--settle", "2s", "--precision", precision,
                           "--no-tui", "--quiet", "--results-dir", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 11):
        sys.exit("exit %d\n%s%s" % (done.returncode, done.stdout, done.stderr))
    with open(os.path.join(out, "capacity.json")) as f:
        return json.load(f), done.returncode, time.monotonic() - began


def turns(probe):
    return "%.1f" % probe["turns_per_s"] if probe else "n/a"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--times", type=int, default=3)
    args.add_argument("--only", default=",".join(SERVERS))
    args.add_argument("--rate", type=int, default=300)
    args.add_argument("--precision", default="3%")
    o = args.parse_args()
    print("| server | known | held | did not hold | off by | sure | probes | time |\n|---|---|---|---|---|---|---|---|")
    bad = 0
    for name in o.only.split(","):
        for i in range(o.times):
            directory = tempfile.mkdtemp(prefix="cstest-capacity-")
            server, known, text = SERVERS[name](directory, o.rate)
            try:
                scenario = os.path.join(directory, "known.yaml")
                with open(scenario, "w") as f:
                    f.write(text)
                r, code, took = search(scenario, os.path.join(directory, "result"), o.precision)
            finally:
                server.terminate()
                server.wait()
                shutil.rmtree(directory, ignore_errors=True)
            held = r["holds"]["turns_per_s"] if r.get("holds") else 0
            off = held / known - 1
            bad += held > known or off < -0.05
            print("| %s | %.0f/s | %s | %s | %+.1f %% | %s | %d | %.0f s |" % (
                name, known, turns(r.get("holds")), turns(r.get("breaks")), 100 * off, "yes" if code == 0 else "no", len(r["probes"]), took), flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
