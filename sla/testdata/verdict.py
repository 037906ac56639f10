"""Judge objectives anew from what result.json says of them.

Reads a JSON list of objectives (kind, target, n, bad, deff, confidence, gate) from
standard input, writes a list of {verdict, lower, upper}. It shares nothing with the
Go code: Clopper-Pearson bounds come from bisection on the tail of the binomial
distribution where counts are whole, and from Simpson's rule on the beta density
where a design effect makes them fractions.
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
    n, bad, target = o["n"], o["bad"], o["target"]
    if o["kind"] in ("count", "seconds"):
        allowed = target if o["kind"] == "seconds" else 0
        return {"verdict": "pass" if bad <= allowed else "fail", "lower": bad, "upper": bad}
    if n == 0:
        return {"verdict": "inconclusive", "lower": 0.0, "upper": 1.0}
    deff = max(1.0, o["deff"])
    allowed = 1 - target
    high = upper_bound(bad, n, o["confidence"], deff)
    low = lower_bound(bad, n, o["confidence"], deff)
    if o["gate"] == "measured":
        verdict = "pass" if bad / n <= allowed + 1e-12 else "fail"
    elif allowed <= 0:
        verdict = "fail" if bad > 0 else "pass"
    elif high <= allowed:
        verdict = "pass"
    elif low > allowed:
        verdict = "fail"
    else:
        verdict = "inconclusive"
    return {"verdict": verdict, "lower": 1 - high, "upper": 1 - low}


if __name__ == "__main__":
    json.dump([judge(o) for o in json.load(sys.stdin)], sys.stdout)
