/** The plane of two predictors: the points, the shading of the probability, and the line where it is one half. */
import { ticks } from "d3-array";
import { axes } from "./axes.js";
import { probability } from "./descent.js";
import { decimals, html, linear, onWidth, set, svg, unchanged } from "./dom.js";
import { regions, sampled } from "./field.js";
import { drawPoints, makePoints, onGrid, rounded, strideOf } from "./points.js";

const MARGIN = { top: 14, right: 18, bottom: 44, left: 62 };
// Where the shading grows darker.
const LEVELS = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];
// The cells in which the gap is looked for.
const COLUMNS = 120;
const ROWS = 90;

/** The picture; `act` as for the curve. */
export function makePlane(root, act) {
  const help = html("p", { class: "hidden-text", id: "point-help" });
  const said = html("p", { class: "reading", "aria-hidden": "true" });
  const frame = svg("svg", { class: "chart plane-chart", role: "group", "aria-describedby": "point-help" });
  const layer = (name) => frame.appendChild(svg("g", { class: name }));
  const layers = { shade: layer("shade"), grid: layer("grid"), ghosts: layer("ghosts"), lines: layer("lines") };
  root.append(frame, said, help);
  const chart = { frame, layers, help, said, act, width: 640, view: null, pointer: null, draw: () => draw(chart) };
  chart.same = { grid: unchanged(), ghosts: unchanged(), points: unchanged() };
  Object.assign(chart, pointsOf(chart));
  makePoints(chart, layer("points"));
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    const scale = chart.width / box.width;
    chart.pointer = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    drawPointer(chart);
  });
  frame.addEventListener("pointerleave", () => {
    chart.pointer = null;
    drawPointer(chart);
  });
  onWidth(root, (width) => {
    chart.width = width;
    if (chart.view) draw(chart);
  });
  return {
    frame,
    draw(view) {
      chart.view = view;
      draw(chart);
    },
  };
}

/** Where on the edge of a box [[x0, x1], [z0, z1]] a line {w, v, b} enters and leaves; null where it passes by. */
export function chord(line, box) {
  const corners = cornersOf(box);
  const ends = [];
  corners.forEach((from, i) => {
    const to = corners[(i + 1) % 4];
    const [here, there] = [from, to].map(([x, z]) => line.w * x + line.v * z + line.b);
    if (here >= 0 !== there >= 0) ends.push(between(from, to, here / (here - there)));
  });
  return ends.length === 2 ? ends : null;
}

/** The part of a box in which the linear predictor is at least `level`: the corners of a polygon, none if empty. */
export function above(line, level, box) {
  const corners = cornersOf(box);
  const found = [];
  corners.forEach((from, i) => {
    const to = corners[(i + 1) % 4];
    const [here, there] = [from, to].map(([x, z]) => line.w * x + line.v * z + line.b - level);
    if (here >= 0) found.push(from);
    if (here >= 0 !== there >= 0) found.push(between(from, to, here / (here - there)));
  });
  return found;
}

function cornersOf([[x0, x1], [z0, z1]]) {
  return [
    [x0, z0],
    [x1, z0],
    [x1, z1],
    [x0, z1],
  ];
}

function between([ax, az], [bx, bz], share) {
  return [ax + share * (bx - ax), az + share * (bz - az)];
}

/** How points stand and move here: both ways by the predictors; the outcome is flipped by Enter or a double click. */
function pointsOf(chart) {
  const at = (px, py) => ({
    x: onGrid(chart.x.invert(px), chart.domain, chart.view.frame),
    z: onGrid(chart.y.invert(py), chart.second, chart.view.frameZ),
  });
  const inside = (value, [low, high]) => value >= low && value <= high;
  return {
    place: ({ x, z }, rise) => [chart.x(x) + rise, chart.y(z)],
    dragged: at,
    added: (px, py, event) =>
      inside(chart.x.invert(px), chart.domain) && inside(chart.y.invert(py), chart.second)
        ? { ...at(px, py), y: event.shiftKey ? 0 : 1 }
        : null,
    keys({ x, z }, times) {
      const [across, up] = [chart.view.frame, chart.view.frameZ].map((range) => times * strideOf(range));
      return {
        ArrowLeft: { x: rounded(x - across) },
        ArrowRight: { x: rounded(x + across) },
        ArrowUp: { z: rounded(z + up) },
        ArrowDown: { z: rounded(z - up) },
      };
    },
  };
}

/** The range of a predictor that is shown: the frame, and more if the points need it. */
function shown(points, name, [low, high]) {
  const values = points.map((point) => point[name]);
  return [values.reduce((a, b) => Math.min(a, b), low), values.reduce((a, b) => Math.max(a, b), high)];
}

function draw(chart) {
  const { frame, view, width } = chart;
  const height = Math.round(Math.min(520, Math.max(280, width * 0.74)));
  set(frame, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": view.words.chart(view.points.length) });
  chart.help.textContent = view.words.pointHelp;
  if (chart.dragging === null) {
    chart.domain = shown(view.points, "x", view.frame);
    chart.second = shown(view.points, "z", view.frameZ);
  }
  chart.x = linear(chart.domain, [MARGIN.left, width - MARGIN.right]);
  chart.y = linear(chart.second, [height - MARGIN.bottom, MARGIN.top]);
  chart.height = height;
  const size = [width, ...chart.domain, ...chart.second];
  if (!chart.same.grid([...size, view.words])) drawGrid(chart);
  if (!chart.same.ghosts([...size, view.answers, view.ghosts, view.settings.ridge])) drawGhosts(chart);
  drawShade(chart);
  if (!chart.same.points([...size, view.points, view.words, chart.dragging, chart.leaving])) drawPoints(chart);
  drawPointer(chart);
}

function drawGrid({ layers, view, x, y, width, height, domain, second }) {
  const across = ticks(...domain, Math.max(3, Math.round(width / 90)));
  const up = ticks(...second, 6);
  const names = [view.words.hours, view.words.second];
  layers.grid.replaceChildren(...axes({ x, y, width, height, margin: MARGIN, across, up, names, lines: false }));
}

function drawShade(chart) {
  const { layers, view, domain, second } = chart;
  const box = [domain, second];
  const { run } = view;
  const good = [run.w, run.v, run.b].every(Number.isFinite);
  const bands = (good ? LEVELS : [])
    .map((level) => above(run, Math.log(level / (1 - level)), box))
    .filter((corners) => corners.length)
    .map((corners) => svg("path", { class: "level", d: `${pathOf(chart, corners)}Z` }));
  layers.shade.replaceChildren(...bands);
  const edge = svg("rect", {
    class: "edge",
    x: chart.x(domain[0]),
    y: chart.y(second[1]),
    width: chart.x(domain[1]) - chart.x(domain[0]),
    height: chart.y(second[0]) - chart.y(second[1]),
  });
  const ends = good ? chord(run, box) : null;
  layers.lines.replaceChildren(edge, ...(ends ? [svg("path", { class: "half line", d: pathOf(chart, ends) })] : []));
}

function drawGhosts(chart) {
  const { layers, view, domain, second } = chart;
  const { answers, ghosts, settings } = view;
  const line = (name, at) => {
    const ends = at ? chord(at, [domain, second]) : null;
    return ends ? [svg("path", { class: name, d: pathOf(chart, ends) })] : [];
  };
  const drawn = [];
  if (ghosts && answers.open && settings.ridge === 0) {
    const field = sampled(answers.open, domain, second, COLUMNS, ROWS);
    const [left, top] = [chart.x(domain[0]), chart.y(second[1])];
    const box = { left, top, width: chart.x(domain[1]) - left, height: chart.y(second[0]) - top };
    drawn.push(...regions(field, [0], COLUMNS, ROWS, box).map((d) => svg("path", { class: "gap", d })));
  }
  if (ghosts && answers.best === null) drawn.push(...line("firth", answers.firth));
  if (ghosts) drawn.push(...line("best", answers.best));
  layers.ghosts.replaceChildren(...drawn);
}

function drawPointer(chart) {
  const { pointer, view, said } = chart;
  if (view === null) return;
  const [x, z] = pointer ? [chart.x.invert(pointer[0]), chart.y.invert(pointer[1])] : [NaN, NaN];
  const inside = x >= chart.domain[0] && x <= chart.domain[1] && z >= chart.second[0] && z <= chart.second[1];
  said.textContent = inside ? view.words.at(x, z, decimals(probability(view.run, x, z))) : view.words.pointer;
}

function pathOf({ x, y }, corners) {
  return corners.map(([at, up], i) => `${i ? "L" : "M"}${x(at).toFixed(2)} ${y(up).toFixed(2)}`).join("");
}
