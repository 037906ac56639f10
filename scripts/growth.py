#!/usr/bin/env python3
"""Notes what a process and its children hold while they live, and says what grew.

Every 20 s: open descriptors, threads and resident memory of each, and goroutines and
the live heap of those that tell at /metrics on a port of their own. At the end the
lower quartile of the last quarter of the time is held against that of the second: what
comes and goes is in neither, what is kept is in both, and what leaks in the last alone.

usage: scripts/growth.py PID TABLE.csv
Needs: ss (iproute2). Exit status 1 when something grew by more than a tenth and its slack.
"""
import csv
import glob
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

EVERY = 20
FEWEST = 4  # samples in a quarter: below that nothing is said
# What is held, and by how much it may grow beside a tenth, in its unit.
HELD = {"descriptors": 8, "threads": 4, "resident_mib": 8, "goroutines": 16, "heap_mib": 4}
TOLD = {"go_goroutines": ("goroutines", 1), "go_memstats_next_gc_bytes": ("heap_mib", 2 << 20)}  # the next collection is due at twice the live heap


def children(pid):
    """Each thread has children of its own."""
    found = []
    for thread in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(thread) as f:
                found += [int(child) for child in f.read().split()]
        except OSError:
            continue  # it ended meanwhile
    return found


def name(pid):
    with open("/proc/%d/cmdline" % pid) as f:
        words = f.read().split("\0")
    return words[2] if words[1:2] == ["serve"] else words[1]


def ports(pid):
    listening = subprocess.run(["ss", "-Hltnp"], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(port) for port, owner in re.findall(r"127\.0\.0\.1:(\d+) .*pid=(\d+),", listening) if int(owner) == pid]


def told(pid):
    """What the process tells of itself: {} when it tells nothing."""
    for port in ports(pid):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except (OSError, ValueError):
            continue
        values = dict(line.split() for line in lines if line.split(" ")[0] in TOLD)
        if values:
            return {TOLD[n][0]: float(v) / TOLD[n][1] for n, v in values.items()}
    return {}


def held(pid):
    with open("/proc/%d/status" % pid) as f:
        status = dict(line.split(":", 1) for line in f.read().splitlines())
    return {"descriptors": len(os.listdir("/proc/%d/fd" % pid)), "threads": int(status["Threads"]),
            "resident_mib": int(status["VmRSS"].split()[0]) / 1024, **told(pid)}


def watch(root, path):
    """Samples of each process by what it holds, until root ends; written to path as they come."""
    series, start = {}, time.monotonic()
    with open(path, "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["t_s", "process"] + list(HELD))
        while os.path.exists("/proc/%d" % root):
            for pid in [root] + children(root):
                try:
                    now, who = held(pid), name(pid)
                except (OSError, KeyError):
                    continue  # it ended meanwhile
                table.writerow(["%.0f" % (time.monotonic() - start), who] + ["%g" % round(now[what], 2) if what in now else "" for what in HELD])
                for what, value in now.items():
                    series.setdefault((who, what), []).append(value)
            f.flush()
            time.sleep(EVERY)
    return series


def lower(values):
    """The lower quartile."""
    return statistics.quantiles(values, n=4)[0]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    series, grown = watch(int(sys.argv[1]), sys.argv[2]), False
    print("| process | holds | least | second quarter | last quarter | most | |\n|---|---|---|---|---|---|---|")
    for (who, what), values in sorted(series.items()):
        quarter = len(values) // 4
        if quarter < FEWEST:
            sys.exit("too short to say what grew: it takes %d s" % (4 * FEWEST * EVERY))
        before, last = lower(values[quarter:2 * quarter]), lower(values[3 * quarter:])
        grew = last > 1.1 * before + HELD[what]
        grown = grown or grew
        print("| %s | %s | %.0f | %.0f | %.0f | %.0f | %s |" % (who, what, min(values), before, last, max(values), "grew" if grew else "flat"))
    sys.exit(grown)


if __name__ == "__main__":
    main()
