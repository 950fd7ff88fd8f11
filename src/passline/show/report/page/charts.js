/** The charts, each from its numbers and a width: an SVG that stands in the page and takes its colours from it. */

import { areaY, axisX, axisY, barX, dot, lineY, line, plot, rectY, ruleX, ruleY, text, tip, pointer, pointerX } from "plot";
import { curve } from "./threshold.js";
import { figure } from "./dom.js";

const BLUE = "var(--blue)", RED = "var(--red)", SOFT = "var(--soft)", LINE = "var(--line)";
const BAND = { fill: BLUE, fillOpacity: 0.14 };

/** Odds ratios with their intervals, on a scale of factors. */
export function odds(rows, width) {
  const drawn = rows.map((row, place) => ({
    place,
    term: row.term,
    ratio: Math.exp(row.estimate),
    low: row.low === null ? NaN : Math.exp(row.low),
    high: row.high === null ? NaN : Math.exp(row.high),
  }));
  const [least, most] = reach(drawn);
  const left = Math.min(0.42 * width, 22 + 7.6 * Math.max(...drawn.map((row) => [...row.term].length)));
  const within = (value) => Math.min(Math.max(value, least), most);
  return finished({
    width,
    marginTop: 10,
    height: 56 + 27 * drawn.length,
    marginLeft: left,
    marginRight: 24,
    x: { type: "log", domain: [least, most], label: "odds ratio", ticks: Math.min(6, width / 130), tickFormat: (value) => figure(value, 3) },
    y: { domain: drawn.map((row) => row.place), label: null },
    marks: [
      ruleX([1], { stroke: RED, strokeWidth: 1.4 }),
      names(drawn, "term", left),
      ruleY(drawn.filter((row) => row.low < row.high), {
        y: "place", x1: (row) => within(row.low), x2: (row) => within(row.high), stroke: BLUE, strokeWidth: 2.4,
      }),
      dot(drawn, { x: (row) => within(row.ratio), y: "place", fill: BLUE, r: 4.6 }),
      tip(drawn, pointer({ x: (row) => within(row.ratio), y: "place", title: oddsTitle })),
    ],
  });
}

/** The probability along a number with its band, the red line at one half and where they meet; or of each level. */
export function effect({ kind, variable, curve: rows, boundary }, width) {
  const placed = rows.map((row, place) => ({ ...row, place }));
  const drawn = placed.filter((row) => row.probability !== null);
  const banded = drawn.filter((row) => row.conf_low !== null && row.conf_high !== null);
  const title = (row) => `${kind === "number" ? `${variable} ${figure(row.value)}` : row.value}\nprobability ${shown(row)}`;
  if (kind !== "number") return levels(drawn, banded, title, width);
  return finished({
    width,
    height: 250,
    x: { label: variable, labelAnchor: "center", ticks: Math.min(6, width / 70) },
    y: probabilityAxis(),
    marks: [
      ruleY([0.5], { stroke: RED, strokeWidth: 1.2 }),
      areaY(banded, { x: "value", y1: "conf_low", y2: "conf_high", ...BAND }),
      lineY(placed, { x: "value", y: (row) => row.probability ?? NaN, stroke: BLUE, strokeWidth: 2.6 }),
      drawn.length < 3 ? dot(drawn, { x: "value", y: "probability", fill: BLUE, r: 4.5 }) : null,
      ruleX(inside(boundary, drawn), { y1: 0, y2: 0.5, stroke: RED, strokeDasharray: "2 4", strokeWidth: 1.5 }),
      dot(inside(boundary, drawn), { x: (x) => x, y: () => 0.5, fill: RED, r: 4.5 }),
      tip(drawn, pointerX({ x: "value", y: "probability", title })),
    ],
  });
}

function levels(drawn, banded, title, width) {
  const left = Math.min(0.4 * width, 22 + 7.6 * Math.max(...drawn.map((row) => [...row.value].length), 2));
  return finished({
    width,
    marginTop: 10,
    height: 60 + 26 * drawn.length,
    marginLeft: left,
    x: { domain: [0, 1], label: "probability", labelAnchor: "center", ticks: 5 },
    y: { domain: drawn.map((row) => row.place), label: null },
    marks: [
      ruleX([0.5], { stroke: RED, strokeWidth: 1.2 }),
      names(drawn, "value", left),
      ruleY(banded, { y: "place", x1: "conf_low", x2: "conf_high", stroke: BLUE, strokeWidth: 2.4 }),
      dot(drawn, { x: "probability", y: "place", fill: BLUE, r: 4.6 }),
      tip(drawn, pointer({ x: "probability", y: "place", title })),
    ],
  });
}

/** Sensitivity against the share of false alarms, and where the threshold stands. */
export function roc(scores, width, at) {
  const points = curve(scores).map((one) => ({ ...one, x: 1 - one.specificity, y: one.sensitivity }));
  return square(width, "1 − specificity", "sensitivity", [
    line([[0, 0], [1, 1]], { stroke: SOFT, strokeDasharray: "3 4" }),
    ...path(points, width, at),
  ]);
}

/** Precision against recall, and the share of positives, which precision has by chance. */
export function precision(scores, width, at) {
  const points = curve(scores)
    .filter((one) => Number.isFinite(one.precision))
    .map((one) => ({ ...one, x: one.sensitivity, y: one.precision }));
  const { counts } = points[0];
  return square(width, "recall (sensitivity)", "precision", [
    ruleY([(counts.tp + counts.fn) / (counts.tp + counts.fn + counts.fp + counts.tn)], { stroke: SOFT, strokeDasharray: "3 4" }),
    ...path(points, width, at),
  ]);
}

/** Observed shares against mean probabilities, with the rows of each bin below. */
export function calibration(bins, width) {
  const most = Math.max(...bins.map((bin) => bin.weight));
  const title = (bin) =>
    `probability ${figure(bin.predicted, 3)}\nobserved ${figure(bin.observed, 3)} (${figure(bin.conf_low, 3)} to ${figure(bin.conf_high, 3)})\nrows ${figure(bin.weight, 6)}`;
  return square(width, "mean probability", "observed share", [
    rectY(bins, { x1: "low", x2: (bin) => Math.max(bin.high, bin.low + 0.004), y1: 0, y2: (bin) => (0.16 * bin.weight) / most, fill: LINE, inset: 0.5 }),
    line([[0, 0], [1, 1]], { stroke: RED, strokeWidth: 1.2 }),
    ruleX(bins, { x: "predicted", y1: "conf_low", y2: "conf_high", stroke: BLUE, strokeWidth: 2 }),
    dot(bins, { x: "predicted", y: "observed", fill: BLUE, r: 4.6 }),
    tip(bins, pointer({ x: "predicted", y: "observed", title })),
  ]);
}

/** Mean residuals of bins of rows, and the lines between which nineteen of twenty lie. */
export function residuals(rows, width) {
  const title = (row) => `probability ${figure(row.predicted, 3)}\nresidual ${figure(row.residual, 3)}\nrows ${figure(row.rows, 6)}`;
  return finished({
    width,
    height: 260,
    x: { label: "mean probability", labelAnchor: "center" },
    y: { label: "mean residual", grid: true, ticks: 5 },
    marks: [
      ruleY([0], { stroke: RED, strokeWidth: 1.2 }),
      lineY(rows, { x: "predicted", y: "two", stroke: SOFT, curve: "monotone-x" }),
      lineY(rows, { x: "predicted", y: (row) => -row.two, stroke: SOFT, curve: "monotone-x" }),
      dot(rows, { x: "predicted", y: "residual", fill: BLUE, r: 4 }),
      tip(rows, pointer({ x: "predicted", y: "residual", title })),
    ],
  });
}

/** Each term's share of the log-odds. */
export function shares(given, width) {
  const rows = given.map((row, place) => ({ ...row, place, end: Math.max(row.value, 0), text: figure(row.value, 3) }));
  const left = Math.min(0.4 * width, 22 + 7.6 * Math.max(...rows.map((row) => [...row.term].length)));
  return finished({
    width,
    marginTop: 10,
    height: 56 + 27 * rows.length,
    marginLeft: left,
    marginRight: 60,
    x: { label: "share of the log-odds", labelAnchor: "center", ticks: Math.min(6, width / 90), grid: true, nice: true },
    y: { domain: rows.map((row) => row.place), label: null },
    marks: [
      names(rows, "term", left),
      barX(rows, { y: "place", x: "value", fill: (row) => (row.value < 0 ? "var(--less)" : BLUE), insetTop: 4, insetBottom: 4 }),
      ruleX([0], { stroke: SOFT }),
      text(rows, { y: "place", x: "end", text: "text", fill: "var(--ink)", textAnchor: "start", dx: 5 }),
    ],
  });
}

/** The names of an axis of names, one a row, however many are alike. */
function names(rows, field, left) {
  const named = new Map(rows.map((row) => [row.place, row[field]]));
  return axisY({ tickSize: 0, tickFormat: (place) => named.get(place), textOverflow: "ellipsis", lineWidth: (left - 8) / 13 });
}

function path(points, width, at) {
  const near = at === undefined ? [] : [points.reduce((best, one) => (distance(one, at) < distance(best, at) ? one : best))];
  const title = (one) => `threshold ${figure(one.threshold, 3)}\nsensitivity ${figure(one.sensitivity, 3)}\nspecificity ${figure(one.specificity, 3)}\nprecision ${figure(one.precision, 3)}`;
  return [
    line(points, { x: "x", y: "y", stroke: BLUE, strokeWidth: 2.4 }),
    dot(near, { x: "x", y: "y", fill: RED, r: 5 }),
    tip(points, pointer({ x: "x", y: "y", title })),
  ];
}

function distance(one, at) {
  return Math.abs(one.counts.tp - at.tp) + Math.abs(one.counts.fp - at.fp);
}

function square(width, x, y, marks) {
  const side = Math.min(width, 420);
  return finished({
    width: side,
    height: side,
    marginLeft: 48,
    x: { domain: [0, 1], label: x, labelAnchor: "center", ticks: 5, grid: true },
    y: { domain: [0, 1], label: y, ticks: 5, grid: true },
    marks,
  });
}

function finished(options) {
  const drawn = plot({ marginTop: 30, marginBottom: 42, ...options, style: { fontSize: "13px", background: "none", overflow: "visible" } });
  // The policy of the page names its own style alone; what Plot would set stands there.
  for (const style of drawn.querySelectorAll("style")) style.remove();
  // The picture has a label of its own; those of its parts name no role, which no reader of screens can use.
  for (const part of drawn.querySelectorAll("[aria-label]")) {
    part.setAttribute("data-part", part.getAttribute("aria-label"));
    part.removeAttribute("aria-label");
  }
  return drawn;
}

function probabilityAxis() {
  return { domain: [0, 1], label: "probability", ticks: 5, grid: true };
}

function inside(values, rows) {
  const [first, last] = [rows[0]?.value, rows[rows.length - 1]?.value];
  return values.filter((value) => value >= first && value <= last);
}

function shown(row) {
  const interval = row.conf_low === null || row.conf_high === null ? "" : ` (${figure(row.conf_low, 3)} to ${figure(row.conf_high, 3)})`;
  return `${figure(row.probability, 3)}${interval}`;
}

function oddsTitle(row) {
  const interval = row.low < row.high ? ` (${figure(row.low, 3)} to ${figure(row.high, 3)})` : "";
  return `${row.term}\nodds ratio ${figure(row.ratio, 3)}${interval}`;
}

/** The factors that a chart spans: all estimates, and of the intervals what lies within a thousandfold of them. */
function reach(rows) {
  const ratios = rows.map((row) => Math.min(Math.max(row.ratio, 1e-12), 1e12));
  const [low, high] = [Math.min(...ratios, 1), Math.max(...ratios, 1)];
  const ends = rows.flatMap((row) => [row.low, row.high]).filter((value) => value > low / 1e3 && value < high * 1e3);
  return [Math.min(low, ...ends) / 1.15, Math.max(high, ...ends) * 1.15];
}
