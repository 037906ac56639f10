"use strict";
(() => {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const T = data.labels;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const sync = uPlot.sync("time");
  let plots = [];

  // As unit.Text shows them: three significant digits, in groups of three.
  const digits = (v) => {
    const size = Math.abs(v);
    const places = size === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : Math.min(2 - Math.floor(Math.log10(size) + 2.17e-4), 9);
    return v.toLocaleString("en-US", { maximumFractionDigits: places });
  };
  const duration = (ns) => {
    if (ns == null) return "";
    if (ns === 0) return "0 s";
    if (ns < 999.5) return digits(ns) + " ns";
    if (ns < 999.5e3) return digits(ns / 1e3) + " µs";
    if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
    if (ns < 59.95e9) return digits(ns / 1e9) + " s";
    const s = Math.round(ns / 1e9);
    return [[Math.floor(s / 3600), " h"], [Math.floor(s / 60) % 60, " min"], [s % 60, " s"]].filter((p) => p[0]).map((p) => p[0] + p[1]).join(" ");
  };
  const count = (v) => (v == null ? "" : digits(v));
  const clock = (s) => {
    if (s == null) return "";
    s = Math.round(s);
    const m = Math.floor(s / 60);
    return m >= 60 ? Math.floor(m / 60) + ":" + String(m % 60).padStart(2, "0") + ":" + String(s % 60).padStart(2, "0") : m + ":" + String(s % 60).padStart(2, "0");
  };
  const percent = (v) => (v == null ? "" : digits(v * 100) + " %");
  const nines = (x) => {
    const q = 1 - Math.pow(10, -x);
    return "P" + (q * 100).toFixed(Math.max(0, Math.round(x) - 2) + (Math.abs(x - Math.round(x)) < 1e-9 ? 0 : 2)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  };

  // Bands behind the lines: storms, and where one stage ends and the next begins.
  const backdrop = (labelled) => (u) => {
    const c = u.ctx, { left, top, width, height } = u.bbox, px = devicePixelRatio;
    const at = (s) => Math.min(Math.max(u.valToPos(s, "x", true), left), left + width);
    c.save();
    for (const storm of data.storms) {
      const a = at(storm.from), b = at(storm.to);
      c.fillStyle = css("--storm");
      c.fillRect(a, top, b - a, height);
      c.fillStyle = css("--storm-edge");
      c.fillRect(a, top, px, height);
      c.fillRect(b - px, top, px, height);
      if (labelled && b - a > 30 * px) caption(c, storm.name, a + 5 * px, top + 12 * px, b - a - 8 * px, css("--fail"));
    }
    data.stages.forEach((stage, i) => {
      const a = at(stage.from), b = at(stage.to);
      if (i > 0) {
        c.fillStyle = css("--stage");
        for (let y = top; y < top + height; y += 6 * px) c.fillRect(a, y, px, 2 * px);
      }
      if (labelled && b - a > 34 * px) caption(c, stage.name, a + 5 * px, top - 5 * px, b - a - 6 * px, css("--soft"));
    });
    c.restore();
  };
  const caption = (c, text, x, y, room, color) => {
    c.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
    c.textAlign = "left";
    c.fillStyle = color;
    if (c.measureText(text).width <= room) c.fillText(text, x, y);
  };
  // Lines across: the limits of the SLA.
  const limits = (list, scale, format, side = "right") => (u) => {
    const c = u.ctx, { left, top, width, height } = u.bbox, px = devicePixelRatio;
    c.save();
    let above = true;
    for (const l of [...list].sort((a, b) => b.at - a.at)) {
      const y = u.valToPos(l.at, scale, true);
      if (!(y >= top && y <= top + height)) continue;
      c.strokeStyle = css("--c-limit");
      c.lineWidth = px;
      c.setLineDash([5 * px, 4 * px]);
      c.beginPath();
      c.moveTo(left, y);
      c.lineTo(left + width, y);
      c.stroke();
      const text = l.name + " ≤ " + format(l.at);
      c.setLineDash([]);
      c.font = 11 * px + "px system-ui, sans-serif";
      c.textAlign = side;
      // The highest one is written above its line, the others below theirs: two limits are often close.
      const base = above ? y - 5 * px : y + 13 * px, x = side === "right" ? left + width - 4 * px : left + 6 * px;
      c.strokeStyle = css("--paper");
      c.lineWidth = 4 * px;
      c.lineJoin = "round";
      c.strokeText(text, x, base);
      c.fillStyle = css("--c-limit");
      c.fillText(text, x, base);
      above = false;
    }
    c.restore();
  };

  const axis = (format, more) => Object.assign({
    stroke: css("--soft"), font: "11.5px system-ui, sans-serif", grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false }, size: 60, gap: 6,
    values: (u, list) => list.map((v) => (v == null ? "" : format(v))),
  }, more);
  const timeAxis = () => axis(clock, { size: 28, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400] });
  const line = (label, color, format, more) => Object.assign({
    label, stroke: css(color), width: data.series.t && data.series.t.length > 1200 ? 0.8 : 1.5, points: { show: false }, value: (u, v) => format(v),
  }, more);
  const timeSeries = { label: T.time, value: (u, v) => clock(v) };
  const fill = (name, alpha) => {
    const h = css(name).replace("#", "");
    return "rgba(" + [0, 2, 4].map((i) => parseInt(h.slice(i, i + 2), 16)).join(",") + "," + alpha + ")";
  };
  const stepped = uPlot.paths.stepped({ align: 1 });
  // Decades with 2 and 5 between, where there are few decades.
  const logSplits = (u, i, min, max) => {
    const out = [], narrow = max / min < 2000;
    for (let e = Math.floor(Math.log10(min)); e <= Math.ceil(Math.log10(max)); e++) {
      for (const m of narrow ? [1, 2, 5] : [1]) {
        const v = m * Math.pow(10, e);
        if (v >= min * 0.999 && v <= max * 1.001) out.push(v);
      }
    }
    return out;
  };
  const logScale = (also) => ({
    distr: 3,
    range: (u, min, max) => {
      for (const v of also) { min = Math.min(min ?? v, v); max = Math.max(max ?? v, v); }
      if (min == null || max == null) { min = 1e6; max = 1e9; }
      return [Math.max(min / 1.4, 1e3), max * 1.6];
    },
  });

  // Figures on top of one another, each in its colour.
  const stacked = (list) => {
    const s = data.series, sums = s.t.map(() => 0), columns = [s.t], series = [timeSeries], layers = [];
    for (const layer of list) {
      layer.values.forEach((v, i) => { sums[i] += v; });
      layers.push([layer, sums.slice()]);
    }
    layers.reverse().forEach(([layer, top]) => {
      columns.push(top);
      series.push(line(layer.label, layer.color, count, {
        width: 0, paths: stepped, fill: fill(layer.color, 0.85), stroke: css(layer.color), value: (u, v, si, i) => (i == null ? "" : count(layer.values[i])),
      }));
    });
    const bands = [];
    for (let i = 1; i < series.length - 1; i++) bands.push({ series: [i, i + 1] });
    return [{
      height: 210, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [0, Math.max(b * 1.05, 1)] } },
      axes: [timeAxis(), axis(count)], series, bands, hooks: { drawClear: [backdrop(true)] },
    }, columns];
  };

  // The percentiles of the time line, of which a reader chooses.
  const quantileLines = () => [
    { key: "max", label: T.max, color: "--c-max" }, { key: "p999", label: "P99.9", color: "--c-p999" }, { key: "p99", label: "P99", color: "--c-p99" },
    { key: "p95", label: "P95", color: "--c-p95" }, { key: "p90", label: "P90", color: "--c-p90" }, { key: "p50", label: "P50", color: "--c-p50" },
  ].filter((q) => data.series[q.key] && data.series[q.key].some((v) => v != null));
  const chosen = new Set(["p99", "p90", "p50"]);
  const offer = (el) => {
    for (const q of quantileLines().reverse()) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = chosen.has(q.key);
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(q.key); else chosen.delete(q.key);
        draw();
      });
      label.append(box, q.label);
      el.append(label);
    }
  };

  const charts = {
    rate() {
      const s = data.series;
      const columns = [s.t], series = [timeSeries];
      if (s.planned) { columns.push(s.planned); series.push(line(T.planned, "--c-planned", count, { dash: [4, 3], width: 1.25 })); }
      columns.push(s.starts, s.turns, s.in_flight);
      series.push(line(T.starts, "--c-starts", count), line(T.turns, "--c-turns", count, { fill: fill("--c-turns", 0.08) }), line(T.in_flight, "--c-flight", count, { scale: "flight", width: 1.25 }));
      return [{
        height: 210, padding: [18, 0, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [0, Math.max(b * 1.08, 1)] }, flight: { range: (u, a, b) => [0, Math.max(b * 1.08, 1)] } },
        axes: [timeAxis(), axis(count), axis(count, { scale: "flight", side: 1, grid: { show: false }, stroke: css("--c-flight"), size: 50 })],
        series, hooks: { drawClear: [backdrop(true)] },
      }, columns];
    },
    quantiles() {
      const s = data.series, lines = quantileLines().filter((q) => chosen.has(q.key));
      return [{
        height: 230, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: logScale(data.limits.map((l) => l.at)) },
        axes: [timeAxis(), axis(duration, { splits: logSplits, filter: (u, v) => v })],
        series: [timeSeries, ...lines.map((q) => line(q.label, q.color, duration))],
        hooks: { drawClear: [backdrop(true)], draw: [limits(data.limits, "y", duration)] },
      }, [s.t, ...lines.map((q) => s[q.key])]];
    },
    byturn() {
      const s = data.series, colors = ["--c-turns", "--c-faq", "--c-handoff", "--c-starts", "--c-p95", "--c-p999", "--c-static", "--c-bad"];
      return [{
        height: 190, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: logScale([]) },
        axes: [timeAxis(), axis(duration, { splits: logSplits, filter: (u, v) => v })],
        series: [timeSeries, ...s.by_turn.map((_, i) => line(T.nth_turn.replace("%s", i === 7 ? "8+" : i + 1), colors[i], duration, { spanGaps: true }))],
        hooks: { drawClear: [backdrop(true)] },
      }, [s.t, ...s.by_turn]];
    },
    // A dot is a second outside of storms: how much it had to do, and how long that took.
    byload() {
      const s = data.series, calm = (t) => !data.storms.some((b) => t >= b.from && t < b.to);
      const at = s.t.map((_, i) => i).filter((i) => s.turns[i] > 0 && s.p50[i] != null && calm(s.t[i])).sort((a, b) => s.turns[a] - s.turns[b]);
      const [name, color, tail] = at.some((i) => s.p95[i] != null) ? ["P95", "--c-p95", s.p95] : ["P90", "--c-p90", s.p90];
      const dots = (label, color) => line(label, color, duration, { stroke: css(color), paths: () => null, points: { show: true, size: 5, width: 0, fill: fill(color, 0.7) } });
      return [{
        height: 230, padding: [18, 50, 0, 0], sync: false, scales: { x: { time: false, range: (u, a, b) => [0, (b || 1) * 1.04] }, y: logScale(data.limits.map((l) => l.at)) },
        axes: [axis(count, { size: 28 }), axis(duration, { splits: logSplits, filter: (u, v) => v })],
        series: [{ label: T.turns, value: (u, v) => count(v) }, dots(name, color), dots("P50", "--c-p50")],
        hooks: { draw: [limits(data.limits, "y", duration)] },
      }, [at.map((i) => s.turns[i]), at.map((i) => tail[i]), at.map((i) => s.p50[i])]];
    },
    lag() {
      const s = data.series;
      return [{
        height: 150, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [0, Math.max(b * 1.15, 2e6)] } },
        axes: [timeAxis(), axis(duration)],
        series: [timeSeries, line(T.lag, "--c-flight", duration)],
        hooks: { drawClear: [backdrop(true)] },
      }, [s.t, s.lag]];
    },
    live() {
      const s = data.series;
      return [{
        height: 150, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [0, Math.max(b * 1.1, 1)] } },
        axes: [timeAxis(), axis(count)],
        series: [timeSeries, line(T.live, "--c-turns", count, { fill: fill("--c-turns", 0.08) })],
        hooks: { drawClear: [backdrop(true)] },
      }, [s.t, s.live]];
    },
    observed(el) {
      const s = data.series, o = data.observed[+el.dataset.at], show = (v) => (v == null ? "" : +v.toPrecision(4) + (o.unit ? " " + o.unit : ""));
      return [{
        height: 150, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [Math.min(a ?? 0, 0), Math.max((b ?? 0) * 1.1, a === b ? 1 : 0)] } },
        axes: [timeAxis(), axis((v) => +v.toPrecision(6))],
        series: [timeSeries, line(o.name, "--c-turns", show)],
        hooks: { drawClear: [backdrop(true)] },
      }, [s.t, o.values]];
    },
    outcomes() { return stacked(data.layers); },
    errors() { return stacked(data.errors); },
    burn() {
      const colors = ["--c-p99", "--c-faq", "--c-handoff", "--c-starts", "--c-unknown", "--c-static", "--c-p50", "--c-flight"];
      const columns = [data.series.t], series = [timeSeries];
      data.burn.forEach((b, i) => {
        columns.push(b.used);
        series.push(line(b.name, colors[i % colors.length], percent, { dash: i >= colors.length ? [3, 3] : undefined }));
      });
      return [{
        height: 190, padding: [18, 50, 0, 0], scales: { x: { time: false }, y: { range: (u, a, b) => [0, Math.max(b * 1.08, 1.1)] } },
        axes: [timeAxis(), axis((v) => Math.round(v * 100) + " %")], series,
        hooks: { drawClear: [backdrop(true)], draw: [limits([{ at: 1, name: T.budget }], "y", percent)] },
      }, columns];
    },
    distribution() {
      const xs = new Set();
      for (const d of data.distribution) d.points.forEach((p) => xs.add(p[0]));
      const x = [...xs].sort((a, b) => a - b);
      const columns = [x], series = [{ label: T.percentile, value: (u, v) => (v == null ? "" : nines(v)) }];
      for (const d of data.distribution) {
        const at = new Map(d.points.map((p) => [p[0], p[1]]));
        columns.push(x.map((v) => at.get(v) ?? null));
        series.push(line(d.label, d.color, duration, { dash: d.dash ? [5, 4] : undefined, spanGaps: true }));
      }
      return [{
        height: 280, padding: [18, 50, 0, 0], sync: false,
        scales: { x: { time: false }, y: logScale(data.limits.map((l) => l.at)) },
        axes: [axis(nines, { size: 28, splits: () => [0, 1 - Math.log10(5), 1, 2, 3, 4, 5, 6].filter((v) => v <= x[x.length - 1]).map((v) => (v > 0 && v < 1 ? Math.log10(2) : v)) }),
          axis(duration, { splits: logSplits, filter: (u, v) => v })],
        series, hooks: { draw: [limits(data.limits, "y", duration, "left")] },
      }, columns];
    },
  };

  const draw = () => {
    plots.forEach((p) => { sync.unsub(p); p.destroy(); });
    plots = [];
    for (const el of document.querySelectorAll("[data-chart]")) {
      const [opts, columns] = charts[el.dataset.chart](el);
      if (columns[0].length < 2) continue;
      opts.width = el.clientWidth;
      opts.legend = { markers: { width: 0, fill: (u, i) => opts.series[i].stroke } };
      opts.cursor = { points: { size: 6 }, y: false };
      if (opts.sync !== false) opts.cursor.sync = { key: sync.key };
      delete opts.sync;
      plots.push(new uPlot(opts, columns, el));
    }
  };
  const resize = () => plots.forEach((p) => {
    const width = p.root.parentNode.clientWidth;
    if (width > 0 && width !== p.width) p.setSize({ width, height: p.height });
  });
  for (const el of document.querySelectorAll("time")) {
    const at = new Date(el.dateTime);
    if (!isNaN(at) && at.getTimezoneOffset() !== 0) el.append(" · " + at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" }));
  }
  if (!quantileLines().some((q) => chosen.has(q.key))) for (const q of quantileLines()) chosen.add(q.key);
  document.querySelectorAll("[data-choice]").forEach(offer);
  draw();
  addEventListener("resize", resize);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw);
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", draw);
})();
