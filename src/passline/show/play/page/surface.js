/** The loss over weight and bias as contours, and the path that was walked on it. */
import { ticks } from "d3-array";
import { contours } from "d3-contour";
import { lossAt } from "./descent.js";
import { figure, linear, onWidth, set, svg } from "./dom.js";

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
  const height = Math.round(Math.min(340, width * 0.72));
  const { w: ws, b: bs } = view.run.trace;
  // The valley is in sight, wherever the path begins.
  const answer = view.answers.best ?? view.answers.firth ?? { w: 1, b: -2 };
  const domains = [extent(ws, [0, 1.5 * answer.w]), extent(bs, [0, 1.5 * answer.b])];
  const x = linear(domains[0], [MARGIN.left, width - MARGIN.right]);
  const y = linear(domains[1], [height - MARGIN.bottom, MARGIN.top]);
  const { settings } = view;
  const key = JSON.stringify([domains, view.points, settings.loss, settings.reduction, settings.ridge]);
  if (key !== chart.key) {
    chart.key = key;
    chart.shapes = shapes(view.run, domains);
  }
  const label = view.words.surface.alt(figure(view.run.w), figure(view.run.b));
  set(frame, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": label });
  const place = ([column, row]) =>
    `${column * ((width - MARGIN.left - MARGIN.right) / COLUMNS) + MARGIN.left} ${row * ((height - MARGIN.top - MARGIN.bottom) / ROWS) + MARGIN.top}`;
  const filled = chart.shapes.map(({ coordinates }, i) =>
    svg("path", {
      class: "level",
      "fill-opacity": (0.06 + (0.1 * i) / LEVELS).toFixed(3),
      d: coordinates
        .flat()
        .map((ring) => `M${ring.map(place).join("L")}Z`)
        .join(""),
    }),
  );
  frame.replaceChildren(...filled, axes(view, x, y, domains, width, height), ...walked(view, x, y, domains));
}

/** Regions of loss above a level, lowest first; even steps of the logarithm, since a valley is what matters. */
function shapes(run, [[w0, w1], [b0, b1]]) {
  const values = new Float64Array(COLUMNS * ROWS);
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const w = w0 + ((w1 - w0) * (column + 0.5)) / COLUMNS;
      const b = b1 - ((b1 - b0) * (row + 0.5)) / ROWS;
      values[row * COLUMNS + column] = Math.log(Math.max(1e-12, lossAt(run, { w, v: 0, b })));
    }
  }
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high > low)) return [];
  const levels = Array.from({ length: LEVELS }, (_, i) => low + ((high - low) * (i + 0.5)) / LEVELS);
  return contours().size([COLUMNS, ROWS]).thresholds(levels)(values);
}

function axes(view, x, y, [across, up], width, height) {
  const group = svg("g", { class: "grid" });
  for (const at of ticks(...across, 5)) {
    group.append(svg("text", { x: x(at), y: height - MARGIN.bottom + 15, "text-anchor": "middle" }, figure(at)));
  }
  for (const at of ticks(...up, 5)) {
    group.append(svg("text", { x: MARGIN.left - 8, y: y(at) + 4, "text-anchor": "end" }, figure(at)));
  }
  const middle = (height - MARGIN.bottom + MARGIN.top) / 2;
  group.append(
    svg(
      "text",
      { class: "axis", x: width - MARGIN.right, y: height - 6, "text-anchor": "end" },
      view.words.surface.weight,
    ),
    svg(
      "text",
      { class: "axis", transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" },
      view.words.surface.bias,
    ),
  );
  return group;
}

function walked(view, x, y, [across, up]) {
  const { trace, w, b } = view.run;
  const inside = (at, [low, high]) => Math.min(high, Math.max(low, at));
  const d = [...trace.w, w]
    .map((at, i) => [at, [...trace.b, b][i]])
    .filter(([one, other]) => Number.isFinite(one) && Number.isFinite(other))
    .map(([one, other], i) => `${i ? "L" : "M"}${x(inside(one, across)).toFixed(2)} ${y(inside(other, up)).toFixed(2)}`)
    .join("");
  const drawn = [
    svg("path", { class: "walk", d }),
    svg("circle", { class: "start", cx: x(trace.w[0]), cy: y(trace.b[0]), r: 5 }),
  ];
  if (Number.isFinite(w) && Number.isFinite(b)) {
    drawn.push(svg("circle", { class: "crossing", cx: x(inside(w, across)), cy: y(inside(b, up)), r: 5 }));
  }
  const { best } = view.answers;
  if (best !== null) {
    const [cx, cy] = [x(inside(best.w, across)), y(inside(best.b, up))];
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
