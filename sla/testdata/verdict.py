"""Judge a run anew from what its result.json says, with nothing of the Go code.

    verdict.py result.json...    prints for each a line of JSON: every objective's
                                 verdict and bounds, the run's verdict, its exit code
    verdict.py < list.json       judges a JSON list of bare objectives

It believes what was counted and nothing that was concluded: verdicts, bounds,
design effects and reasons in the file are not read. Clopper-Pearson bounds come
from bisection on the tail of the binomial distribution where counts are whole, and
from Simpson's rule on the beta density where a design effect makes them fractions.
"""

import json
import math
import sys


def binomial_at_most(k, n, p):
    """P(X <= k) for X ~ Bin(n, p)."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 1.0 if k >= n else 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    terms = [
        math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_p + (n - i) * log_q)
        for i in range(k + 1)
    ]
    return math.fsum(terms)


def beta_at_most(x, a, b):
    """P(B <= x) for B ~ Beta(a, b), a and b real, by Simpson's rule.

    With a < 1 the density is infinite at 0: one step of the recurrence
    I(a, b) = I(a+1, b) + x^a (1-x)^b / (a B(a, b)) gets past it; b < 1 mirrors it.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    if a < 2:
        return beta_at_most(x, a + 1, b) + math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / a
    if b < 2:
        return 1.0 - beta_at_most(1 - x, b, a)

    def density(t):
        if t <= 0 or t >= 1:
            return 0.0
        return math.exp((a - 1) * math.log(t) + (b - 1) * math.log1p(-t) - log_beta)

    spread = 12 * math.sqrt(a * b / (a + b) ** 2 / (a + b + 1))
    start = max(0.0, a / (a + b) - spread)
    if x <= start:
        return 0.0
    steps = 400
    h = (x - start) / steps
    total = density(start) + density(x)
    total += math.fsum((4 if i % 2 else 2) * density(start + i * h) for i in range(1, steps))
    return min(1.0, total * h / 3)


def bisect(holds):
    """The largest p for which holds(p), which it then does for all smaller."""
    low, high = 0.0, 1.0
    for _ in range(36):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def upper_bound(bad, n, confidence, deff):
    x, m = bad / deff, n / deff
    if m <= 0 or x >= m:
        return 1.0
    if deff == 1:
        return bisect(lambda p: binomial_at_most(bad, n, p) > 1 - confidence)
    return bisect(lambda p: beta_at_most(p, x + 1, m - x) < confidence)


def lower_bound(bad, n, confidence, deff):
    x, m = bad / deff, n / deff
    if m <= 0 or x <= 0:
        return 0.0
    if deff == 1:
        return bisect(lambda p: 1 - binomial_at_most(bad - 1, n, p) < 1 - confidence)
    return bisect(lambda p: beta_at_most(p, x, m - x + 1) < 1 - confidence)


def judge(o):
    """Judge one objective by its own counts alone."""
    n, bad, target = o["n"], o["bad"], o["target"]
    if o["kind"] in ("count", "seconds"):
        allowed = target if o["kind"] == "seconds" else 0
        return {"verdict": "pass" if bad <= allowed else "fail", "lower": bad, "upper": bad}
    if n == 0:
        return {"verdict": "inconclusive", "lower": 0.0, "upper": 1.0}
    deff = max(1.0, o["deff"])
    allowed = 1 - target
    untold = min(o.get("untold", 0), n - bad)
    unknown = o.get("cut", 0) + untold
    worst, best, of = bad + unknown, bad, n + o.get("cut", 0)
    high = upper_bound(worst, of, o["confidence"], deff)
    low = lower_bound(best, of, o["confidence"], deff)

    if o["gate"] == "measured":
        passes, fails = worst / of <= allowed + 1e-12, best / of > allowed + 1e-12
    elif allowed <= 1e-12:
        passes, fails = False, best > 0  # no sample proves that something never happens
    else:
        passes, fails = high <= allowed, low > allowed
    verdict = "pass" if passes else "fail" if fails else "not_verified" if untold else "inconclusive"
    return {"verdict": verdict, "lower": 1 - high, "upper": 1 - low}


def whole_below(x):
    return math.floor(x + 1e-6)


def whole_above(x):
    return math.ceil(x - 1e-6)


def judge_seconds(states, target):
    """Judge a census: g good, b bad, d doubtful, u unknown; any other is not judged."""
    good, bad, doubtful, unknown = (states.count(c) for c in "gbdu")
    total = good + bad + doubtful + unknown
    known = total - unknown
    if known == 0:
        return "inconclusive"
    if bad > whole_above((1 - target) * total):
        return "fail"
    if known - good <= whole_below((1 - target) * known) and 2 * good >= total:
        return "pass"
    return "inconclusive"


def edge(seconds):
    """A storm's edge to the millisecond, halves up."""
    return math.floor(seconds * 1000 + 0.5) / 1000


def near(a, b):
    return a is b or a is not None and b is not None and abs(a - b) < 1e-5


# How recovery is read from seconds.
GOOD = 0.95
WINDOW = 5
HOLD = 10
HOLD_TURNS = 50
BROKEN_LEAST = 3

# Shares of turns that are not verified, rather than inconclusive, without any.
NEEDS_SOME = ("chunk_gap", "expected", "first_reasoning")

# How a target's treatment of the model is read.
CLIENT_LEAST = 10       # events from which absence is told
CLIENT_TIED = 0.99      # share of calls that must belong to a turn
AT_ONCE_NS = 12_000_000  # a wait that is none
GROWING = 1.3           # of the second wait over the first

# Shares of conversations, of which each is one.
CONVERSATIONS = ("conversations", "abandoned")


class Run:
    def __init__(self, document, bound=None):
        """bound: the judging's at_best or at_worst, to judge by that in place of what was counted."""
        self.bound = None
        if bound:
            self.bound = bound
            had = {o["name"]: o for o in bound["objectives"]}
            document = dict(
                document,
                judging=dict(document["judging"], missing_shards=[], cut_shards=[], conversations_asked=0),
                generator=dict(document["generator"], starts_due=0),
                counts=dict(document["counts"], turns=bound["turns"], integrity=bound["integrity"], let_in=bound["let_in"], planted=bound["planted"]),
                objectives=[dict(o, **had[o["name"]]) for o in document["objectives"]],
            )
        self.d = document
        self.how = document["judging"]
        self.still = []  # what fails even without the seconds in which the generator was late
        self.burn = {b["objective"]: b for b in document["burn"]}
        self.seconds = [s["t_s"] for s in document["series"]]
        self.at = {s["t_s"]: s for s in document["series"]}
        self.end = math.ceil(max((s["end_s"] for s in document["stages"]), default=0) - 1e-9)  # of the stages
        latency = [(o["target"], -o["limit_ns"]) for o in document["objectives"] if o["kind"] == "latency"]
        self.tail = max(latency)[0] if latency else GOOD
        quality = [o["target"] for o in document["objectives"] if o["kind"] == "full_quality" and o["target"] > 0]
        self.quality = quality[0] if quality else GOOD

    def objective(self, o, without=frozenset()):
        """Judge one objective, as if nothing had been seen in some seconds."""
        kind = o["kind"]
        if kind == "seconds":
            states = "".join("u" if i in without and c in "gbdu" else c for i, c in enumerate(o["census"]["states"]))
            return {"verdict": judge_seconds(states, o["census"]["target"])}
        if kind in ("recovery_latency", "recovery_quality"):
            return {"verdict": self.recovery(o, without)}
        if kind == "calls_per_turn":
            return {"verdict": self.calls(o)}
        if kind == "observed":
            return {"verdict": self.observed(o)}
        if kind == "client":
            return {"verdict": self.client(o)}
        if kind in ("integrity", "planted", "context", "refused"):
            return {"verdict": self.count(o)}
        return self.share(o, without)

    def count(self, o):
        c = self.d["counts"]
        if o["kind"] == "integrity":
            n, bad = c["context_verified"] + c["integrity"], c["integrity"]
        elif o["kind"] == "refused":
            n, bad = c["refused"] + c["let_in"], c["let_in"]
            if not bad and any(r["code"] == "refusal_unseen" for r in o["reason_codes"]):
                n = 0  # the counts do not tell one turn of the scenario from another
        elif o["kind"] == "planted":
            n, bad = self.bound["answered"] if self.bound else c["ok"] + c["degraded"] + c["unexpected"], c["planted"]
        else:
            n, bad = o["n"], o["bad"]
        return "fail" if bad else "pass" if n else "not_verified"

    def observed(self, o):
        """Judge the seconds in which a figure of another system was seen."""
        seen = next((f["values"] for f in self.d.get("observed", []) if f["name"] == o["observe"]), [])
        value = dict(zip(self.seconds, seen))
        seconds = n = bad = 0
        for stage in self.d["stages"]:
            if not stage["judged"] or o["stages"] and stage["name"] not in o["stages"]:
                continue
            second = math.ceil(stage["start_s"] - 1e-9)
            while second + 1 <= min(stage["end_s"], self.d["duration_s"]) + 1e-9:
                v = value.get(second)
                seconds, second = seconds + 1, second + 1
                if v is not None:
                    n += 1
                    bad += "max" in o and v > o["max"] or "min" in o and v < o["min"]
        if (n, bad) != (o["n"], o["bad"]):
            raise ValueError(f'{o["name"]}: {bad} of {n} seconds, but {o["bad"]} of {o["n"]} in the file')
        if n == 0 or n < 0.5 * seconds:
            return "not_verified"
        return "pass" if bad <= (1 - o["target"]) * n + 1e-9 else "fail"

    def client(self, o):
        """Judge what the target did to the model; what was not seen is not good."""
        c = self.d["client"]
        if c is None:
            return "not_verified"
        f = next(f for f in c["findings"] if f["name"] == o["client"])
        n, of, unclear, target = f["n"], f["of"], f["unclear"], o["target"]
        seen = self.seen(c, f)
        over, open_ = n > target, seen == "not_seen" or f["partly"] or of < CLIENT_LEAST
        if f["name"] == "calls_per_turn":
            over, open_ = f["figure"] is not None and f["figure"] > target, f["figure"] is None
        elif f["name"] == "in_flight":
            over, open_ = f["figure"] > target, of <= target
        elif f["name"] == "backoff":
            over, open_ = seen == "found", seen == "not_seen"
        elif f["name"] == "retry_after":
            over = False
            if of > 0:
                over = 1 - n / of < target
                open_ = of < CLIENT_LEAST or 1 - n / of - unclear / of < target or n == 0 and seen == "not_seen" and unclear == 0
        elif unclear > 0:
            open_ = f["partly"] or of < CLIENT_LEAST or n + unclear > target
        return "fail" if over else "inconclusive" if open_ else "pass"

    def seen(self, c, f):
        """Whether it was found, not found, or nothing came that would have shown it."""
        seen = self.backed_off(c) if f["name"] == "backoff" else "found" if f["n"] > 0 else "none" if f["of"] > 0 and f["unclear"] == 0 else "not_seen"
        if seen == "none" and c["calls"] > 0 and c["tied"] / c["calls"] < CLIENT_TIED:
            return "not_seen"
        return seen

    def backed_off(self, c):
        first, second = c["first_waits"], c["second_waits"]
        if c["failed"] == 0:
            return "not_seen"
        if first["n"] == 0 and c["retries"] == 0 and c["failed"] >= CLIENT_LEAST:
            return "none"
        if first["n"] < CLIENT_LEAST:
            return "not_seen"
        if first["median_ns"] <= AT_ONCE_NS and (second["n"] < CLIENT_LEAST or second["median_ns"] <= AT_ONCE_NS):
            return "found"
        if second["n"] == 0:
            return "none"
        if second["n"] < CLIENT_LEAST:
            return "not_seen"
        return "found" if second["median_ns"] < GROWING * first["median_ns"] else "none"

    def calls(self, o):
        calls, turns = self.d["llm"]["calls"], self.d["counts"]["turns"]
        if calls is None:
            return "not_verified"
        if turns == 0:
            return "inconclusive"
        return "pass" if calls / turns <= o["target"] else "fail"

    def recovery(self, o, without):
        """Judge how long after each storm of a name things stayed bad."""
        quality = o["kind"] == "recovery_quality"
        good, target = ("full_quality", self.quality) if quality else ("goodput", self.tail)
        c, untold = self.d["counts"], [sum(s[key] for s in self.at.values()) for key in ("tier_untold", "degraded_untold")]
        if quality and any(n > 0 and n == c["ok"] + c["degraded"] + c["unexpected"] for n in untold):
            return "not_verified"
        if self.bound:
            return self.given(o, quality)
        limit = o["limit_ns"] / 1e9
        order = ["pass", "not_verified", "inconclusive", "fail"]
        verdicts, seen = [], []
        for storm in self.d["storms"]:
            if storm["name"] != o["after"]:
                continue
            took, refuted = self.after(storm, good, target, without)
            seen.append((took, refuted))
            if took is not None and took <= limit + 1e-9:
                verdicts.append("not_verified" if quality and not self.told(storm, took, target, without) else "pass")
            else:
                verdicts.append("fail" if refuted > limit + 1e-9 else "inconclusive")
        said = [(r["took_s"], r["refuted_s"]) for r in o.get("comebacks", [])]
        verdicts += ["inconclusive"] * (len(said) - len(seen))  # storms that the load did not come to
        if not without and (len(said) < len(seen) or any(not near(x, y) for a, b in zip(said, seen) for x, y in zip(a, b))):
            raise ValueError(f'{o["name"]}: back after {seen}, but {said} in the file')
        return max(verdicts, key=order.index) if verdicts else "not_verified"

    def given(self, o, quality):
        """Judge recoveries as the bound has them: its seconds are not in the file."""
        limit, order = o["limit_ns"] / 1e9, ["pass", "not_verified", "inconclusive", "fail"]
        verdicts = []
        for r in o.get("comebacks", []):
            if r["took_s"] is not None and r["took_s"] <= limit + 1e-9:
                verdicts.append("not_verified" if quality and not r["told"] else "pass")
            else:
                verdicts.append("fail" if r["refuted_s"] > limit + 1e-9 else "inconclusive")
        return max(verdicts, key=order.index) if verdicts else "not_verified"

    def tally(self, good, second, without):
        """The turns of a second, and how many of them were bad."""
        s = self.at.get(second)
        if s is None or second in without:
            return 0, 0
        return s["valid"], s["valid"] - s[good]

    def trailing(self, good, second, first, target, without):
        """What the window that ends with a second says."""
        n = bad = 0
        for i in range(max(second - WINDOW + 1, first), second + 1):
            more, worse = self.tally(good, i, without)
            n, bad = n + more, bad + worse
        most = max((1 - target) * n + 1e-9, 1)
        if bad <= most and bad < n:
            return "holds"
        return "broken" if bad > most and bad >= BROKEN_LEAST else "unknown"

    def after(self, storm, good, target, without):
        """When a share is back after a storm (None: not seen), and before when it was not."""
        over = edge(storm["end_s"])
        first, last, refuted = math.ceil(over), self.end, 0.0
        for other in self.d["storms"]:
            if other is storm:
                continue
            if edge(other["start_s"]) < over < edge(other["end_s"]):
                return None, 0.0
            if edge(other["start_s"]) >= over:
                last = min(last, math.floor(edge(other["start_s"])))
        open_, began, turns = first, None, 0
        for second in range(first, last):
            n, bad = self.tally(good, second, without)
            says = self.trailing(good, second, first, target, without)
            if says == "holds":
                if began is None:
                    began, turns = second, 0
                turns += n - bad
            else:
                began = None
                if says == "broken" and open_ > second - HOLD:
                    open_ = second + 1
                    refuted = open_ - storm["end_s"]
            if began is not None and second - began + 1 >= HOLD and turns >= HOLD_TURNS:
                return (began - storm["end_s"] if began > first else 0.0), refuted
        return None, refuted

    def told(self, storm, took, target, without):
        """Whether quality is back even if answers that do not say so are not of full quality."""
        n = bad = untold = 0
        first = second = math.ceil(edge(storm["end_s"] + took))
        while second < first + HOLD:
            more, worse = self.tally("full_quality", second, without)
            n, bad = n + more, bad + worse
            s = self.at.get(second)
            untold += s["tier_untold"] + s["degraded_untold"] if s else 0
            second += 1
        return untold == 0 or bad + untold <= (1 - target) * n + 1e-9

    def starts(self, first, end):
        """Conversations begun or refused, a second, in [first, end)."""
        first = max(first, 0)
        if end <= first:
            return 0.0
        return sum(s["starts"] + s["dropped_target"] for t, s in self.at.items() if first <= t < end) / (end - first)

    def stormy(self, second, storm):
        return any(
            other is not storm and second + 1 > edge(other["start_s"]) and second < edge(other["end_s"]) for other in self.d["storms"]
        )

    def metastable(self, storm, without=frozenset()):
        """Whether goodput did not return although no more was asked than before the storm."""
        after, before = math.ceil(edge(storm["end_s"])), math.floor(edge(storm["start_s"]))
        allowed = max([HOLD] + [
            math.ceil(o["limit_ns"] / 1e9 - 1e-9) for o in self.d["objectives"] if o["kind"] == "recovery_latency" and o["after"] == storm["name"]
        ])
        is_open = self.how["load"] == "open"
        rate, seen, first, second = self.starts(before - WINDOW, before), 0, after, after
        while second < self.end and second in self.at:
            now = self.starts(second - WINDOW + 1, second + 1)
            if self.stormy(second, storm):
                first = second + 1
            elif not is_open or now >= 0.9 * rate:
                says = self.trailing("goodput", second, first, GOOD, without)
                if says == "holds":
                    return False
                if says == "broken" and second >= after + allowed and (not is_open or now <= 1.1 * rate):
                    seen += 1
            second += 1
        return seen >= HOLD

    def share(self, o, without):
        n, bad = o["n"], o["bad"]
        burn = self.burn.get(o["name"])
        if self.bound:
            pass
        elif o["kind"] in CONVERSATIONS:
            c = self.d["conversations"]
            bad = c.get("left", 0)
            n = c["complete"] + c["complete_degraded"] + c["broken"] + bad
            if o["kind"] == "conversations":
                bad += c["broken"] + (c["complete_degraded"] if o["tier_at_most"] == "llm" else 0)
        elif burn:
            n, bad = (
                sum(b - a for s, a, b in zip(self.seconds, [0] + burn[key], burn[key]) if s not in without)
                for key in ("n", "bad")
            )
        if not without and (n, bad) != (o["n"], o["bad"]):
            raise ValueError(f'{o["name"]}: {bad} of {n} by second, but {o["bad"]} of {o["n"]} in all')
        if n == 0 and o["kind"] in NEEDS_SOME:
            return {"verdict": "not_verified"}
        if n and o["kind"] in ("first_token", "first_reasoning") and o["kind"] not in self.d and self.d["latency"]["response"]["n"]:
            return {"verdict": "not_verified"}
        deff = 1.0 if o["kind"] in CONVERSATIONS else self.how["turns_together"]
        if self.how["users"] > 0:
            deff = max(deff, n / self.how["users"])
        return judge({
            "kind": "share", "n": n, "bad": bad, "target": o["target"], "deff": deff, "cut": o["cut"], "untold": o["untold"],
            "confidence": self.how["confidence"], "gate": self.how["gate"],
        })

    def must_verify(self, o):
        return o["kind"] != "integrity" and (o["kind"] != "context" or self.how["memory"] == "on")

    def invalid(self, verdicts):
        """Tell whether the generator could not measure what it was asked to."""
        g, c = self.d["generator"], self.d["counts"]
        if g["starts_due"] > 0 and not self.how["interrupted"] and g["starts"] < 0.99 * (g["starts_due"] - c["dropped_target"]):
            return True
        if c["dropped_generator"] > 0.001 * c["conversations_planned"]:
            return True
        late = g["late_at_s"]
        if len(late) <= max(3, 0.05 * g["seconds_with_turns"]):
            return False
        window = max(1, math.ceil(self.how["timeout_s"]))
        without = {near for s in late for near in range(max(s - window, 0), s + 2)}
        failed = [o for o in self.d["objectives"] if verdicts[o["name"]]["verdict"] == "fail"]
        storms = [s for s in self.d["storms"] if self.metastable(s)]
        if not failed and not storms:
            return False
        self.still = [o["name"] for o in failed if o["kind"] not in CONVERSATIONS and self.objective(o, without)["verdict"] == "fail"]
        self.still += [s["name"] for s in storms if self.metastable(s, without)]
        return not self.still

    def verdict(self, verdicts):
        c, how = self.d["counts"], self.how
        failed = any(v["verdict"] == "fail" for v in verdicts.values()) or any(self.metastable(s) for s in self.d["storms"])
        undecided = any(
            verdicts[o["name"]]["verdict"] == "inconclusive" or verdicts[o["name"]]["verdict"] == "not_verified" and self.must_verify(o)
            for o in self.d["objectives"]
        )
        undecided = undecided or bool(how["aborted"]) or c["conversations_planned"] < how["conversations_asked"] or how["journal_gaps"] > 0 or c["turns"] + c["dropped_target"] == 0
        if c["integrity"] + c.get("let_in", 0) > 0:
            return "fail"
        if how["interrupted"]:
            return "incomplete"
        if how["missing_shards"] or how["cut_shards"]:
            if "at_best" not in how or self.invalid(verdicts):
                return "incomplete"
            if Run(self.d, how["at_best"]).judged()["verdict"] == "fail":
                return "fail"
            return "pass" if Run(self.d, how["at_worst"]).judged()["verdict"] == "pass" else "incomplete"
        if self.invalid(verdicts):
            return "invalid"
        kinds = [i["kind"] for i in how["incidents"]]
        if failed:
            return "invalid" if "suspended" in kinds else "fail"
        return "inconclusive" if undecided or "other_target" in kinds else "pass"

    def judged(self):
        verdicts = {o["name"]: self.objective(o) for o in self.d["objectives"]}
        run = self.verdict(verdicts)
        code = {"pass": 0, "fail": 10, "invalid": 12}.get(run, 11)
        if run == "inconclusive" and self.how["on_inconclusive"] == "pass":
            code = 0
        if self.how["signal"] > 0:
            code = 128 + self.how["signal"]
        return {"objectives": verdicts, "verdict": run, "exit_code": code, "fails_without_late": self.still}


if __name__ == "__main__":
    if len(sys.argv) == 1:
        json.dump([judge(o) for o in json.load(sys.stdin)], sys.stdout)
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            print(json.dumps(Run(json.load(f)).judged()))
