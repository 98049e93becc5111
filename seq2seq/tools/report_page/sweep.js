// The page of a hyperparameter sweep.

const COLOURS = 12;  // steps from the worst to the best value
const FAR = 22;      // pixels from the pointer to a line or a dot that it still means
const ROWS = 250;    // of the table of trials, until all are asked for: thousands take a second to lay out
const MARGIN = { top: 14, right: 16, bottom: 22, left: 52 };

const view = { axis: "time", sort: { column: "trial", down: false }, allRows: false, ranges: new Map() };
let data = null;  // the sweep, as prepare() makes it

// ---- data ----

function prepare(sweep) {
  const { goal, name } = sweep.metric, sign = goal === "minimize" ? -1 : 1;
  const trials = sweep.trials.map((trial) => ({ ...trial, best: trial.number === sweep.best?.number }));
  const results = trials.flatMap((trial) => trial.values.map(([update, value, seconds]) => ({ trial, update, value, seconds })))
    .filter((result) => isNumber(result.value)).sort((a, b) => a.seconds - b.seconds);
  let best = -Infinity;
  results.forEach((result, i) => {
    result.count = i + 1;
    result.key = `${result.trial.number} ${result.update}`;
    result.improves = sign * result.value > best;
    best = Math.max(best, sign * result.value);
  });
  const byNumber = new Map(trials.map((trial) => [trial.number, trial])), short = shortKeys(sweep.parameters.map(({ key }) => key));
  return { ...sweep, sign, trials, results, byNumber, short, metricName: label(name) };
}

// The last parts of each key, as many as tell it from the others.
function shortKeys(keys) {
  const last = (key, count) => key.split(".").slice(-count).join(".");
  return new Map(keys.map((key) => {
    let count = 1;
    while (last(key, count) !== key && keys.some((other) => other !== key && last(other, count) === last(key, count))) ++count;
    return [key, last(key, count)];
  }));
}

// The lowest and the highest value, on the side of the worst not far beyond the middle half: one that diverged would leave no room for the others.
function usefulRange(values) {
  const sorted = values.map((value) => data.sign * value).sort((a, b) => a - b), at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const reach = 3 * (at(0.75) - at(0.25)), worst = reach > 0 ? Math.max(at(0), at(0.25) - reach) : at(0);
  return [data.sign * worst, data.sign * at(1)].sort((a, b) => a - b);
}

// What to say of values outside of a range, which are drawn at its end.
function beyond(values, [low, high]) {
  const count = values.filter((value) => value < low || value > high).length;
  return count ? `${number(count)} beyond the scale, at its edge` : "";
}

const within = (value, [low, high]) => Math.max(low, Math.min(high, value));
const median = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
const setting = (value) => !isNumber(value) ? shownValue(value) : Number.isInteger(value) ? number(value) : String(parseFloat(value.toPrecision(4)));
const plural = (count, name) => `${number(count)} ${name}${count === 1 ? "" : "s"}`;
const trialName = (trial) => `trial ${trial.number}${trial.best ? " (best)" : ""}`;

// 0 is the worst, 1 the best.
function mixed(share) {
  const [from, to, part] = share < 0.5 ? ["worst", "middle", share] : ["middle", "best", share - 0.5];
  return `color-mix(in oklab, var(--${from}), var(--${to}) ${Math.round(200 * part)}%)`;
}

// Rebuilds what a node contains if what it shows has changed.
const shownIn = new Map();
function renew(id, shows, build) {
  const signature = JSON.stringify(shows);
  if (shownIn.get(id) === signature) return;
  shownIn.set(id, signature);
  keepingPlace(() => byId(id).replaceChildren(...build()));
}

// ---- facts ----

function renderFacts() {
  const { name, method, sign, metricName, budget, trials, seconds, best } = data, title = document.title;
  const count = (state) => trials.filter((trial) => trial.state === state).length;
  const counts = (...states) => states.filter(count).map((state) => `${number(count(state))} ${state}`);
  const ended = counts("stopped", "failed"), done = number(count("finished") + count("stopped") + count("failed"));
  const progress = [`${done}${budget.trials ? ` of ${number(budget.trials)}` : ""} done${ended.length ? ` (${ended.join(", ")})` : ""}`, ...counts("running", "waiting")];
  const facts = {
    ...(name && name !== title ? { sweep: name } : {}),
    method,
    metric: `${metricName}, the ${sign > 0 ? "higher" : "lower"} the better`,
    trials: progress.join(", "),
    time: `${duration(seconds)}${budget.minutes ? ` of ${duration(60 * budget.minutes)}` : ""}`,
    ...(best ? { best: `${number(best.value)} by trial ${best.number}` } : {}),
  };
  renew("facts", facts, () => Object.entries(facts).map(([fact, value]) => el("div", {}, el("dt", {}, fact), el("dd", {}, value))));
}

function renderSpace() {
  const { parameters } = data;
  renew("space", parameters, () => [disclosure("space", `search space: ${plural(parameters.length, "parameter")}`, () =>
    table("space", [{ name: "parameter" }, { name: "distribution" }, { name: "values" }], parameters.map(({ key, distribution, min, max, values }) =>
      [key, distribution.replaceAll("_", " "), values ? values.map(setting).join(", ") : `${setting(min)} to ${setting(max)}`])))]);
}

// ---- the trial that is pointed at ----

let lit = null;  // { number, place, held, head }

// Marks a trial in the picture and the table of the trials, with a tip at the point place(), if there is one; a held one stays while the page scrolls.
function light(trial, place, held = false, head = []) {
  if (lit?.number !== trial.number) {
    markRow(false);
    lit = { number: trial.number };
    markRow(true);
    parallel.drawLit(trial);
  }
  Object.assign(lit, { place, held, head });
  const point = place();
  if (point) showTip(tip(trial, head), ...point); else hideTip();
}

function unlight() {
  if (!lit) return;
  markRow(false);
  lit = null;
  parallel.drawLit(null);
  hideTip();
}

function tip(trial, head) {
  const { metricName, parameters } = data;
  const facts = [...head, ...(head.length ? [] : [[metricName, number(trial.value)], ["update", number(trial.update)], ["time", duration(trial.seconds)]]),
    ...parameters.map(({ key }) => [data.short.get(key), key in trial.parameters ? setting(trial.parameters[key]) : "none"])];
  return [
    el("div", {}, el("b", {}, trialName(trial)), ` ${trial.state}`),
    ...(trial.error ? [el("div", { class: "faint error" }, trial.error)] : []),
    el("table", {}, ...facts.map(([name, value]) => el("tr", {}, el("td", { class: "name faint" }, name), el("td", {}, value))))];
}

function spoken(trial, head) {
  const settings = Object.entries(trial.parameters).map(([key, value]) => [data.short.get(key) ?? key, setting(value)]);
  const values = [...(head.length ? head : [[data.metricName, number(trial.value)]]), ...settings];
  return `${trialName(trial)}, ${trial.state}: ${values.map((pair) => pair.join(" ")).join(", ")}`;
}

// Pointer and keys go over chart.items, in the order of the keys, each with its trial and its key: chart.nearest(x, y) is the one at a point,
// chart.place(item) where it lies in the chart, chart.mark(item) marks it, or none; chart.head(item) is what a tip tells beyond the trial.
function explore(chart, back, forward) {
  const { node } = chart;
  let current = null;
  const box = () => node.getBoundingClientRect();
  const leave = () => { chart.mark(null); unlight(); };
  const take = (item, place, held) => {
    current = item.key;
    chart.mark(item);
    light(item.trial, place, held, chart.head(item));
  };
  const point = (event) => {
    if (event.buttons && event.pointerType === "mouse") return;
    const { left, top } = box(), item = chart.nearest(event.clientX - left, event.clientY - top);
    if (item) take(item, () => [event.clientX, event.clientY], false); else leave();
  };
  node.addEventListener("pointermove", point);
  node.addEventListener("pointerdown", (event) => { if (event.pointerType !== "mouse") point(event); });
  node.addEventListener("dblclick", () => { if (lit) focusRow(data.byNumber.get(lit.number)); });
  node.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  node.addEventListener("blur", leave);
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || chart.items.length === 0) return;
    const { items } = chart, at = items.findIndex((item) => item.key === current), last = items.length - 1;
    const to = { [back]: at < 0 ? last : Math.max(0, at - 1), [forward]: Math.min(last, at + 1), Home: 0, End: last }[event.key];
    const handled = to !== undefined || event.key === "Escape" || (event.key === "Enter" && at >= 0) || chart.key?.(event.key, items[at]);
    if (!handled) return;
    event.preventDefault();
    if (event.key === "Escape") leave();
    else if (event.key === "Enter") focusRow(items[at].trial);
    else if (to !== undefined) {
      const { x, y } = chart.place(items[to]);
      take(items[to], () => [box().left + x, box().top + y], true);
      byId("spoken").textContent = spoken(items[to].trial, chart.head(items[to]));
    }
  });
}

// The nearest of the dots { x, y }, if it is near.
function nearestDot(dots, x, y) {
  let best = null, least = FAR ** 2;
  for (const dot of dots) {
    const distance = (dot.x - x) ** 2 + (dot.y - y) ** 2;
    if (distance < least) { least = distance; best = dot; }
  }
  return best;
}

// A chart of dots, which a ring marks.
function dotChart(id, chart) {
  const node = byId(id), ring = svg("circle", { class: "ring", r: 5, style: "stroke: var(--ink)", visibility: "hidden" });
  Object.assign(chart, {
    node, ring, items: [],
    nearest: (x, y) => nearestDot(chart.items, x, y),
    place: (dot) => dot,
    mark: (dot) => fill(ring, dot ? { cx: dot.x, cy: dot.y, visibility: "visible" } : { visibility: "hidden" }, []),
  });
  explore(chart, "ArrowLeft", "ArrowRight");
  return chart;
}

const dotsPath = (dots) => dots.map(({ x, y }) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
const keyDot = (attributes) => svg("svg", { width: 10, height: 10 }, svg("circle", { cx: 5, cy: 5, r: 3, ...attributes }));

// ---- best so far ----

const course = {
  draw() {
    const { node, ring } = this, { results } = data, { width, height } = node.getBoundingClientRect();
    this.mark(null);
    this.items = [];
    node.setAttribute("aria-label", `Best ${data.metricName} so far: ${this.summary()}`);
    if (results.length === 0) return node.replaceChildren(text(width / 2, height / 2, "middle", "no results yet"));
    const box = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const time = view.axis === "time", last = time ? Math.max(data.seconds, results.at(-1).seconds) || 1 : results.length;
    const values = results.map((result) => result.value), useful = usefulRange(values), [low, high] = padded(...useful);
    byId("course-beyond").textContent = beyond(values, useful);
    const x = (value) => box.left + value / last * (box.right - box.left);
    const y = (value) => box.bottom - (value - low) / (high - low) * (box.bottom - box.top);
    this.items = results.map((result) => ({ ...result, x: x(time ? result.seconds : result.count), y: y(within(result.value, useful)) }));
    const count = Math.max(2, (box.right - box.left) / 75);
    const ticks = time ? timeTicks(0, last, count) : linearTicks(0, last, count).filter((tick) => Number.isInteger(tick.value));
    const improving = this.items.filter((item) => item.improves), best = improving.at(-1);
    const steps = improving.map((item, i) => `${i ? "H" : "M"}${item.x.toFixed(1)}${i ? "V" : " "}${item.y.toFixed(1)}`).join("");
    const labelled = data.sign > 0 || best.y > box.bottom - 20 ? Math.max(11, best.y - 9) : best.y + 18;
    node.replaceChildren(
      ...axes(box, ticks.map((tick) => ({ at: x(tick.value), ...tick })), linearTicks(low, high, 4).map((tick) => ({ at: y(tick.value), ...tick }))),
      svg("path", { class: "dots", opacity: within(120 / this.items.length, [0.25, 0.6]), d: dotsPath(this.items) }),
      svg("path", { class: "steps", d: `${steps}H${box.right}` }),
      svg("path", { class: "dots improving", d: dotsPath(improving) }),
      text(within(best.x, [box.left + 20, box.right - 20]), labelled, "middle", number(best.value), { class: "value" }), ring);
  },

  summary() {
    const best = data.results.findLast((result) => result.improves);
    if (!best) return "no results yet";
    return `the best of ${plural(data.results.length, "result")} is ${number(best.value)}, of trial ${best.trial.number}, known after ${duration(best.seconds)}`;
  },

  head: ({ value, update, seconds, count }) => [[data.metricName, number(value)], ["update", number(update)], ["known after", duration(seconds)], ["result", number(count)]],

  render() {
    const improving = data.results.filter((result) => result.improves)
      .map(({ seconds, count, trial, update, value }) => [duration(seconds), number(count), number(trial.number), number(update), number(value)]);
    renew("course-table", improving, () => improving.length ? [disclosure("course", "table", () =>
      table("course", ["time", "result", "trial", "update", data.metricName].map((name) => ({ name, num: true })), improving))] : []);
    this.draw();
  },
};

// ---- parallel coordinates ----

const TOP = 34, TALL = 260, NONE = 30;  // the axes begin at TOP, "none" lies NONE below them
const SPACING = 112;                    // at least, between two axes

// An axis is unit(trial), linear along it, null where the trial has no such value; from and to, the units of its ends; ticks in units.
function parameterAxis({ key, distribution, min, max, values }) {
  const given = data.trials.filter((trial) => key in trial.parameters).map((trial) => trial.parameters[key]);
  const named = { key, name: data.short.get(key), title: key };
  if (values || !given.every(isNumber)) {
    const names = [...new Set([...(values ?? []), ...given].map(shownValue))], index = new Map(names.map((name, i) => [name, i]));
    const [from, to] = names.length > 1 ? [0, names.length - 1] : [-1, 1];
    const unit = ({ parameters }) => key in parameters ? index.get(shownValue(parameters[key])) : null;
    return { ...named, from, to, unit, ticks: names.map((name, i) => ({ unit: i, text: name })) };
  }
  let [low, high] = [Math.min(min ?? Infinity, ...given), Math.max(max ?? -Infinity, ...given)];
  if (low > high) [low, high] = [0, 1];
  const log = distribution.startsWith("log") && low > 0, scaled = log ? Math.log10 : (value) => value;
  if (low === high) [low, high] = padded(low, high, log);
  let ticks = (log ? logTicks : linearTicks)(low, high, 5);
  if (distribution.includes("int")) ticks = ticks.filter((tick) => Number.isInteger(tick.value)).map(({ value }) => ({ value, text: number(value) }));
  const unit = ({ parameters }) => key in parameters ? scaled(parameters[key]) : null;
  return { ...named, log, from: scaled(low), to: scaled(high), unit, ticks: ticks.map((tick) => ({ unit: scaled(tick.value), text: tick.text })) };
}

function metricAxis(range) {
  const [from, to] = range[0] < range[1] ? range : padded(...range);
  const ticks = data.trials.some((trial) => isNumber(trial.value)) ? linearTicks(from, to, 5) : [];
  return { key: "", name: data.metricName, title: `best ${data.metricName} of the trial`, from, to,
    unit: ({ value }) => isNumber(value) ? within(value, range) : null, ticks: ticks.map((tick) => ({ unit: tick.value, text: tick.text })) };
}

const parallel = {
  axes: [], items: [], chosen: null,

  start() {
    this.node = byId("parallel-plot");
    this.lines = svg("g", { class: "lines" });
    this.marks = svg("g");
    this.brushes = svg("g");
    this.overlay = svg("g", { class: "lit" });
    this.node.append(this.lines, this.marks, this.brushes, this.overlay);
    explore(this, "ArrowUp", "ArrowDown");
    this.listen();
  },

  // Lays everything out anew, for new data or another width.
  draw() {
    const { node } = this, values = data.trials.map((trial) => trial.value).filter(isNumber);
    this.range = values.length ? usefulRange(values) : [0, 1];
    this.axes = [...data.parameters.map(parameterAxis), metricAxis(this.range)];
    for (const axis of this.axes) axis.none = data.trials.some((trial) => axis.unit(trial) === null);
    const long = Math.max(...this.axes[0].ticks.map((tick) => tick.text.length)), left = within(12 + 6.5 * long, [48, 110]), right = 44;
    const room = node.parentNode.clientWidth, gaps = this.axes.length - 1, spacing = gaps ? Math.max(SPACING, (room - left - right) / gaps) : 0;
    const width = Math.max(room, left + gaps * spacing + right), height = TOP + TALL + (this.axes.some((axis) => axis.none) ? NONE + 14 : 12);
    node.style.cssText = `width: ${width}px; height: ${height}px`;
    this.axes.forEach((axis, i) => { axis.x = left + i * spacing; });
    for (const trial of data.trials) trial.heights = this.axes.map((axis) => this.y(axis, axis.unit(trial)));
    this.marks.replaceChildren(...this.axes.flatMap((axis, i) => this.axisMarks(axis, (i ? spacing : left) - 16, i)));
    this.drawLines();
  },

  y: (axis, unit) => unit === null ? TOP + TALL + NONE : TOP + TALL * (axis.to - unit) / (axis.to - axis.from),
  path(trial) { return `M${trial.heights.map((y, i) => `${this.axes[i].x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`; },

  // 0 for the worst trial, 1 for the best.
  share(trial) {
    const [low, high] = this.range, share = (within(trial.value, this.range) - low) / (high - low);
    return low === high ? 1 : data.sign > 0 ? share : 1 - share;
  },

  axisMarks(axis, room, i) {
    const { x, log, ticks, none } = axis, fitting = Math.max(4, Math.floor(room / 6));
    const short = (name, count) => name.length > count ? `${name.slice(0, count - 1)}…` : name;
    const name = text(x, 14, "middle", short(axis.name, 16), { class: `axis${i === this.chosen ? " chosen" : ""}` });
    name.append(svg("title", {}, axis.title));
    return [name, ...(log ? [text(x, 26, "middle", "log", { class: "small" })] : []),
      svg("line", { class: "axis", x1: x, x2: x, y1: TOP, y2: TOP + TALL }),
      ...(none ? [svg("circle", { class: "axis", cx: x, cy: TOP + TALL + NONE, r: 3 }), text(x - 7, TOP + TALL + NONE + 4, "end", "none", { class: "tick" })] : []),
      ...ticks.flatMap((tick) => {
        const y = this.y(axis, tick.unit);
        return [svg("line", { class: "axis", x1: x - 4, x2: x, y1: y, y2: y }), text(x - 7, y + 4, "end", short(tick.text, fitting), { class: "tick" })];
      })];
  },

  // One path for all lines of one colour: thousands of nodes would be slow.
  drawLines() {
    const colours = Array.from({ length: COLOURS }, () => []), failed = [], unknown = [];
    for (const trial of data.trials) trial.kept = this.keeps(trial);
    const trials = data.trials.filter((trial) => trial.kept), away = data.trials.filter((trial) => !trial.kept);
    for (const trial of trials) {
      if (trial.state === "failed") failed.push(trial);
      else if (!isNumber(trial.value)) unknown.push(trial);
      else colours[Math.min(COLOURS - 1, Math.floor(this.share(trial) * COLOURS))].push(trial);
    }
    // The more trials, the fainter those that are not good.
    const opacity = (share) => within(12 / Math.sqrt(trials.length + 1), [0.12, 0.9]) ** (1.5 - share), best = trials.find((trial) => trial.best);
    const line = (group, attributes) => group.length ? [svg("path", { d: group.map((trial) => this.path(trial)).join(""), ...attributes })] : [];
    this.lines.replaceChildren(
      ...line(away, { class: "away" }), ...line(failed, { class: "failed", opacity: opacity(0.5) }), ...line(unknown, { class: "unknown", opacity: opacity(0.5) }),
      ...colours.flatMap((group, i) => line(group, { style: `stroke: ${mixed(i / (COLOURS - 1))}`, opacity: opacity(i / (COLOURS - 1)) })),
      ...line(best ? [best] : [], { class: "best" }));
    const order = (trial) => isNumber(trial.value) ? -data.sign * trial.value : Infinity;
    this.items = trials.map((trial) => ({ trial, key: trial.number })).sort((a, b) => order(a.trial) - order(b.trial) || a.key - b.key);
    this.drawBrushes();
    const filtered = view.ranges.size > 0;
    byId("kept").textContent = filtered ? `${number(trials.length)} of ${plural(data.trials.length, "trial")}` : plural(trials.length, "trial");
    byId("reset").disabled = !filtered;
    const scored = trials.filter((trial) => isNumber(trial.value));
    this.node.setAttribute("aria-label", `Parallel coordinates of ${byId("kept").textContent}, over ${this.axes.map((axis) => axis.name).join(", ")}.` +
      (scored.length ? ` ${data.metricName} from ${number(this.items[scored.length - 1].trial.value)} to ${number(this.items[0].trial.value)}.` : ""));
  },

  drawLit(trial) {
    if (!trial) return this.overlay.replaceChildren();
    const d = this.path(trial), dash = trial.state === "failed" ? { "stroke-dasharray": "6 4" } : {};
    const colour = isNumber(trial.value) && trial.state !== "failed" ? mixed(this.share(trial)) : "var(--ink)";
    this.overlay.replaceChildren(svg("path", { class: "halo", d }), svg("path", { d, style: `stroke: ${colour}`, ...dash }),
      ...trial.heights.map((y, i) => svg("circle", { class: "ring", cx: this.axes[i].x, cy: y, r: 4, style: `stroke: ${colour}` })));
  },

  nearest(x, y) {
    const right = this.axes.findIndex((axis, i) => i > 0 && axis.x >= x), i = right < 0 ? this.axes.length - 1 : right;
    if (i === 0) return nearestDot(this.items.map((item) => ({ ...item, x: this.axes[0].x, y: item.trial.heights[0] })), x, y);
    const a = this.axes[i - 1].x, gap = this.axes[i].x - a, share = within((x - a) / gap, [0, 1]);
    let best = null, least = FAR;
    for (const item of this.items) {
      const from = item.trial.heights[i - 1], rise = item.trial.heights[i] - from;
      const distance = Math.abs(from + share * rise - y) * gap / Math.hypot(gap, rise);
      if (distance < least) { least = distance; best = item; }
    }
    return best;
  },

  place({ trial }) {
    const i = this.chosen ?? this.axes.length - 1;
    return { x: this.axes[i].x, y: trial.heights[i] };
  },
  mark() {},
  head: () => [],

  // ---- ranges of the axes ----

  keeps(trial) {
    return this.axes.every((axis) => {
      const range = view.ranges.get(axis.key), unit = axis.unit(trial);
      return !range || (unit === null ? range.none : unit >= range.low && unit <= range.high);
    });
  },

  keep(axis, range) {
    if (range) view.ranges.set(axis.key, range); else view.ranges.delete(axis.key);
    this.drawLines();
    renderRows();
  },

  drawBrushes() {
    this.brushes.replaceChildren(...this.axes.filter((axis) => view.ranges.has(axis.key)).map((axis) => {
      const { low, high, none } = view.ranges.get(axis.key), top = high < low ? TOP + TALL + 14 : within(this.y(axis, high) - 2, [TOP - 2, TOP + TALL]);
      const bottom = none ? TOP + TALL + NONE + 8 : within(this.y(axis, low) + 2, [TOP, TOP + TALL + 2]);
      return svg("rect", { class: "brush", x: axis.x - 7, y: top, width: 14, height: Math.max(2, bottom - top) });
    }));
  },

  // The range between two heights, without an end where it reaches that of the axis; "none" is in it if it reaches that far.
  rangeBetween(axis, a, b) {
    const unit = (y) => axis.to - (y - TOP) / TALL * (axis.to - axis.from), [top, bottom] = [Math.min(a, b), Math.max(a, b)];
    return { low: bottom < TOP + TALL ? unit(bottom) : -Infinity, high: top > TOP ? unit(top) : Infinity, none: axis.none && bottom > TOP + TALL + NONE / 2 };
  },

  listen() {
    const { node } = this;
    const at = (event) => { const box = node.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    const axisAt = ([x, y]) => y < TOP - 8 ? undefined : this.axes.find((axis) => Math.abs(axis.x - x) <= 9);
    let brush = null, brushed = false;
    node.addEventListener("pointerdown", (event) => {
      brushed = false;
      const axis = event.button === 0 && event.pointerType !== "touch" && axisAt(at(event));
      if (!axis) return;
      brush = { axis, from: at(event)[1] };
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      node.style.cursor = brush || axisAt([x, y]) ? "ns-resize" : "";
      if (!brush || Math.abs(y - brush.from) < 4) return;
      unlight();
      brushed = true;
      this.keep(brush.axis, this.rangeBetween(brush.axis, brush.from, y));
    });
    node.addEventListener("pointerup", () => {
      if (brush && !brushed) this.keep(brush.axis, null);
      brush = null;
    });
    node.addEventListener("pointercancel", () => { brush = null; });
  },

  key(key, item) {
    const last = this.axes.length - 1, axis = this.axes[this.chosen ?? last], unit = item && axis.unit(item.trial);
    const range = view.ranges.get(axis.key), all = { low: -Infinity, high: Infinity, none: false }, only = { low: Infinity, high: -Infinity, none: true };
    const known = range?.low <= range?.high ? range : all;
    const actions = {
      ArrowLeft: () => this.choose(Math.max(0, (this.chosen ?? last + 1) - 1)),
      ArrowRight: () => this.choose(Math.min(last, (this.chosen ?? -1) + 1)),
      f: () => this.keep(axis, unit === null ? only : { ...known, low: unit }),
      t: () => this.keep(axis, unit === null ? only : { ...known, high: unit }),
      Delete: () => this.keep(axis, null),
    };
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    if (!action || (key.length === 1 && !item)) return false;
    action();
    byId("spoken").textContent = key.startsWith("Arrow") ? this.axes[this.chosen].title : byId("kept").textContent;
    return true;
  },

  choose(i) {
    this.chosen = i;
    this.marks.querySelectorAll("text.axis").forEach((name, j) => name.classList.toggle("chosen", i === j));
    const scroller = this.node.parentNode, { x } = this.axes[i];
    scroller.scrollLeft = within(scroller.scrollLeft, [x + SPACING / 2 - scroller.clientWidth, x - SPACING / 2]);
  },

  render() {
    this.draw();
    const values = data.trials.map((trial) => trial.value).filter(isNumber), failed = data.trials.some((trial) => trial.state === "failed");
    const ends = values.length ? this.range.map(number) : null, further = ends && beyond(values, this.range);
    if (data.sign < 0) ends?.reverse();
    renew("parallel-key", [ends, further, failed], () => [
      ...(failed ? [el("span", {}, svg("svg", { class: "dash", width: 26, height: 8, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 26, y1: 4, y2: 4 })), "failed")] : []),
      ...(ends ? [el("span", {}, `${data.metricName} ${further ? data.sign > 0 ? "≤ " : "≥ " : ""}${ends[0]}`, el("span", { class: "ramp shades" }), ends[1])] : [])]);
  },
};

// ---- importance ----

function renderImportance() {
  const { importance } = data;
  byId("importance").hidden = importance.length === 0;
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const name = (key) => key.split(/(?<=\.)/).flatMap((part) => [part, el("wbr")]);
  renew("importance-bars", importance, () => [el("table", { class: "bars", "aria-label": "share of the variance" }, el("tbody", {}, ...importance.map(({ key, share }) =>
    el("tr", {}, el("th", { scope: "row" }, ...name(key)),
      el("td", {}, el("div", { class: "bar", style: `width: ${(100 * within(share, [0, 1])).toFixed(1)}%` })), el("td", { class: "num" }, percent(share))))))]);
}

// ---- the table of all trials ----

const rows = new Map();  // by the trial's number: its <tr> and what it shows

// Of a column: what to sort by, the content of a cell, and whether the first click sorts downwards.
function trialColumns() {
  const state = (trial) => [`${trial.state}${trial.best ? " (best)" : ""}`, ...(trial.error ? [el("div", { class: "faint error" }, trial.error)] : [])];
  return [
    { name: "trial", num: true, by: (trial) => trial.number, cell: (trial) => number(trial.number) },
    { name: "state", by: (trial) => trial.state, cell: (trial) => el("div", {}, ...state(trial)) },
    { name: data.metricName, key: "value", num: true, by: (trial) => trial.value, cell: (trial) => number(trial.value), down: data.sign > 0 },
    { name: "update", num: true, by: (trial) => trial.update, cell: (trial) => number(trial.update), down: true },
    { name: "time", num: true, by: (trial) => trial.seconds, cell: (trial) => duration(trial.seconds), down: true },
    ...data.parameters.map(({ key, values }) => ({ name: data.short.get(key), key, title: key, num: !values, by: (trial) => trial.parameters[key],
      cell: (trial) => setting(trial.parameters[key]) })),
  ].map((column) => ({ key: column.name, ...column }));
}

function renderHead(columns) {
  const { sort } = view;
  renew("head", [columns.map((column) => column.key), sort], () => [el("tr", {}, ...columns.map((column) => {
    const sorted = column.key === sort.column, title = column.title ? { title: column.title } : {};
    const button = el("button", { class: "sort", "data-key": `sort ${column.key}`, ...title }, column.name,
      el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? sort.down ? "▼" : "▲" : ""));
    button.addEventListener("click", () => {
      view.sort = { column: column.key, down: sorted ? !sort.down : Boolean(column.down) };
      renderRows();
      byId("rows").closest(".box").scrollTop = 0;
    });
    const order = sorted ? sort.down ? "descending" : "ascending" : "none";
    return el("th", { scope: "col", class: column.num ? "num" : "", "aria-sort": order }, button);
  }))]);
}

const collator = new Intl.Collator("en", { numeric: true });

// Missing values come last in both directions.
function compare(by, down) {
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
  return (a, b) => {
    const x = by(a) ?? null, y = by(b) ?? null;
    if (x === null || y === null) return (x === null) - (y === null) || a.number - b.number;
    return (down ? order(y, x) : order(x, y)) || a.number - b.number;
  };
}

function renderRows() {
  const columns = trialColumns(), { column, down } = view.sort, sorted = columns.find(({ key }) => key === column) ?? columns[0];
  const kept = data.trials.filter((trial) => trial.kept).sort(compare(sorted.by, down));
  const shown = (view.allRows ? kept : kept.slice(0, ROWS)).map((trial) => trialRow(trial, columns)), body = byId("rows");
  renderHead(columns);
  if (shown.length !== body.children.length || shown.some((row, i) => row !== body.children[i])) keepingPlace(() => body.replaceChildren(...shown));
  if (!shown.some((row) => row.tabIndex === 0)) reachable(shown[0]);
  byId("filtered").hidden = kept.length === data.trials.length;
  byId("filtered").textContent = `${number(kept.length)} of them, as filtered in the picture above`;
  byId("more").hidden = shown.length === kept.length;
  byId("more").textContent = `show all ${number(kept.length)}`;
  markRow(true);
}

// The row of a trial, made anew when the trial has changed.
function trialRow(trial, columns) {
  const shows = JSON.stringify(trial, (key, value) => ["heights", "kept", "values"].includes(key) ? undefined : value), known = rows.get(trial.number);
  if (known?.shows === shows) return known.node;
  const node = el("tr", { tabindex: -1, class: trial.best ? "best" : "", "data-key": `row ${trial.number}`, "data-trial": trial.number },
    ...columns.map((column, i) => el(i ? "td" : "th", { ...(i ? {} : { scope: "row" }), ...(column.num ? { class: "num" } : {}) }, column.cell(trial))));
  rows.set(trial.number, { shows, node });
  return node;
}

function markRow(on) {
  if (lit) rows.get(lit.number)?.node.classList.toggle("lit", on);
}

// The tab key reaches one of the rows, the arrow keys the others.
function reachable(row) {
  for (const other of byId("rows").querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  if (row) row.tabIndex = 0;
}

function focusRow(trial) {
  unlight();
  if (!rows.get(trial.number)?.node.isConnected) {
    view.allRows = true;
    renderRows();
  }
  rows.get(trial.number)?.node.focus();
}

function connectRows() {
  const body = byId("rows"), rowAt = (event) => event.target.closest("tr"), trialOf = (row) => data.byNumber.get(Number(row.dataset.trial));
  body.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") light(trialOf(rowAt(event)), () => [event.clientX, event.clientY]); });
  body.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") unlight(); });
  body.addEventListener("focusin", (event) => {
    const row = rowAt(event), trial = trialOf(row), box = row.closest(".box");
    const place = () => {
      const { node } = rows.get(trial.number);  // another than `row` after an update
      const { right, bottom } = node.getBoundingClientRect();
      return node.isConnected ? [Math.min(right, box.getBoundingClientRect().right) - 14, bottom - 10] : null;
    };
    reachable(row);
    light(trial, place, true);
  });
  body.addEventListener("focusout", unlight);
  byId("more").addEventListener("click", () => {
    view.allRows = true;
    renderRows();
    body.children[ROWS]?.focus();
  });
  body.addEventListener("keydown", (event) => {
    const shown = [...body.children], at = shown.indexOf(rowAt(event));
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    shown[within(to, [0, shown.length - 1])].focus();
  });
}

// ---- successive halving ----

const RUNG = 46;  // pixels of a rung

// For each rung the trials that have reached it, with the value that they had there, and whether they have gone on to the next.
function rungs() {
  const reached = (trial, rung) => Math.max(trial.update, trial.values.at(-1)?.[0] ?? 0) >= rung;
  return data.rungs.map((rung, i) => {
    const trials = data.trials.filter((trial) => reached(trial, rung)), next = data.rungs[i + 1];
    const value = (trial) => trial.values.findLast(([update]) => update <= rung)?.[1];
    const results = trials.map((trial) => ({ trial, rung, key: `${trial.number} ${rung}`, value: value(trial), on: next !== undefined && reached(trial, next) }))
      .filter((result) => isNumber(result.value)).sort((a, b) => a.value - b.value);
    return { rung, last: next === undefined, trials, results, values: results.map((result) => result.value) };
  });
}

const halving = {
  draw() {
    const { node, ring } = this, all = rungs(), values = all.flatMap((rung) => rung.values);
    const { width } = node.getBoundingClientRect(), height = MARGIN.top + RUNG * all.length + MARGIN.bottom;
    this.mark(null);
    this.items = [];
    node.style.height = `${height}px`;
    if (all.length === 0) return;
    node.setAttribute("aria-label", `${data.metricName} at each rung. ${this.rows(all).map(([rung, count, best]) => `${rung} updates: ${count} trials, best ${best}`).join("; ")}.`);
    if (values.length === 0) return node.replaceChildren(text(width / 2, height / 2, "middle", "no results at a rung yet"));
    const box = { left: 100, right: width - MARGIN.right, bottom: height - MARGIN.bottom }, useful = usefulRange(values), [low, high] = padded(...useful);
    byId("halving-beyond").textContent = beyond(values, useful);
    const x = (value) => box.left + (value - low) / (high - low) * (box.right - box.left);
    const at = (i) => MARGIN.top + RUNG * (i + 0.5);
    const ticks = linearTicks(low, high, Math.max(2, (box.right - box.left) / 75)).map((tick) => ({ at: x(tick.value), ...tick }));
    const strewn = (trial) => (trial.number * 0.618 % 1 - 0.5) * 24;
    const strips = all.map((rung, i) => rung.results.map((result) => ({ ...result, x: x(within(result.value, useful)), y: at(i) + strewn(result.trial) })));
    const marks = all.map(({ values: some }, i) => ({ at: x(within(median(some), useful)), y1: at(i) - 16, y2: at(i) + 16, some })).filter(({ some }) => some.length);
    this.items = strips.flat();
    const opacity = within(12 / Math.sqrt(this.items.length), [0.45, 0.8]);
    node.replaceChildren(
      ...axes(box, ticks, []),
      ...all.flatMap(({ rung, trials, last }, i) => [
        svg("line", { class: "grid", x1: box.left, x2: box.right, y1: at(i), y2: at(i) }),
        text(box.left - 10, at(i) - 2, "end", `${number(rung)} updates`, { class: "name" }),
        text(box.left - 10, at(i) + 12, "end", plural(trials.length, "trial")),
        svg("path", { class: "dots", opacity, d: dotsPath(strips[i].filter((dot) => !dot.on && !last)) }),
        svg("path", { class: "dots on", opacity, d: dotsPath(strips[i].filter((dot) => dot.on || last)) })]),
      ...marks.map((mark) => svg("line", { class: "median", x1: mark.at, x2: mark.at, y1: mark.y1, y2: mark.y2 })), ring);
  },

  rows: (all) => all.map(({ rung, trials, values }) => {
    const ends = [Math.max(...values), Math.min(...values)];
    if (data.sign < 0) ends.reverse();
    return [number(rung), number(trials.length), number(ends[0]), number(median(values)), number(ends[1])];
  }),

  head: ({ value, rung }) => [[data.metricName, number(value)], ["rung", `${number(rung)} updates`]],

  render() {
    byId("halving").hidden = data.rungs.length === 0;
    if (data.rungs.length === 0) return;
    const shown = this.rows(rungs());
    renew("halving-table", shown, () => [disclosure("halving", "table", () =>
      table("halving", ["rung", "trials", "best", "median", "worst"].map((name) => ({ name, num: true })), shown))]);
    this.draw();
  },
};

// ---- best configuration ----

async function copy(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
  } catch {  // pages from other machines have no clipboard
    getSelection().selectAllChildren(node);
    document.execCommand("copy");
  }
}

function copyable(name, content) {
  const pre = el("pre", { tabindex: 0, role: "region", "aria-label": name, class: "box", "data-key": `copyable ${name}` }, content);
  const button = el("button", { "aria-label": `copy the ${name}`, "data-key": `copy ${name}` }, "copy");
  button.addEventListener("click", async () => {
    await copy(pre);
    button.textContent = byId("spoken").textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
  return [el("div", { class: "heading" }, el("h3", {}, name), button), pre];
}

function renderConfiguration() {
  const { best, metricName } = data;
  byId("configuration").hidden = !best;
  renew("configuration-parts", best, () => best ? [
    el("p", {}, `Trial ${best.number}, ${metricName} ${number(best.value)}.`),
    ...copyable("configuration", best.yaml), ...copyable("command", best.command)] : []);
}

// ---- the page ----

const charts = [dotChart("course-plot", course), parallel, dotChart("halving-plot", halving)];

function show({ sweep }) {
  const before = lit, empty = sweep.trials.length === 0;
  data = prepare(sweep);
  renderFacts();
  renderSpace();
  byId("none").hidden = !empty;
  for (const section of document.querySelectorAll("section")) section.hidden = empty;
  if (empty) return;
  course.render();
  parallel.render();
  renderImportance();
  renderRows();
  halving.render();
  renderConfiguration();
  if (!before) return;
  unlight();
  const trial = data.byNumber.get(before.number);
  if (trial) light(trial, before.place, before.held, before.head);
}

function connectPage() {
  parallel.start();
  radios(byId("axis"), "axis", { time: "time", results: "number of results" }, view.axis, (axis) => {
    view.axis = axis;
    unlight();
    course.draw();
  });
  const line = (width, height, attributes) => svg("svg", { width, height }, svg("line", attributes));
  byId("course-key").replaceChildren(line(20, 8, { class: "steps", x1: 0, x2: 20, y1: 4, y2: 4 }), "best so far", keyDot({ class: "one" }), "a result");
  byId("halving-key").replaceChildren(keyDot({ class: "one on" }), "went on, or reached the end", keyDot({ class: "one" }), "did not, or not yet",
    line(8, 14, { class: "median", x1: 4, x2: 4, y1: 0, y2: 14 }), "median");
  byId("reset").addEventListener("click", () => {
    view.ranges.clear();
    parallel.drawLines();
    renderRows();
    parallel.node.focus({ preventScroll: true });
  });
  connectRows();
  addEventListener("scroll", () => {
    const [left, top] = (lit?.held && lit.place()) || [];
    if (top > 0 && top < innerHeight) showTip(tip(data.byNumber.get(lit.number), lit.head), left, top);
    else if (lit) hideTip();
  }, { capture: true, passive: true });
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width !== width && data?.trials.length) for (const chart of charts) chart.draw();
    width = contentRect.width;
  }).observe(document.querySelector("main"));
}

connectPage();
follow(show);
