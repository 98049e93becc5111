"use strict";

// What the scripts of the pages share: elements, tables, numbers and ticks, the tip, live data.

const LABELS = { bleu: "BLEU", chrf: "chrF", ter: "TER", wer: "WER", cer: "CER", per: "PER", rouge_l: "ROUGE-L", cider: "CIDEr", meteor: "METEOR" };

const opened = new Set();  // keys of the opened <details>, kept while sections are rebuilt

// ---- elements ----

const byId = (id) => document.getElementById(id);
const label = (column) => LABELS[column] ?? column.replaceAll("_", " ");

const shownValue = (value) => value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const text = (x, y, anchor, content, attributes = {}) => svg("text", { x, y, "text-anchor": anchor, ...attributes }, content);

// A <details> whose content is built only when it is opened.
function disclosure(key, summary, build) {
  const node = el("details", {}, el("summary", { "data-key": `summary ${key}` }, summary));
  let body = null;
  const show = () => { if (!body) node.append(body = build()); };
  if (opened.has(key)) { node.open = true; show(); }
  node.addEventListener("toggle", () => {
    if (node.open) { opened.add(key); show(); } else opened.delete(key);
  });
  return node;
}

// columns: [{ name, num }], name a text or a node; rows: arrays of texts or nodes, the first the heading of its row.
function table(key, columns, rows, kind = "") {
  const head = columns.map((column) => el("th", { scope: "col", class: column.num ? "num" : "" }, column.name));
  const body = rows.map((row) => el("tr", {}, ...row.map((cell, i) =>
    el(i ? "td" : "th", { ...(i ? {} : { scope: "row" }), ...(columns[i].num ? { class: "num" } : {}) }, cell))));
  return el("div", { class: `box ${kind}`, tabindex: 0, role: "region", "aria-label": "table", "data-key": `table ${key}` },
    el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body)));
}

function radios(fieldset, name, options, chosen, onchange) {
  for (const [value, caption] of Object.entries(options)) {
    const input = el("input", { type: "radio", name, value });
    input.checked = value === chosen;
    input.addEventListener("change", () => onchange(value));
    fieldset.append(el("label", {}, input, caption));
  }
}

// Rebuilding takes the focus and the scroll positions of the boxes away: give them back.
function keepingPlace(rebuild) {
  const top = scrollY, focused = document.activeElement?.dataset?.key, boxes = new Map();
  for (const box of document.querySelectorAll(".box")) if (box.scrollLeft || box.scrollTop) boxes.set(box.dataset.key, [box.scrollLeft, box.scrollTop]);
  rebuild();
  for (const box of document.querySelectorAll(".box")) if (boxes.has(box.dataset.key)) box.scrollTo(...boxes.get(box.dataset.key));
  if (focused && document.activeElement?.dataset?.key !== focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  if (scrollY !== top) scrollTo(scrollX, top);
}

// ---- numbers ----

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function number(value) {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(2).replace("+", "");
  if (Number.isInteger(value) || size >= 1e4) return grouped.format(value);
  if (size >= 1e-3) return value.toPrecision(4);
  return String(parseFloat(value.toPrecision(3)));
}

function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function niceStep(span, count) {
  const rough = span / count, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.6);
}

function multiples(low, high, step) {
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(i * step);
  return ticks;
}

const decimals = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

function tickText(value, step, largest) {
  if (value === 0) return "0";
  if (largest >= 1e15) return value.toExponential(0).replace("+", "");
  for (const [unit, suffix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (largest >= unit && largest >= 1e4) return (value / unit).toFixed(decimals(step / unit)) + suffix;
  }
  if (largest < 0.01) {
    const digits = Math.floor(Math.log10(Math.abs(value)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9);
    return value.toExponential(Math.max(0, digits)).replace(/\.0+e/, "e");
  }
  return largest >= 1000 ? grouped.format(value) : value.toFixed(decimals(step));
}

function linearTicks(low, high, count) {
  const step = niceStep(high - low, count), largest = Math.max(Math.abs(low), Math.abs(high));
  return multiples(low, high, step).map((value) => ({ value, text: tickText(value, step, largest) }));
}

function logTicks(low, high) {
  const from = Math.log10(low), to = Math.log10(high);
  if (to - from < 0.8) return linearTicks(low, high, 4);
  const factors = to - from < 1.3 ? [1, 2, 3, 5, 7] : to - from < 2.2 ? [1, 2, 5] : [1], stride = Math.ceil((to - from) / 6), ticks = [];
  for (let power = Math.ceil(Math.floor(from) / stride) * stride; power <= to; power += stride) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push({ value, text: tickText(value, value, value) });
    }
  }
  return ticks;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

function timeText(value, step) {
  const h = Math.floor(value / 3600), m = Math.floor(value / 60) % 60, s = Math.round(value % 60);
  if (value === 0) return "0";
  if (step % 60) return m + 60 * h ? `${m + 60 * h}m${String(s).padStart(2, "0")}` : `${s}s`;
  if (h === 0) return `${m}m`;
  return step % 3600 ? `${h}h${String(m).padStart(2, "0")}` : `${h}h`;
}

function timeTicks(low, high, count) {
  if (high - low < count) return linearTicks(low, high, count);
  const rough = (high - low) / count;
  const step = TIME_STEPS.find((candidate) => candidate >= rough) ?? 86400 * Math.ceil(rough / 86400);
  return multiples(low, high, step).map((value) => ({ value, text: timeText(value, step) }));
}

// The axes of a chart: the ticks of y as lines across it, those of x as marks below; each has its place and its text.
function axes({ left, right, bottom }, xs, ys) {
  const line = (x1, x2, y1, y2) => svg("line", { class: "grid", x1, x2, y1, y2 });
  return [
    ...ys.flatMap(({ at, text: name }) => [line(left, right, at, at), text(left - 6, at + 4, "end", name)]),
    ...xs.flatMap(({ at, text: name }) => [line(at, at, bottom, bottom + 4), text(at, bottom + 16, "middle", name)]),
    line(left, right, bottom, bottom)];
}

// A range with some room at its ends.
function padded(low, high, log = false) {
  if (log) {
    const factor = low === high ? 2 : (high / low) ** 0.05;
    return [low / factor, high * factor];
  }
  const pad = high > low ? (high - low) * 0.06 : Math.abs(low) / 2 || 1;
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

// ---- the tip ----

// Beside a point of the window, within it.
function showTip(content, left, top) {
  const tip = byId("tip");
  tip.hidden = false;
  tip.replaceChildren(...content);
  tip.style.transform = "none";
  const beside = left + 14 + tip.offsetWidth > innerWidth - 8 ? left - 14 - tip.offsetWidth : left + 14;
  const y = Math.min(top + 14, innerHeight - tip.offsetHeight - 8);
  tip.style.transform = `translate(${Math.max(8, Math.min(beside, innerWidth - tip.offsetWidth - 8))}px, ${Math.max(8, y)}px)`;
}

function hideTip() {
  byId("tip").hidden = true;
}

// ---- live ----

// Shows the data of the page and, while they are live, those of data.json whenever they have changed.
function follow(show) {
  let known = byId("data").textContent, live = false;
  const take = (received) => {
    const data = JSON.parse(received);
    live = data.live;
    document.title = data.title || "seq2seq report";
    document.querySelector("h1").textContent = document.title;
    byId("generated").textContent = data.generated ?? "";
    show(data);
  };
  const again = () => setTimeout(async () => {
    try {
      const response = await fetch("data.json", { cache: "no-store" });
      if (!response.ok) throw new Error(response.statusText);
      const received = await response.text();
      if (received !== known) take(received);
      known = received;
      byId("status").textContent = `updated ${new Date().toTimeString().slice(0, 8)}`;
    } catch {
      byId("status").textContent = "not reachable";
    }
    if (live) again();
  }, 5000);
  try {
    take(known);
  } catch (error) {
    byId("status").textContent = `The data of this page could not be read: ${error.message}`;
    throw error;
  }
  if (live) again();
}
