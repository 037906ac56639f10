#!/usr/bin/env python3
"""What an open customer's WebSocket costs cstest while nobody speaks, and what a turn does.

    python3 bench/sockets.py --sockets 50000 --processes 4 --ping 10

A server of our own (driver/testdata/sockets, as many processes as descriptors ask for) holds the
other ends and pings each. Every user has one turn, then thinks for longer than the run. Resident
memory is that of all of cstest's processes while all sockets are open, less that of a run with
100; CPU is theirs over the seconds in which no turn is due."""
import argparse, glob, json, os, re, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HZ = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and its children, and theirs."""
    todo, out = [pid], []
    while todo:
        p = todo.pop()
        out.append(p)
        for path in glob.glob(f"/proc/{p}/task/*/children"):
            try:
                todo += [int(c) for c in open(path).read().split()]
            except OSError:
                pass
    return out


def usage(pid):
    """Resident bytes, those in private memory, CPU seconds."""
    rss = cpu = 0
    for p in family(pid):
        try:
            rss += int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{p}/status").read())[1]) * 1024
            f = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            cpu += (int(f[11]) + int(f[12])) / HZ
        except (OSError, TypeError):
            pass
    return rss, cpu


SCENARIO = """version: 1
name: sockets
target:
  url: http://127.0.0.1:{port}
  api: custom
  mode: websocket
  timeout: 20s
  request: {{body: {{type: say, text: "${{turn.text}}"}}}}
  response: {{is_answer: {{path: type, equals: reply}}, answer: text}}
load:
  stages:
    - {{name: open, for: {ramp}s, users: {{from: 0, to: {sockets}}}}}
    - {{name: hold, for: {hold}s, users: {sockets}}}
  think: 10m
  drain: 1s
conversations: [{{name: c, turns: [{{say: hello}}, {{say: never}}]}}]
sla: {{availability: 99%}}
"""


def run(o, binary, server_port, sockets, ramp, hold):
    with tempfile.TemporaryDirectory() as dir:
        path = os.path.join(dir, "s.yaml")
        open(path, "w").write(SCENARIO.format(port=server_port, ramp=ramp, hold=hold, sockets=sockets))
        p = subprocess.Popen([binary, "run", path, "--no-tui", "-q", "--processes", str(o.processes), "--results-dir", os.path.join(dir, "r")],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(ramp + 6)
        rss, cpu = usage(p.pid)
        start = time.time()
        time.sleep(hold - 12)
        rss2, cpu2 = usage(p.pid)
        took = time.time() - start
        out, _ = p.communicate()
        try:
            doc = json.load(open(os.path.join(dir, "r", "result.json")))
        except OSError:
            sys.exit(out)
        return max(rss, rss2), (cpu2 - cpu) / took, doc


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--sockets", type=int, default=50_000)
    a.add_argument("--processes", type=int, default=4)
    a.add_argument("--ping", type=int, default=10, help="seconds")
    a.add_argument("--ramp", type=int, default=25)
    a.add_argument("--hold", type=int, default=32)
    a.add_argument("--port", type=int, default=18091)
    o = a.parse_args()
    with tempfile.TemporaryDirectory() as dir:
        binary, server = os.path.join(dir, "cstest"), os.path.join(dir, "sockets")
        subprocess.run(["go", "build", "-o", binary, "./cmd/cstest"], cwd=ROOT, check=True)
        subprocess.run(["go", "build", "-o", server, "./driver/testdata/sockets"], cwd=ROOT, check=True)
        s = subprocess.Popen([server, "-listen", f"127.0.0.1:{o.port}", "-processes", str(max(1, -(-o.sockets // 15_000))), "-ping", f"{o.ping}s"],
                             stdout=open(os.path.join(dir, "log"), "w"))
        try:
            time.sleep(1)
            base, idle, _ = run(o, binary, o.port, 100, 5, 20)
            rss, cpu, doc = run(o, binary, o.port, o.sockets, o.ramp, o.hold)
        finally:
            s.terminate()
        g, c = doc["generator"], doc["counts"]
        most = {}
        for line in open(os.path.join(dir, "log")):
            pid, _, n, *_ = line.split()
            most[pid] = max(most.get(pid, 0), int(n))
        print(f"{sum(most.values())} sockets open at once at the server, {g['sockets']['opened']} opened, {g['sockets']['reopened']} again; {c['ok']} of {c['turns']} turns ok")
        print(f"memory {(rss - base) / o.sockets:.0f} B a socket ({rss / 2**20:.0f} MiB in all, {base / 2**20:.0f} MiB with 100)")
        pings = o.sockets / o.ping
        print(f"CPU {cpu:.3f} cores for {pings:.0f} pings/s ({idle:.3f} with 100 sockets): {(cpu - idle) / pings * 1e6:.1f} µs a ping answered, {(cpu - idle) / o.sockets * 60e6:.0f} µs a socket a minute")


main()
