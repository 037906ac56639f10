#!/usr/bin/env python3
"""What streaming outputs cost the generator: CPU per turn with Prometheus and OTLP on and
without, in interleaved pairs. Usage: outputs.py [PAIRS] [CSTEST]; prints each pair and the
median of the ratios. It starts a receiver of its own, which takes whatever it is sent, and
scrapes the endpoint once a second.
"""

import http.server
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SCENARIO = """version: 1
name: outputs
seed: 7
target: {bundled: {profile: hardened, redis: embedded}}
llm: {latency: {median: 60ms, p99: 150ms}}
load:
  think: 100ms
  stages: [{name: steady, for: 8s, starts: 150/s}]
  drain: 10s
conversations: [{name: coupon, turns: [{say: 优惠券怎么用？}, {say: 能叠加吗？}]}]
sla: {availability: 50%}
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def scrape(stop):
    while not stop.wait(1):
        try:
            urllib.request.urlopen("http://127.0.0.1:9464/metrics", timeout=1).read()
        except OSError:
            pass  # the run has not begun, or is over


def run(binary, directory, name, *args):
    results = directory / name
    subprocess.run([binary, "run", directory / "s.yaml", "-q", "--results-dir", results, *args], stdout=subprocess.DEVNULL, check=False)
    return json.loads((results / "result.json").read_text())["generator"]["cpu_us_per_turn"]


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    binary = sys.argv[2] if len(sys.argv) > 2 else "bin/cstest"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, stop = f"http://127.0.0.1:{server.server_port}", threading.Event()
    threading.Thread(target=scrape, args=(stop,), daemon=True).start()
    ratios = []
    with tempfile.TemporaryDirectory() as text:
        directory = pathlib.Path(text)
        (directory / "s.yaml").write_text(SCENARIO)
        for i in range(pairs):
            on = ["--out", "prometheus=127.0.0.1:9464", "--out", f"otlp={url}"]
            order = [("off", []), ("on", on)]
            cost = {name: run(binary, directory, f"{name}{i}", *args) for name, args in (order if i % 2 == 0 else reversed(order))}
            ratios.append(cost["on"] / cost["off"])
            print(f"pair {i}: {cost['off']:.1f} us a turn without, {cost['on']:.1f} with: {100 * (ratios[-1] - 1):+.1f} %", flush=True)
    stop.set()
    print(f"median {100 * (statistics.median(ratios) - 1):+.1f} %")


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"{time.monotonic() - start:.0f} s")
