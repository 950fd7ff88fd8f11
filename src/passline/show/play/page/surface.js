/** The loss over weight and bias, or two weights, as contours, and the path that was walked on it. */
import { ticks } from "d3-array";
import { axes } from "./axes.js";
import { lossAt } from "./descent.js";
import { figure, linear, onWidth, set, svg } from "./dom.js";
import { regions, sampled } from "./field.js";

const MARGIN = { top: 10, right: 14, bottom: 40, left: 62 };
const COLUMNS = 64;
const ROWS = 48;
const LEVELS = 14;

/** The picture; `draw(view)` shows the surface of view.run's points and settings. */
export function makeSurface(root) {
  const frame = svg("svg", { class: "chart surface-chart", role: "img" });
  root.append(frame);
  const chart = { frame, width: 480, key: null, shapes: [], view: null };
  onWidth(root, (width) => {
    chart.width = width;
    if (chart.view) draw(chart);
  });
  return {
    draw(view) {
      chart.view = view;
      draw(chart);
    },
  };
}

function draw(chart) {
  const { frame, view, width } = chart;
  const { run, settings, answers } = view;
  const height = Math.round(Math.min(340, width * 0.72));
  // With two predictors the second weight stands beside the first, at the bias as it is now.
  const other = run.z === null ? "b" : "v";
  // The valley is in sight, wherever the path begins.
  const answer = answers.best ?? answers.firth ?? { w: 1, v: 1, b: -2 };
  const domains = ["w", other].map((name) => extent(run.trace[name], [0, 1.5 * answer[name]]));
  const x = linear(domains[0], [MARGIN.left, width - MARGIN.right]);
  const y = linear(domains[1], [height - MARGIN.bottom, MARGIN.top]);
  // A bias that has hardly moved leaves the surface as it is: it takes long to compute.
  const stride = (domains[1][1] - domains[1][0]) / 64;
  const bias = other === "b" ? 0 : Math.round(run.b / stride) * stride;
  const key = JSON.stringify([
    domains,
    width,
    view.points,
    settings.loss,
    settings.reduction,
    settings.ridge,
    bias,
  ]);
  if (key !== chart.key) {
    chart.key = key;
    chart.shapes = shapes(run, { other, bias }, domains, boxOf(width, height));
  }
  const names = [view.words.surface.weight, other === "b" ? view.words.surface.bias : view.words.surface.second];
  const label = view.words.surface.alt(figure(run.w), figure(run[other]));
  set(frame, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": label });
  const filled = chart.shapes.map((d, i) =>
    svg("path", { class: "level", "fill-opacity": (0.06 + (0.1 * i) / LEVELS).toFixed(3), d }),
  );
  const [across, up] = domains.map((domain) => ticks(...domain, 5));
  const grid = axes({ x, y, width, height, margin: MARGIN, across, up, names, lines: false });
  frame.replaceChildren(...filled, svg("g", { class: "grid" }, ...grid), ...walked(view, other, x, y, domains));
}

function boxOf(width, height) {
  const { left, top, right, bottom } = MARGIN;
  return { left, top, width: width - left - right, height: height - top - bottom };
}

/** Regions of loss above a level, lowest first; even steps of the logarithm, since a valley is what matters. */
function shapes(run, { other, bias }, domains, box) {
  // A surface that is drawn anew while it plays has fewer cells.
  const [columns, rows] = other === "b" ? [COLUMNS, ROWS] : [COLUMNS / 2, ROWS / 2];
  const loss = (w, at) => Math.log(Math.max(1e-12, lossAt(run, { w, v: 0, b: bias, [other]: at })));
  const values = sampled(loss, ...domains, columns, rows);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high > low)) return [];
  const levels = Array.from({ length: LEVELS }, (_, i) => low + ((high - low) * (i + 0.5)) / LEVELS);
  return regions(values, levels, columns, rows, box);
}

function walked({ run, answers }, other, x, y, [across, up]) {
  const inside = (at, [low, high]) => Math.min(high, Math.max(low, at));
  const path = [...run.trace.w, run.w].map((one, i) => [one, [...run.trace[other], run[other]][i]]);
  const d = path
    .filter(([one, second]) => Number.isFinite(one) && Number.isFinite(second))
    .map(
      ([one, second], i) => `${i ? "L" : "M"}${x(inside(one, across)).toFixed(2)} ${y(inside(second, up)).toFixed(2)}`,
    )
    .join("");
  const drawn = [
    svg("path", { class: "walk", d }),
    svg("circle", { class: "start", cx: x(path[0][0]), cy: y(path[0][1]), r: 5 }),
  ];
  if (Number.isFinite(run.w) && Number.isFinite(run[other])) {
    drawn.push(svg("circle", { class: "crossing", cx: x(inside(run.w, across)), cy: y(inside(run[other], up)), r: 5 }));
  }
  const { best } = answers;
  if (best !== null) {
    const [cx, cy] = [x(inside(best.w, across)), y(inside(best[other], up))];
    drawn.push(svg("path", { class: "best-mark", d: `M${cx - 6} ${cy}H${cx + 6}M${cx} ${cy - 6}V${cy + 6}` }));
  }
  return drawn;
}

/** A range with room at its ends; it widens in doublings, so that the surface is not computed anew at each step. */
function extent(walked, anchors) {
  const farthest = 1e3 * Math.max(...anchors.map(Math.abs), Math.abs(walked[0]));
  const finite = [...anchors, ...walked.filter((value) => Math.abs(value) <= farthest)];
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const unit = 2 ** Math.ceil(Math.log2((most - least) / 4 || 1));
  return [Math.floor(least / unit - 0.1) * unit, Math.ceil(most / unit + 0.1) * unit];
}
