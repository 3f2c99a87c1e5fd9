"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const body = document.querySelector("#runs tbody");
const heads = [...document.querySelectorAll("#runs .keys th")];
const rows = [...body.rows].map((line) => ({
  line, run: data.runs[line.dataset.run], number: +line.dataset.run, box: line.querySelector("input"),
  cells: [...line.cells].slice(1).map((cell) => cell.dataset.v), text: line.textContent.toLowerCase(), passes: true,
}));
const color = (number) => `hsl(${(number * 137.5 + 210) % 360} 65% ${dark.matches ? 65 : 42}%)`;
const dark = matchMedia("(prefers-color-scheme: dark)");
const shown = () => rows.filter((row) => row.passes && row.box.checked);

// What is chosen is kept in the address, which outlives a reload.
const kept = new URLSearchParams(location.hash.slice(1));
function keep(name, value) {
  if (value === "" || value === null) kept.delete(name); else kept.set(name, value);
  history.replaceState(null, "", "#" + kept);
}

// Filter: words that a row must have, or conditions on columns, as batch>=64.
function passes(row, term) {
  const match = /^(.+?)(<=|>=|=|<|>)(.*)$/.exec(term);
  if (!match) return row.text.includes(term);
  const keys = heads.map((head) => head.dataset.key.toLowerCase());
  let at = keys.indexOf(match[1]);
  if (at < 0) at = keys.findIndex((key) => key.includes(match[1]));
  const value = row.cells[at];
  if (at < 0 || value === "") return false;
  const number = match[3] !== "" && isFinite(value) && isFinite(match[3]);
  const [a, b] = number ? [+value, +match[3]] : [value.toLowerCase(), match[3]];
  return { "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "=": a === b }[match[2]];
}
function filter() {
  const terms = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    row.passes = terms.every((term) => passes(row, term));
    row.line.hidden = !row.passes;
  }
  $("count").textContent = `${rows.filter((row) => row.passes).length} of ${rows.length} runs`;
  keep("filter", $("filter").value);
  show();
}

// Sort: numbers by value, then text; empty cells last in either direction.
const collator = new Intl.Collator(undefined, { numeric: true });
function sort(key, down) {
  const at = heads.findIndex((head) => head.dataset.key === key);
  if (at < 0) return;
  const order = (a, b) => {
    const [x, y] = [a.cells[at], b.cells[at]];
    if (x === "" || y === "") return (x === "") - (y === "");
    const both = isFinite(x) && isFinite(y);
    return (down ? -1 : 1) * (both ? x - y : collator.compare(x, y));
  };
  body.append(...rows.sort(order).map((row) => row.line));
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[at].setAttribute("aria-sort", down ? "descending" : "ascending");
  keep("sort", key);
  keep("down", down ? "1" : "");
}

// Curves: all that are shown over each other, one panel per metric.
const charts = [];
for (const name of new Set(data.runs.flatMap((run) => Object.keys(run.curves)))) {
  const part = document.createElement("div");
  const title = part.appendChild(document.createElement("h3"));
  title.textContent = name;
  const canvas = part.appendChild(document.createElement("canvas"));
  const chart = { name, part, canvas, lines: [] };
  canvas.addEventListener("pointermove", (event) => point(chart, event));
  canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; draw(chart); });
  charts.push(chart);
  $("curves").append(part);
}
const near = new IntersectionObserver((entries) => entries.forEach((entry) => {
  const chart = charts.find((each) => each.canvas === entry.target);
  chart.near = entry.isIntersecting;
  if (chart.near && chart.stale) draw(chart);
}), { rootMargin: "300px" });
charts.forEach((chart) => near.observe(chart.canvas));

function smooth(values, weight) {
  let sum = 0, total = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}
function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const out = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) out.push(+(i * step).toPrecision(12));
  return out;
}
const short = (n) => Math.abs(n) >= 1e4 || (n && Math.abs(n) < 1e-3)
  ? n.toExponential(1).replace("e+", "e") : String(+n.toPrecision(4));

function draw(chart, over = null) {
  const { canvas } = chart, style = getComputedStyle(document.body);
  const width = canvas.clientWidth, height = canvas.clientHeight, scale = devicePixelRatio || 1;
  chart.stale = false;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = `11px ${style.fontFamily}`;
  const log = $("log").checked, weight = +$("smooth").value;
  const lines = shown().filter((row) => row.run.curves[chart.name]).map((row) => {
    const [steps, raw] = row.run.curves[chart.name];
    const usable = raw.map((value) => (value === null || (log && value <= 0) ? null : log ? Math.log10(value) : value));
    return { row, steps, raw, values: smooth(usable, raw.length > 2 ? weight : 0) };
  });
  const all = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const [x0, x1] = range(lines.flatMap((line) => [line.steps[0], line.steps.at(-1)]));
  const [y0, y1] = range(all);
  const left = 46, bottom = 20, X = (x) => left + ((x - x0) / (x1 - x0)) * (width - left - 8);
  const Y = (y) => 6 + ((y1 - y) / (y1 - y0)) * (height - bottom - 12);
  pen.fillStyle = style.getPropertyValue("--soft");
  pen.strokeStyle = style.getPropertyValue("--line");
  for (const y of all.length ? ticks(y0, y1, 4) : []) {
    pen.textAlign = "right";
    pen.fillText(short(log ? 10 ** y : y), left - 6, Y(y) + 4);
    pen.beginPath(); pen.moveTo(left, Y(y)); pen.lineTo(width - 8, Y(y)); pen.stroke();
  }
  pen.textAlign = "center";
  for (const x of all.length ? ticks(x0, x1, width / 110) : []) {
    pen.fillText(x.toLocaleString("en"), Math.min(X(x), width - 24), height - 4);
  }
  lines.sort((a, b) => (a.row === over) - (b.row === over));  // the one that is named lies on top
  for (const line of lines) {
    line.points = line.steps.map((step, i) => [X(step), line.values[i] === null ? null : Y(line.values[i])]);
    pen.strokeStyle = pen.fillStyle = color(line.row.number);
    pen.lineWidth = line.row === over ? 3.5 : lines.length > 100 ? 1 : 1.5;
    pen.globalAlpha = over && line.row !== over ? 0.25 : 1;
    pen.beginPath();
    let gap = true;
    for (const [x, y] of line.points) {
      if (y !== null) { if (gap) pen.moveTo(x, y); else pen.lineTo(x, y); }
      gap = y === null;
    }
    pen.stroke();
    if (line.points.length < 12) {
      for (const [x, y] of line.points) if (y !== null) { pen.beginPath(); pen.arc(x, y, 2.5, 0, 7); pen.fill(); }
    }
  }
  pen.globalAlpha = 1;
  chart.lines = lines;
  chart.part.hidden = !lines.length;
}
function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  if (low > high) return [0, 1];
  const pad = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  return [low - pad, high + pad];
}
function point(chart, event) {
  const box = chart.canvas.getBoundingClientRect(), tip = $("tip");
  let best = null, least = 40 ** 2;
  for (const line of chart.lines) {
    line.points.forEach(([x, y], i) => {
      const far = y === null ? Infinity : (x - event.clientX + box.left) ** 2 + (y - event.clientY + box.top) ** 2;
      if (far < least) { least = far; best = { line, i }; }
    });
  }
  tip.hidden = !best;
  draw(chart, best && best.line.row);
  if (!best) return;
  tip.textContent = `${best.line.row.run.name}\n${short(best.line.raw[best.i])} at step ${best.line.steps[best.i].toLocaleString("en")}`;
  tip.style.left = `${Math.max(0, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${event.clientY + 14}px`;
}

// Sample grids: of each run the newest one that is no later than the slider's step.
const steps = [...new Set(data.runs.flatMap((run) => run.images.map(([step]) => step)))].sort((a, b) => a - b);
$("step").max = Math.max(0, steps.length - 1);
function grids() {
  const limit = steps[$("step").value] ?? 0;
  $("at").textContent = limit.toLocaleString("en");
  const withImages = shown().filter((row) => row.run.images.length);
  $("grids").replaceChildren(...withImages.map(({ run, number }) => {
    const [step, file] = run.images.findLast(([step]) => step <= limit) ?? run.images[0];
    const figure = document.createElement("figure"), image = figure.appendChild(document.createElement("img"));
    image.loading = "lazy";
    image.alt = `samples of ${run.name} at step ${step}`;
    image.src = run.embedded[step] ? `data:image/png;base64,${run.embedded[step]}` : run.folder + encodeURIComponent(file);
    const caption = figure.appendChild(document.createElement("figcaption"));
    caption.textContent = `${run.name}, step ${step.toLocaleString("en")}`;
    caption.style.borderColor = color(number);
    return figure;
  }));
}

let waiting = false;
function redraw() {
  if (!waiting) requestAnimationFrame(redrawn);
  waiting = true;
}
function redrawn() {
  waiting = false;
  const names = new Set(shown().flatMap((row) => Object.keys(row.run.curves)));
  for (const chart of charts) {
    chart.part.hidden = !names.has(chart.name);
    if (chart.near && !chart.part.hidden) draw(chart); else chart.stale = true;
  }
}
function show() {
  rows.forEach((row) => { row.box.style.accentColor = color(row.number); });
  $("every").checked = rows.every((row) => !row.passes || row.box.checked);
  redraw();
  grids();
}
function chosen() {
  const names = rows.filter((row) => row.box.checked).map((row) => row.run.name);
  keep("runs", names.length === rows.length ? "all" : names.length <= 100 ? JSON.stringify(names) : "");
  show();
}

// Widths that stay as they are make sorting many rows several times as fast.
const widths = [...document.querySelector("#runs .keys").cells].map((cell) => Math.ceil(cell.getBoundingClientRect().width) + 1);
const group = document.createElement("colgroup");
for (const width of widths) group.appendChild(document.createElement("col")).style.width = `${width}px`;
$("runs").prepend(group);
$("runs").style.width = `${widths.reduce((a, b) => a + b, 0)}px`;
$("runs").style.tableLayout = "fixed";

$("filter").value = kept.get("filter") ?? "";
$("smooth").value = kept.get("smooth") ?? 0.6;
$("log").checked = kept.has("log");
$("step").value = kept.get("step") ?? steps.length;
const every = kept.get("runs") === "all", names = new Set();
try { if (!every) JSON.parse(kept.get("runs") ?? "[]").forEach((name) => names.add(name)); } catch { kept.delete("runs"); }
rows.forEach((row, i) => {
  row.box.checked = every || (kept.has("runs") ? names.has(row.run.name) : i < data.shown);
});
if (kept.has("sort")) sort(kept.get("sort"), kept.has("down"));
filter();

$("filter").addEventListener("input", filter);
$("smooth").addEventListener("input", () => { keep("smooth", $("smooth").value); redraw(); });
$("log").addEventListener("input", () => { keep("log", $("log").checked ? "1" : ""); redraw(); });
$("step").addEventListener("input", () => {
  keep("step", +$("step").value === steps.length - 1 ? "" : $("step").value);
  grids();
});
$("every").addEventListener("input", () => {
  rows.forEach((row) => { if (row.passes) row.box.checked = $("every").checked; });
  chosen();
});
rows.forEach((row) => row.box.addEventListener("input", chosen));
heads.forEach((head) => head.querySelector("button").addEventListener("click", () =>
  sort(head.dataset.key, head.getAttribute("aria-sort") === "ascending")));
addEventListener("resize", redraw);
dark.addEventListener("change", show);
if (data.reload) setInterval(() => { if (!document.hidden) location.reload(); }, data.reload * 1000);
