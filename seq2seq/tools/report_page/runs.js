// The page of training runs.

const COLOURS = 8;
const DASHES = ["", "7 4", "2 4", "10 4 2 4", "14 5", "5 3 1 3", "1 6"];
const BLOCKS = { progress: "training", validation: "validation" };
const AXES = { update: "update", time: "seconds", epoch: "epoch", tokens: "tokens" };
const PROGRESS_ORDER = ["learning_rate", "gradient_norm", "tokens_per_second", "teacher_forcing", "token_accuracy"];
const NORMS = { gradient: "gradient norm", weight: "weight norm", saturated: "saturated gates" };
const MARGIN = { top: 14, right: 16, bottom: 22, left: 52 };
const HEIGHT = 194;
const TABLE_ROWS = 500;
const FRAME_BUDGET = 40;  // ms

// `stamp` changes whenever more than the smoothing or the cursor did: charts then lay themselves out anew.
const view = { axis: "update", smoothing: 0, log: false, clip: false, zoom: null, hidden: new Set(), norm: "gradient", sample: null, cursor: null, stamp: 1 };
const charts = new Map();  // by column
let data = { runs: [] };

// ---- looks of a run, the x axis ----

const colour = (run) => `var(--run-${run.index % COLOURS})`;
const dash = (run) => DASHES[Math.floor(run.index / COLOURS) % DASHES.length];
const scaledDash = (run) => dash(run).replace(/\d+/g, (n) => n * 10);

function swatch(run) {
  return svg("svg", { class: "swatch", width: 22, height: 8, "aria-hidden": "true" },
    svg("line", { x1: 1, x2: 21, y1: 4, y2: 4, style: `stroke: ${colour(run)}`, "stroke-width": 3, "stroke-dasharray": dash(run) }));
}

function position(x) {
  if (view.axis === "time") return duration(x);
  return view.axis === "epoch" ? x.toFixed(2) : grouped.format(x);
}

function xTicks([low, high], count) {
  return view.axis === "time" ? timeTicks(low, high, count) : linearTicks(low, high, count);
}

// ---- data ----

function prepare(raw) {
  const seen = new Map();
  const runs = (raw.runs ?? []).map((run, index) => {
    const name = String(run.name ?? `run ${index + 1}`), count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { ...run, index, key: count > 1 ? `${name} (${count})` : name, cache: new Map() };
  });
  return { ...raw, runs };
}

const shown = () => data.runs.filter((run) => !view.hidden.has(run.key));

function cached(run, key, compute) {
  if (!run.cache.has(key)) run.cache.set(key, compute());
  return run.cache.get(key);
}

function numbers(values) {
  const result = new Float64Array(values.length);
  for (let i = 0; i < result.length; ++i) result[i] = values[i] ?? NaN;
  return result;
}

// The first index whose x is not below the target.
function lowerBound(x, target) {
  let low = 0, high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < target) low = middle + 1; else high = middle;
  }
  return low;
}

function nearest(x, target) {
  const i = lowerBound(x, target);
  return i > 0 && (i === x.length || target - x[i - 1] <= x[i] - target) ? i - 1 : i;
}

// Validations may lack an epoch or a count of tokens: take it from the progress around that update.
function interpolate(run, column, update) {
  const from = run.progress?.update ?? [], to = run.progress?.[column] ?? [];
  const i = lowerBound(from, update), j = Math.max(0, i - 1), k = Math.min(i, from.length - 1);
  if (from.length === 0) return NaN;
  const share = from[k] > from[j] ? Math.min(1, Math.max(0, (update - from[j]) / (from[k] - from[j]))) : 0;
  return (to[j] ?? NaN) + share * ((to[k] ?? NaN) - (to[j] ?? NaN));
}

// x of a block on the chosen axis; `order` sorts it and leaves out rows without x, null where nothing is to do.
function abscissa(run, block) {
  return cached(run, `${block} ${view.axis}`, () => {
    const rows = run[block] ?? {}, column = AXES[view.axis], updates = rows.update ?? [];
    const all = numbers(rows[column] ?? new Array(updates.length));
    if (block === "validation") updates.forEach((update, i) => { if (isNaN(all[i])) all[i] = interpolate(run, column, update); });
    if (all.every((value, i) => i === 0 ? !isNaN(value) : value >= all[i - 1])) return { all, x: all, order: null };
    const order = [...all.keys()].filter((i) => !isNaN(all[i])).sort((a, b) => all[a] - all[b]);
    return { all, x: Float64Array.from(order, (i) => all[i]), order };
  });
}

function series(run, block, column) {
  return cached(run, `${block} ${view.axis} ${column}`, () => {
    const values = run[block]?.[column];
    if (!values?.some(isNumber)) return null;
    const { x, order } = abscissa(run, block), y = numbers(values);
    return x.length ? { x, y: order ? Float64Array.from(order, (i) => y[i]) : y } : null;
  });
}

// Exponential smoothing, corrected for its start at zero; nulls stay gaps.
// The result lies in one buffer for all curves and holds until the next call: a copy for each would cost more than computing it again.
let smoothBuffer = new Float64Array(0);
function smooth(y, alpha) {
  if (smoothBuffer.length < y.length) smoothBuffer = new Float64Array(y.length);
  const result = smoothBuffer;
  let sum = 0, weight = 0;
  for (let i = 0; i < y.length; ++i) {
    const value = y[i];
    if (value === value) { sum = alpha * sum + (1 - alpha) * value; weight = alpha * weight + 1 - alpha; }
    result[i] = value === value ? sum / weight : NaN;
  }
  return result;
}

function lastAndBest(curve, lower) {
  if (curve.last === undefined) {
    let best = lower ? Infinity : -Infinity;
    for (const value of curve.y) {
      if (value === value) curve.last = value;
      if (lower ? value < best : value > best) best = value;
    }
    curve.best = best;
  }
  return curve;
}

function bestOf(run) {
  const { metric, update } = run.best ?? {};
  const index = (run.validation?.update ?? []).indexOf(update);
  return metric ? { metric, update, index, value: run.validation?.[metric]?.[index] ?? null } : null;
}

function chartColumns() {
  const columns = (block) => data.runs.flatMap((run) => Object.keys(run[block] ?? {}));
  const all = new Set(["loss", "perplexity", ...columns("validation"), ...PROGRESS_ORDER, ...columns("progress")]);
  const plotted = (run, column) => Object.keys(BLOCKS).some((block) => run[block]?.[column]?.some(isNumber));
  return [...all].filter((column) => !Object.values(AXES).includes(column) && data.runs.some((run) => plotted(run, column)));
}

// All charts share one range of x, so that they can be compared by eye.
let extentStamp = 0, extent = [0, 1];
function fullDomain() {
  if (extentStamp === view.stamp) return extent;
  let low = Infinity, high = -Infinity;
  for (const run of shown()) for (const block of Object.keys(BLOCKS)) {
    const { x } = abscissa(run, block);
    if (x.length) { low = Math.min(low, x[0]); high = Math.max(high, x.at(-1)); }
  }
  if (low > high) [low, high] = [0, 1];
  else if (low === high) [low, high] = high > 0 ? [0, 2 * high] : [low, low + 1];
  else if (low > 0 && low < 0.1 * high) low = 0;
  extentStamp = view.stamp;
  return extent = [low, high];
}

const domain = () => view.zoom ?? fullDomain();

// ---- charts ----

const scaleY = (frame, value) => ((frame.log ? Math.log10(value) : value) - frame.y0) * frame.ky;

// Where the points of each column of pixels begin, found once for all charts of one width;
// the first and the last column hold the neighbours outside, to which the line goes on.
function pixelColumns(run, block, { x0, x1, width }) {
  const known = cached(run, `${block} columns`, () => ({}));
  if (known.stamp === view.stamp && known.width === width) return known.starts;
  const { x } = abscissa(run, block), count = Math.ceil(width), starts = new Int32Array(count + 4);
  for (let column = 0; column <= count; ++column) starts[column + 1] = lowerBound(x, x0 + column * (x1 - x0) / count);
  starts[0] = Math.max(0, starts[1] - 1);
  starts[count + 2] = lowerBound(x, x1 + (x1 - x0) * 1e-9);
  starts[count + 3] = Math.min(x.length, starts[count + 2] + 1);
  Object.assign(known, { stamp: view.stamp, width, starts });
  return starts;
}

// The d of one curve in tenths of a pixel (short integers): at most the lowest and the highest value of each column.
function curvePath(x, y, starts, frame) {
  const floor = frame.log ? 0 : -Infinity, { x0, kx } = frame;
  const across = (i) => Math.round((x[i] - x0) * kx);
  const down = (value) => Math.round(Math.max(-9e4, Math.min(9e4, scaleY(frame, value))));
  let d = "", pen = "M", alone = false;
  for (let column = 0; column + 1 < starts.length; ++column) {
    const from = starts[column], to = starts[column + 1];
    let low = -1, high = -1, lowest = Infinity, highest = floor;
    for (let i = from; i < to; ++i) {
      const value = y[i];
      if (value < lowest && value > floor) { lowest = value; low = i; }
      if (value > highest) { highest = value; high = i; }
    }
    if (low < 0) {
      if (from === to) continue;
      if (alone) d += "h0";  // a point between gaps is a dot, by its round cap
      pen = "M";
      alone = false;
      continue;
    }
    const top = down(highest), bottom = down(lowest), two = bottom - top > 4;
    alone = pen === "M" && !two;
    if (two) d += low < high ? `${pen}${across(low)} ${bottom}L${across(high)} ${top}` : `${pen}${across(high)} ${top}L${across(low)} ${bottom}`;
    else d += `${pen}${across(Math.max(low, high))} ${top}`;
    pen = "L";
  }
  return alone ? d + "h0" : d;
}

// One path for all points of a curve, and their number; without the path where they are too many to be told apart.
function dotPath(x, y, frame) {
  const from = lowerBound(x, frame.x0);
  let d = "", count = 0;
  for (let i = from; i < x.length && x[i] <= frame.x1 && count < frame.width; ++i) {
    if (!(y[i] >= frame.range[0] && y[i] <= frame.range[1])) continue;
    d += `M${Math.round((x[i] - frame.x0) * frame.kx)} ${Math.round(scaleY(frame, y[i]))}h0`;
    ++count;
  }
  return { d, count };
}

function valueRange(curves, [x0, x1]) {
  const sample = [];
  let low = Infinity, high = -Infinity;
  const floor = view.log ? 0 : -Infinity;
  for (const { series: { x, y } } of curves) {
    const start = lowerBound(x, x0), stride = Math.ceil(x.length / 400);
    for (let i = start; i < x.length && x[i] <= x1; ++i) {
      const value = y[i];
      if (!(value > floor)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
      if (view.clip && i % stride === 0) sample.push(value);
    }
  }
  if (low > high) return null;
  if (sample.length > 10) {
    sample.sort((a, b) => a - b);
    const at = (share) => sample[Math.floor(share * (sample.length - 1))], margin = (at(0.95) - at(0.05)) / 4;
    if (margin > 0) [low, high] = [Math.max(low, at(0.05) - margin), Math.min(high, at(0.95) + margin)];
  }
  return padded(low, high, view.log);
}

class Chart {
  constructor(column) {
    this.column = column;
    this.visible = false;
    this.width = 0;
    this.drawn = "";
    this.drawnAt = 0;
    this.stamp = 0;
    this.grid = svg("g");
    this.faint = svg("g", { opacity: 0.25 });
    this.lines = svg("g");
    // The inner <svg> clips the lines, a pixel beyond the axes; points on the edge stay whole.
    this.inner = svg("svg", { x: MARGIN.left - 1, y: MARGIN.top - 1, class: "curves" },
      svg("g", { transform: "translate(1 1) scale(.1)" }, this.faint, this.lines));
    this.dots = svg("g", { class: "curves", transform: `translate(${MARGIN.left} ${MARGIN.top}) scale(.1)` });
    this.marks = svg("g");
    this.line = svg("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: "hidden" });
    this.selection = svg("rect", { class: "selection", y: MARGIN.top, height: HEIGHT - MARGIN.top - MARGIN.bottom, visibility: "hidden" });
    this.svg = svg("svg", { tabindex: 0, role: "img", "data-key": `chart ${column}` }, this.grid, this.selection, this.line, this.inner, this.dots, this.marks);
    this.keyNode = el("span", { class: "key", "aria-hidden": "true" });
    this.details = disclosure(`chart ${column}`, "table", () => { this.tableStamp = view.stamp; return this.table(); });
    this.node = el("figure", { class: "chart" },
      el("figcaption", {}, el("h3", {}, label(column)), this.keyNode), this.svg, this.details);
    this.node.chart = this;
    this.listen();
  }

  curves() {
    return shown().flatMap((run) => Object.keys(BLOCKS).map((block) => ({ run, block, series: series(run, block, this.column) })))
      .filter((curve) => curve.series);
  }

  draw() {
    const state = `${view.stamp} ${view.smoothing} ${this.width}`;
    if (this.drawn === state || this.width === 0) return;
    if (this.stamp !== view.stamp || this.drawnWidth !== this.width) this.layout();
    if (this.frame) this.drawSmoothed();
    this.drawn = state;
    this.drawnAt = performance.now();
    this.drawnWidth = this.width;
  }

  layout() {
    this.stamp = view.stamp;
    this.shownCurves = this.curves();
    const range = valueRange(this.shownCurves, domain());
    this.frame = range && this.makeFrame(domain(), range);
    for (const group of [this.grid, this.faint, this.lines, this.dots, this.marks]) group.replaceChildren();
    this.describe();
    if (this.details.open && this.tableStamp !== view.stamp) this.renewTable();
    if (!this.frame) {
      const reason = this.shownCurves.length && view.log ? "no positive values here" : "no values here";
      this.grid.append(text(this.width / 2, HEIGHT / 2, "middle", reason));
      return;
    }
    this.inner.setAttribute("width", this.frame.width + 2);
    this.inner.setAttribute("height", this.frame.height + 2);
    this.drawGrid();
    for (const curve of this.shownCurves) this.addCurve(curve);
    this.drawBest();
  }

  makeFrame([x0, x1], range) {
    const width = this.width - MARGIN.left - MARGIN.right, height = HEIGHT - MARGIN.top - MARGIN.bottom;
    const [bottom, top] = view.log ? range.map(Math.log10) : range;
    return { x0, x1, width, height, range, log: view.log, kx: 10 * width / (x1 - x0), y0: top, ky: -10 * height / (top - bottom) };
  }

  x(value) { return MARGIN.left + (value - this.frame.x0) * this.frame.kx / 10; }
  y(value) { return MARGIN.top + scaleY(this.frame, value) / 10; }

  drawGrid() {
    const { range, width } = this.frame, box = { left: MARGIN.left, right: MARGIN.left + width, bottom: HEIGHT - MARGIN.bottom };
    const xs = xTicks(domain(), Math.max(2, width / 75)), ys = view.log ? logTicks(...range) : linearTicks(...range, 4);
    this.grid.append(...axes(box, xs.map((tick) => ({ at: this.x(tick.value), ...tick })), ys.map((tick) => ({ at: this.y(tick.value), ...tick }))));
  }

  addCurve(curve) {
    const { run, block, series: { x, y } } = curve, style = `stroke: ${colour(run)}`;
    curve.starts = pixelColumns(run, block, this.frame);
    curve.raw = curvePath(x, y, curve.starts, this.frame);
    curve.path = svg("path", { style, "stroke-width": block === "validation" ? 14 : 11, "stroke-dasharray": scaledDash(run), d: curve.raw });
    this.lines.append(curve.path);
    if (block === "progress") {
      curve.faint = svg("path", { style, "stroke-width": 10, d: "" });
      this.faint.append(curve.faint);
    }
    // Few points are marked, those of the training smaller: else a lonely one would not be seen.
    const dots = dotPath(x, y, this.frame);
    if (dots.count < this.frame.width / (block === "progress" ? 12 : 6)) this.dots.append(svg("path", { style, "stroke-width": block === "progress" ? 30 : 50, d: dots.d }));
  }

  drawSmoothed() {
    const on = view.smoothing > 0;
    for (const curve of this.shownCurves) {
      if (curve.block !== "progress" || (!on && !curve.smoothed)) continue;
      curve.path.setAttribute("d", on ? curvePath(curve.series.x, smooth(curve.series.y, view.smoothing), curve.starts, this.frame) : curve.raw);
      if (on !== Boolean(curve.smoothed)) curve.faint.setAttribute("d", on ? curve.raw : "");
      curve.smoothed = on;
    }
  }

  drawBest() {
    const marks = shown().map((run) => ({ run, ...this.bestMark(run) })).filter((mark) => mark.x !== undefined), taken = [];
    for (const { run, x, y } of marks) this.marks.append(svg("circle", { class: "ring", cx: x, cy: y, r: 4.5, style: `stroke: ${colour(run)}` }));
    if (marks.length > 8) marks.sort((a, b) => a.y - b.y).splice(marks[0].run.lower_is_better?.includes(this.column) ? 0 : 1, marks.length - 1);
    for (const { x, y, value } of marks) {
      const half = value.length * 3.5 + 2, cx = Math.max(MARGIN.left + half, Math.min(this.width - half, x));
      const free = [y - 10, y + 18].filter((cy) => cy >= 10 && cy < HEIGHT - MARGIN.bottom)
        .find((cy) => taken.every((box) => Math.abs(box.cx - cx) > box.half + half || Math.abs(box.cy - cy) > 12));
      if (free === undefined) continue;  // the table has the value where there is no room for it
      taken.push({ cx, cy: free, half });
      this.marks.append(text(cx, free, "middle", value, { class: "value" }));
    }
  }

  bestMark(run) {
    const best = bestOf(run), at = best && abscissa(run, "validation").all[best.index];
    const [low, high] = this.frame.range;
    if (best?.metric !== this.column || !(best.value >= low && best.value <= high)) return {};  // null, or off the scale
    return at >= this.frame.x0 && at <= this.frame.x1 ? { x: this.x(at), y: this.y(best.value), value: number(best.value) } : {};
  }

  describe() {
    const blocks = Object.keys(BLOCKS).filter((block) => this.shownCurves.some((curve) => curve.block === block));
    const sample = (block) => svg("svg", { width: 20, height: 8 },
      svg("line", { x1: 0, x2: 20, y1: 4, y2: 4, stroke: "currentColor", "stroke-width": block === "validation" ? 1.4 : 1.1 }),
      ...(block === "validation" ? [svg("circle", { cx: 10, cy: 4, r: 2.5, fill: "currentColor" })] : []));
    this.keyNode.replaceChildren(...blocks.flatMap((block) => [sample(block), BLOCKS[block]]));
    const parts = this.shownCurves.slice(0, 8).map((curve) => this.summary(curve));
    if (this.shownCurves.length > 8) parts.push(`and ${this.shownCurves.length - 8} more curves`);
    this.svg.setAttribute("aria-label", `Chart of ${label(this.column)} over ${view.axis}. ${parts.join("; ") || "No values"}.`);
  }

  summary({ run, block, series: curve }) {
    const { last, best } = lastAndBest(curve, run.lower_is_better?.includes(this.column));
    // A learning rate has no best value; a loss and a metric have.
    const scored = block === "validation" || run.validation?.[this.column];
    return `${run.key}, ${BLOCKS[block]}: last ${number(last)}${scored ? `, best ${number(best)}` : ""}`;
  }

  // ---- the cursor ----

  listen() {
    const at = (event) => event.clientX - this.svg.getBoundingClientRect().left;
    const value = (px) => {
      const inside = Math.max(0, Math.min(this.frame.width, px - MARGIN.left));
      return this.frame.x0 + inside * 10 / this.frame.kx;
    };
    let from = null;
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.frame) return;
      this.svg.setPointerCapture(event.pointerId);
      from = at(event);
      this.pointAt(value(from), event);
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!this.frame) return;
      if (from === null || Math.abs(at(event) - from) < 5) return this.pointAt(value(at(event)), event);
      setCursor(null);
      const [a, b] = [this.x(value(from)), this.x(value(at(event)))].sort((p, q) => p - q);
      fill(this.selection, { x: a, width: b - a, visibility: "visible" }, []);
    });
    const stop = () => { from = null; this.selection.setAttribute("visibility", "hidden"); };
    this.svg.addEventListener("pointerup", (event) => {
      if (from !== null && this.frame && Math.abs(at(event) - from) >= 5) setZoom([value(from), value(at(event))].sort((a, b) => a - b));
      stop();
    });
    this.svg.addEventListener("pointercancel", stop);
    this.svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") setCursor(null); });
    this.svg.addEventListener("blur", () => setCursor(null));
    this.svg.addEventListener("dblclick", () => setZoom(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  pointAt(x, event) {
    const points = this.shownCurves.map(({ series: s }) => s.x[nearest(s.x, x)]).filter((p) => p >= this.frame.x0 && p <= this.frame.x1);
    if (points.length === 0) return;
    const snapped = points.reduce((a, b) => Math.abs(b - x) < Math.abs(a - x) ? b : a);
    setCursor({ chart: this, x: snapped, top: event?.clientY });
  }

  key(event) {
    if (!this.frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x0, x1, kx } = this.frame, cursor = view.cursor?.x;
    const step = 10 * (event.shiftKey ? 20 : 1.5) / kx;
    const actions = {
      ArrowLeft: () => this.move(cursor === undefined ? x1 : cursor - step, -1),
      ArrowRight: () => this.move(cursor === undefined ? x0 : cursor + step, 1),
      Home: () => this.move(x0, 1),
      End: () => this.move(x1, -1),
      "+": () => zoomAround(cursor ?? (x0 + x1) / 2, 0.5),
      "=": () => zoomAround(cursor ?? (x0 + x1) / 2, 0.5),
      "-": () => zoomAround(cursor ?? (x0 + x1) / 2, 2),
      0: () => setZoom(null),
      Escape: () => setCursor(null),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  // To the first point at or beyond x in that direction; the zoomed window follows.
  move(x, direction) {
    const points = this.shownCurves.map(({ series: s }) => {
      const i = lowerBound(s.x, x);
      return direction > 0 || s.x[i] === x ? s.x[i] : s.x[i - 1];
    }).filter((p) => p !== undefined);
    if (points.length === 0) return;
    const target = direction > 0 ? Math.min(...points) : Math.max(...points), [x0, x1] = domain();
    const shift = target < x0 ? target - x0 : target > x1 ? target - x1 : 0;
    if (shift) setZoom([x0 + shift, x1 + shift]);
    setCursor({ chart: this, x: target });
    byId("spoken").textContent = this.spoken(target);
  }

  // What each shown run has at x: for each block the nearest point, unless the run has ended or not begun there.
  readings(x) {
    const slack = 30 / this.frame.kx, byRun = new Map();
    for (const { run, block, series: s } of this.shownCurves) {
      if (x < s.x[0] - slack || x > s.x.at(-1) + slack) continue;
      const i = nearest(s.x, x), smoothed = block === "progress" && view.smoothing > 0;
      if (isNaN(s.y[i])) continue;
      const reading = { block, raw: s.y[i], value: smoothed ? smooth(s.y, view.smoothing)[i] : s.y[i], smoothed, x: s.x[i], off: Math.abs(s.x[i] - x) > slack / 2 };
      byRun.set(run, [...(byRun.get(run) ?? []), reading]);
    }
    return [...byRun].sort((a, b) => b[1][0].value - a[1][0].value);  // as the curves lie, the highest first
  }

  spoken(x) {
    const said = this.readings(x).map(([run, values]) => `${run.key} ${values.map((r) => `${BLOCKS[r.block]} ${number(r.value)}`).join(", ")}`);
    return `${view.axis} ${position(x)}: ${said.join("; ")}`;
  }

  // Side by side tables, as many rows as the window has room for.
  tip(x) {
    const all = this.readings(x), blocks = Object.keys(BLOCKS).filter((block) => all.some(([, values]) => values.some((r) => r.block === block)));
    const width = 210 + 90 * blocks.length, columns = Math.max(1, Math.floor((innerWidth - 40) / width)), fitting = Math.floor((innerHeight - 70) / 18);
    const height = Math.min(fitting, Math.max(18, Math.ceil(all.length / columns))), rows = all.slice(0, columns * height);
    const tables = [];
    for (let i = 0; i < rows.length; i += height) tables.push(this.tipTable(rows.slice(i, i + height), blocks));
    const rest = all.length > rows.length ? [el("div", { class: "faint" }, `and ${all.length - rows.length} more`)] : [];
    return [el("div", { class: "faint" }, `${view.axis} ${position(x)}`), el("div", { class: "rows" }, ...tables), ...rest];
  }

  tipTable(rows, blocks) {
    const smoothed = view.smoothing > 0, names = { progress: smoothed ? ["training", "raw"] : ["training"], validation: ["validation"] };
    const cell = (content, kind = "num") => el("td", { class: kind }, content);
    const values = (reading, block) => names[block].map((name) => cell(reading ? number(name === "raw" ? reading.raw : reading.value) : "", name === "raw" ? "num faint" : "num"));
    const head = blocks.length > 1 || smoothed ? [el("tr", { class: "faint" }, el("td"), ...blocks.flatMap((block) => names[block].map((name) => cell(name))))] : [];
    return el("table", {}, ...head, ...rows.map(([run, readings]) => {
      const off = readings.find((reading) => reading.off);
      return el("tr", {}, el("td", { class: "name" }, swatch(run), " ", run.key),
        ...blocks.flatMap((block) => values(readings.find((reading) => reading.block === block), block)),
        cell(off ? `at ${position(off.x)}` : "", "faint"));
    }));
  }

  // ---- the table ----

  renewTable() {
    this.tableStamp = view.stamp;
    this.details.lastChild.replaceWith(this.table());
  }

  table() {
    const curves = this.curves(), blocks = Object.keys(BLOCKS).filter((block) => curves.some((curve) => curve.block === block));
    const runs = shown().filter((run) => curves.some((curve) => curve.run === run));
    const limit = Math.max(60, Math.min(TABLE_ROWS, Math.floor(10 * TABLE_ROWS / Math.max(1, runs.length))));
    const rows = runs.flatMap((run) => this.tableRows(run, blocks, limit));
    const columns = [{ name: "run" }, { name: "update", num: true }, ...blocks.map((block) => ({ name: BLOCKS[block], num: true }))];
    return table(`chart ${this.column}`, columns, rows);
  }

  tableRows(run, blocks, limit) {
    const byUpdate = new Map();
    for (const block of blocks) (run[block]?.[this.column] ?? []).forEach((value, i) => {
      const update = run[block].update?.[i];
      if (isNumber(value)) byUpdate.set(update, { ...byUpdate.get(update), [block]: value });
    });
    const best = bestOf(run), kept = best?.metric === this.column ? best.update : null;
    const updates = evenly([...byUpdate.keys()].sort((a, b) => a - b), limit, kept);
    return updates.map((update) => [run.key, number(update) + (update === kept ? " (best)" : ""), ...blocks.map((block) => number(byUpdate.get(update)[block]))]);
  }
}

// At most `limit` of the values, evenly chosen, the first and last among them, and `kept` in any case.
function evenly(values, limit, kept) {
  if (values.length <= limit) return values;
  const chosen = new Set(Array.from({ length: limit }, (_, i) => Math.round(i * (values.length - 1) / (limit - 1))));
  return values.filter((value, i) => chosen.has(i) || value === kept);
}

// ---- drawing, zoom and cursor of all charts ----

let scheduled = false;
function requestDraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; draw(); });
}

// Many long runs may take more than a frame: go on in the next one, with the charts that have waited longest.
function draw() {
  const inView = [...charts.values()].filter((chart) => chart.visible).sort((a, b) => a.drawnAt - b.drawnAt);
  const until = performance.now() + FRAME_BUDGET;
  for (const chart of inView) {
    if (performance.now() > until) { requestDraw(); break; }
    chart.draw();
  }
  drawCursor(inView);
}

function invalidate() {
  view.stamp += 1;
  requestDraw();
}

function setZoom(zoom) {
  const [low, high] = fullDomain();
  const narrow = zoom && (zoom[0] > low || zoom[1] < high);
  view.zoom = narrow ? [Math.max(low, zoom[0]), Math.min(high, zoom[1])] : null;
  byId("reset").disabled = !view.zoom;
  view.cursor = null;
  invalidate();
}

function zoomAround(x, factor) {
  const [low, high] = domain(), cursor = view.cursor, [first, last] = fullDomain();
  if ((high - low) * factor < (last - first) * 1e-5) return;
  setZoom([x - (x - low) * factor, x + (high - x) * factor]);
  setCursor(cursor);
}

function setCursor(cursor) {
  view.cursor = cursor;
  requestDraw();
}

function drawCursor(inView) {
  const { cursor } = view;
  for (const chart of inView) {
    const here = cursor && chart.frame && cursor.x >= chart.frame.x0 && cursor.x <= chart.frame.x1;
    if (here) fill(chart.line, { x1: chart.x(cursor.x), x2: chart.x(cursor.x) }, []);
    chart.line.setAttribute("visibility", here ? "visible" : "hidden");
  }
  if (!cursor?.chart.frame) return hideTip();
  const { chart, x, top } = cursor, box = chart.svg.getBoundingClientRect();
  showTip(chart.tip(x), box.left + chart.x(x), top ?? box.top);
}

const inSight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.chart.visible = isIntersecting;
  requestDraw();
}, { rootMargin: "100px" });

const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) target.chart.width = Math.round(contentRect.width);
  requestDraw();
});

function renderCharts() {
  const columns = chartColumns();
  for (const [column, chart] of charts) {
    if (columns.includes(column)) continue;
    inSight.unobserve(chart.node);
    resized.unobserve(chart.node);
    charts.delete(column);
  }
  for (const column of columns) {
    if (charts.has(column)) continue;
    const chart = new Chart(column);
    charts.set(column, chart);
    inSight.observe(chart.node);
    resized.observe(chart.node);
  }
  const nodes = columns.map((column) => charts.get(column).node), grid = byId("charts");
  // Moving a node would take the focus from it: only touch the grid when the list has changed.
  if (nodes.length !== grid.children.length || nodes.some((node, i) => node !== grid.children[i])) grid.replaceChildren(...nodes);
  if (nodes.length === 0) grid.replaceChildren(el("p", { class: "faint" }, data.runs.length ? "No events yet." : "No runs in this report."));
  invalidate();
}

// ---- heat map of the modules ----

const painters = new WeakMap();
const paintInSight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) painters.get(target)?.();
}, { rootMargin: "100px" });

const rgb = (value) => value.match(/\d+/g).slice(0, 3).map(Number);

function paintHeat(canvas, values, share) {
  const style = getComputedStyle(document.body), ground = rgb(style.backgroundColor), heat = rgb(style.getPropertyValue("--heat"));
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  for (let row = 0; row < canvas.height; ++row) for (let column = 0; column < canvas.width; ++column) {
    const value = values[row]?.[Math.floor(column * values[row].length / canvas.width)], at = 4 * (row * canvas.width + column);
    if (!isNumber(value)) continue;
    const t = share(value);
    for (let c = 0; c < 3; ++c) image.data[at + c] = ground[c] + t * (heat[c] - ground[c]);
    image.data[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function heatScale(values) {
  if (view.norm === "saturated") return { low: 0, high: 1, note: "share of gates below 0.05 or above 0.95", share: (value) => value };
  let low = Infinity, high = 0;
  for (const row of values) for (const value of row) if (value > 0) { low = Math.min(low, value); high = Math.max(high, value); }
  const span = Math.log10(high / low) || 1;
  return { low: high ? low : NaN, high: high || NaN, note: "log scale", share: (value) => value > 0 ? Math.log10(value / low) / span : 0 };
}

function heatMap(run) {
  const { modules, update } = run.norms, values = run.norms[view.norm] ?? [];
  const heading = el("h3", {}, swatch(run), " ", run.key);
  if (!values.some((row) => row?.some(isNumber))) return [el("div", { class: "heading" }, heading, el("span", { class: "faint" }, `no ${NORMS[view.norm]}`))];
  const scale = heatScale(values), named = `${NORMS[view.norm]} of ${run.key}`;
  const canvas = el("canvas", { width: Math.min(update.length, 4096), height: modules.length, tabindex: 0, role: "img", style: `height: ${16 * modules.length}px`,
    "data-key": `heat ${run.key}`, "aria-label": `Heat map, ${named}: ${modules.length} modules over ${update.length} updates, from ${number(scale.low)} to ${number(scale.high)}` });
  painters.set(canvas, () => paintHeat(canvas, values, scale.share));
  paintInSight.observe(canvas);
  const cell = el("div", { class: "cell", hidden: "" }), readout = el("output", { class: "faint readout" }, " ");
  const names = el("div", { class: "names" }, ...modules.map((name) => el("div", { title: name }, name)));
  const ends = [update[0], update[update.length >> 1], update.at(-1)].slice(0, update.length > 2 ? 3 : 1);
  heatCursor(canvas, cell, modules.length, update.length, (row, column) => {
    readout.textContent = `${modules[row]}, update ${number(update[column])}: ${number(values[row]?.[column])}`;
  });
  return [
    el("div", { class: "heading" }, heading, el("span", { class: "faint num" }, number(scale.low), el("span", { class: "ramp" }), `${number(scale.high)}  (${scale.note})`)),
    el("div", { class: "heat" }, names, el("div", { class: "plot" }, canvas, cell), el("div", { class: "ends faint num" }, ...ends.map((u) => el("span", {}, number(u))))),
    readout,
    disclosure(`heat ${run.key}`, "table", () => {
      const columns = [{ name: "update", num: true }, ...modules.map((name) => ({ name, num: true }))];
      return table(`heat ${run.key}`, columns, evenly([...update.keys()], TABLE_ROWS).map((i) => [number(update[i]), ...modules.map((_, row) => number(values[row]?.[i]))]));
    })];
}

function heatCursor(canvas, cell, rows, columns, show) {
  let row = 0, column = columns - 1;
  const select = () => {
    cell.hidden = false;
    cell.style.cssText = `left: ${100 * column / columns}%; top: ${16 * row}px; width: max(3px, ${100 / columns}%); height: 16px`;
    show(row, column);
  };
  const within = (value, count) => Math.max(0, Math.min(count - 1, value));
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    row = within(Math.floor((event.clientY - box.top) / box.height * rows), rows);
    column = within(Math.floor((event.clientX - box.left) / box.width * columns), columns);
    select();
  });
  canvas.addEventListener("keydown", (event) => {
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined) return;
    event.preventDefault();
    row = within(row + down, rows);
    column = within(column + right, columns);
    select();
  });
  for (const leaving of ["pointerleave", "blur"]) canvas.addEventListener(leaving, () => { cell.hidden = true; });
}

// ---- validation outputs ----

const plain = (value) => String(value ?? "").replaceAll("▁", " ");
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
const words = (value) => [...segmenter.segment(value)];

// The output with the words underlined that the reference does not have.
function marked(output, reference) {
  const known = new Set(words(reference).map((part) => part.segment));
  return words(output).map((part) => part.isWordLike && reference && !known.has(part.segment) ? el("span", { class: "extra" }, part.segment) : part.segment);
}

function attentionTable(key, { source = [], target = [], weights = [] }) {
  const token = (value) => plain(value) || " ";
  const head = source.map((value) => el("th", { scope: "col" }, token(value)));
  const body = weights.map((row, i) => el("tr", {}, el("th", { scope: "row" }, token(target[i])), ...row.map((weight, j) =>
    el("td", { style: `background: rgba(var(--heat), ${isNumber(weight) ? Math.max(0, Math.min(1, weight)) : 0})`, title: `${token(target[i])} ← ${token(source[j])}: ${number(weight)}` }))));
  return el("div", { class: "box whole", tabindex: 0, role: "region", "aria-label": "attention, a row for each output token", "data-key": `attention ${key}` },
    el("table", { class: "attention" }, el("thead", {}, el("tr", {}, el("td"), ...head)), el("tbody", {}, ...body)));
}

const sampleUpdates = (runs) => [...new Set(runs.flatMap((run) => (run.samples ?? []).map((sample) => sample.update)))].sort((a, b) => a - b);

function sentences(runs, update) {
  const found = new Map();
  for (const run of runs) {
    const samples = run.samples ?? [];
    if (samples.length === 0) continue;
    const sample = samples.reduce((a, b) => Math.abs(b.update - update) < Math.abs(a.update - update) ? b : a);
    for (const line of sample.lines ?? []) {
      const key = `${line.source}\n${line.reference}`;
      if (!found.has(key)) found.set(key, { source: plain(line.source), reference: plain(line.reference), outputs: [] });
      found.get(key).outputs.push({ run, line, update: sample.update });
    }
  }
  return [...found.values()];
}

function sentence({ source, reference, outputs }, update) {
  const node = el("dl", { class: "sentence" });
  const add = (name, ...content) => node.append(el("dt", {}, ...name), el("dd", { dir: "auto" }, ...content));
  if (source) add(["source"], source);
  if (reference) add(["reference"], reference);
  for (const { run, line, update: at } of outputs) {
    const key = `attention ${run.key} ${source}`;
    add([swatch(run), at === update ? run.key : `${run.key}, at ${number(at)}`], ...marked(plain(line.output), reference),
      ...(line.attention ? [disclosure(key, "attention", () => attentionTable(key, line.attention))] : []));
  }
  return node;
}

function samplesHead() {
  const input = el("input", { type: "range", min: 0, step: 1, "aria-label": "validation" });
  input.addEventListener("input", () => {
    const updates = sampleUpdates(shown());
    view.sample = Number(input.value) === updates.length - 1 ? null : updates[input.value];  // null follows the newest
    renderSections(["samples"]);
  });
  return el("div", { class: "slider" }, input, el("output"));
}

function samplesBody(runs, head) {
  const updates = sampleUpdates(runs), [input, output] = head.children;
  if (updates.length === 0) return null;
  const index = view.sample === null ? updates.length - 1 : nearest(updates, view.sample), update = updates[index];
  input.max = updates.length - 1;
  input.value = index;
  output.textContent = `update ${number(update)} (${index + 1} of ${updates.length})`;
  input.setAttribute("aria-valuetext", output.textContent);
  return sentences(runs, update).map((item) => sentence(item, update));
}

// ---- configuration, facts, parameters ----

const runHead = (run) => ({ name: el("span", {}, swatch(run), " ", run.key) });

function configBody(runs) {
  const configured = runs.filter((run) => Object.keys(run.config ?? {}).length);
  if (configured.length === 0) return null;
  const keys = [...new Set(configured.flatMap((run) => Object.keys(run.config)))].sort();
  const differing = keys.filter((key) => new Set(configured.map((run) => shownValue(run.config[key]))).size > 1);
  const parts = configured.map((run) => disclosure(`config ${run.key}`, `whole configuration of ${run.key}`, () =>
    table(`config ${run.key}`, [{ name: "key" }, { name: "value" }], Object.keys(run.config).sort().map((key) => [key, shownValue(run.config[key])]), "config")));
  if (configured.length > 1) {
    parts.unshift(differing.length
      ? table("differences", [{ name: "key" }, ...configured.map(runHead)], differing.map((key) => [key, ...configured.map((run) => shownValue(run.config[key]))]), "config whole")
      : el("p", { class: "faint" }, "The configurations are equal."));
  }
  return parts;
}

function factsBody(runs) {
  const known = { processor: String, threads: (threads) => number(Number(threads)), precision: String, seconds: duration, updates: number, parameters: number };
  const present = new Set(runs.flatMap((run) => Object.keys(run.facts ?? {})));
  const names = [...Object.keys(known).filter((name) => present.has(name)), ...[...present].filter((name) => !(name in known))];
  const withBest = runs.some((run) => run.best);
  if (names.length === 0 && !withBest) return null;
  const cell = (value, format) => value === undefined || value === null ? "–" : (format ?? (typeof value === "number" ? number : shownValue))(value);
  const numeric = (name) => name in known ? known[name] !== String : runs.some((run) => typeof run.facts?.[name] === "number");
  const columns = [{ name: "run" }, ...names.map((name) => ({ name: name === "seconds" ? "duration" : label(name), num: numeric(name) })),
    ...(withBest ? [{ name: "best" }, { name: "value", num: true }, { name: "at update", num: true }] : [])];
  return [table("facts", columns, runs.map((run) => {
    const best = bestOf(run);
    return [runHead(run).name, ...names.map((name) => cell(run.facts?.[name], known[name])),
      ...(withBest ? best ? [label(best.metric), number(best.value), number(best.update)] : ["–", "–", "–"] : [])];
  }), "facts whole")];
}

function parametersBody(runs) {
  const listed = runs.filter((run) => run.parameters?.length);
  return listed.length === 0 ? null : listed.map((run) => {
    const total = run.parameters.reduce((sum, parameter) => sum + (parameter.count ?? 0), 0);
    return disclosure(`parameters ${run.key}`, `${run.key}: ${number(total)} in ${number(run.parameters.length)} tensors`, () => {
      const rows = run.parameters.map((parameter) => [parameter.name, (parameter.shape ?? []).join(" × "), number(parameter.count)]);
      return table(`parameters ${run.key}`, [{ name: "name" }, { name: "shape", num: true }, { name: "count", num: true }], [...rows, ["total", "", number(total)]]);
    });
  });
}

// ---- sections below the charts ----

function normsHead() {
  const fieldset = el("fieldset", {}, el("legend", {}, "colour shows"));
  radios(fieldset, "norm", NORMS, view.norm, (value) => { view.norm = value; renderSections(["norms"]); });
  return fieldset;
}

function normsBody(runs) {
  const measured = runs.filter((run) => run.norms?.modules?.length && run.norms.update?.length);
  return measured.length ? measured.flatMap(heatMap) : null;
}

// `uses` names what of a run a section shows: a live update rebuilds only the sections whose part changed.
const sections = {
  norms: { title: "Modules over time", head: normsHead, body: normsBody, uses: ["norms"] },
  samples: { title: "Validation outputs", head: samplesHead, body: samplesBody, uses: ["samples"] },
  config: { title: "Configurations", body: configBody, uses: ["config"] },
  facts: { title: "Facts", body: factsBody, uses: ["facts", "best", "validation"] },
  parameters: { title: "Parameters", body: parametersBody, uses: ["parameters"] },
};

function addSections() {
  for (const section of Object.values(sections)) {
    section.headNode = section.head?.() ?? null;
    section.bodyNode = el("div");
    section.node = el("section", {}, el("h2", {}, section.title), ...(section.headNode ? [section.headNode] : []), section.bodyNode);
    document.querySelector("main").append(section.node);
  }
}

function renderSections(names) {
  keepingPlace(() => {
    for (const section of names.map((name) => sections[name])) {
      const content = section.body(shown(), section.headNode);
      section.node.hidden = content === null;
      section.bodyNode.replaceChildren(...(content ?? []));
    }
  });
}

// ---- the top of the page ----

function renderRuns() {
  const changed = () => { invalidate(); renderSections(Object.keys(sections)); };
  const inputs = data.runs.map((run) => {
    const input = el("input", { type: "checkbox", style: `accent-color: ${colour(run)}`, "data-key": `run ${run.key}` });
    input.checked = !view.hidden.has(run.key);
    input.addEventListener("change", () => {
      if (input.checked) view.hidden.delete(run.key); else view.hidden.add(run.key);
      changed();
    });
    return input;
  });
  const button = (name, checked) => {
    const node = el("button", { "data-key": `runs ${name}` }, name);
    node.addEventListener("click", () => {
      view.hidden = new Set(checked ? [] : data.runs.map((run) => run.key));
      for (const input of inputs) input.checked = checked;
      changed();
    });
    return node;
  };
  const toggles = inputs.map((input, i) => el("label", {}, input, swatch(data.runs[i]), data.runs[i].key));
  keepingPlace(() => byId("runs").replaceChildren(...(inputs.length > 2 ? [button("all", true), button("none", false)] : []), ...toggles));
}

function connectControls() {
  radios(byId("axis"), "axis", Object.fromEntries(Object.keys(AXES).map((axis) => [axis, axis])), view.axis, (axis) => {
    view.axis = axis;
    view.stamp += 1;
    setZoom(null);  // a range of one axis means nothing on another
  });
  byId("smoothing").addEventListener("input", (event) => {
    view.smoothing = Number(event.target.value);
    byId("smoothing-value").textContent = view.smoothing.toFixed(2);
    requestDraw();
  });
  byId("log").addEventListener("change", (event) => { view.log = event.target.checked; invalidate(); });
  byId("clip").addEventListener("change", (event) => { view.clip = event.target.checked; invalidate(); });
  byId("reset").addEventListener("click", () => setZoom(null));
  addEventListener("scroll", () => { if (view.cursor) setCursor(null); }, { passive: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => renderSections(["norms"]));
}

const signature = (section) => JSON.stringify(data.runs.map((run) => [run.key, ...section.uses.map((part) => run[part])]));

function show(raw) {
  data = prepare(raw);
  byId("controls").hidden = data.runs.length === 0;
  view.cursor = null;
  renderRuns();
  renderCharts();
  const changed = Object.keys(sections).filter((name) => {
    const before = sections[name].signature;
    sections[name].signature = data.live ? signature(sections[name]) : undefined;
    return before === undefined || before !== sections[name].signature;
  });
  renderSections(changed);
}

addSections();
connectControls();
follow(show);
