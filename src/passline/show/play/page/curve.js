/** The curve over the points of one predictor. */
import { ticks } from "d3-array";
import { axes } from "./axes.js";
import { boundary, probability } from "./descent.js";
import { html, linear, onWidth, set, svg, unchanged } from "./dom.js";
import { drawPoints, makePoints, onGrid, rounded, strideOf } from "./points.js";

const MARGIN = { top: 14, right: 18, bottom: 44, left: 62 };

/** The picture; `act` has now() (the state, drawn or not yet), move(i, change, first), drop(), add(point), remove(i). */
export function makeCurve(root, act) {
  const help = html("p", { class: "hidden-text", id: "point-help" });
  const frame = svg("svg", { class: "chart curve-chart", role: "group", "aria-describedby": "point-help" });
  const layer = (name) => frame.appendChild(svg("g", { class: name }));
  const layers = { grid: layer("grid"), ghosts: layer("ghosts"), lines: layer("lines") };
  root.append(frame, help);
  const chart = { frame, layers, help, act, width: 640, domain: null, view: null, draw: () => draw(chart) };
  chart.same = { grid: unchanged(), ghosts: unchanged(), points: unchanged() };
  Object.assign(chart, pointsOf(chart));
  makePoints(chart, layer("points"));
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

/** How points stand and move here: across by hours, above or below by the outcome. */
function pointsOf(chart) {
  const outcome = (py) => (chart.y.invert(py) > 0.5 ? 1 : 0);
  return {
    place: ({ x, y }, rise) => [chart.x(x), chart.y(y) + (y ? rise : -rise)],
    dragged: (px, py) => ({ x: onGrid(chart.x.invert(px), chart.domain, chart.view.frame), y: outcome(py) }),
    added(px, py) {
      const [x, level] = [chart.x.invert(px), chart.y.invert(py)];
      const near = Math.abs(level - Math.round(level)) < 0.16 && x >= chart.domain[0] && x <= chart.domain[1];
      return near ? { x: onGrid(x, chart.domain, chart.view.frame), y: outcome(py) } : null;
    },
    keys({ x }, times) {
      const stride = times * strideOf(chart.view.frame);
      return {
        ArrowLeft: { x: rounded(x - stride) },
        ArrowRight: { x: rounded(x + stride) },
        ArrowUp: { y: 1 },
        ArrowDown: { y: 0 },
      };
    },
  };
}

/** The hours that a chart of these points shows: the frame (the lesson's 0 to 10), and more if they need it. */
function hoursShown(points, [low, high]) {
  return [
    points.reduce((least, { x }) => Math.min(least, x), low),
    points.reduce((most, { x }) => Math.max(most, x), high),
  ];
}

function draw(chart) {
  const { frame, view, width } = chart;
  const height = Math.round(Math.min(430, Math.max(250, width * 0.56)));
  set(frame, { viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": view.words.chart(view.points.length) });
  chart.help.textContent = view.words.pointHelp;
  if (chart.dragging === null) chart.domain = hoursShown(view.points, view.frame);
  chart.x = linear(chart.domain, [MARGIN.left, width - MARGIN.right]);
  chart.y = linear([-0.05, 1.05], [height - MARGIN.bottom, MARGIN.top]);
  chart.height = height;
  const { same, domain } = chart;
  const size = [width, ...domain];
  if (!same.grid([...size, view.words])) drawGrid(chart);
  if (!same.ghosts([...size, view.answers, view.ghosts, view.interval, view.settings.ridge])) drawGhosts(chart);
  drawLines(chart);
  if (!same.points([...size, view.points, view.words, chart.dragging, chart.leaving])) drawPoints(chart);
}

function drawGrid({ layers, view, x, y, width, height, domain }) {
  const across = ticks(...domain, Math.max(3, Math.round(width / 90)));
  const names = [view.words.hours, view.words.probability];
  const up = [0, 0.25, 0.5, 0.75, 1];
  layers.grid.replaceChildren(...axes({ x, y, width, height, margin: MARGIN, across, up, names }));
}

function drawGhosts(chart) {
  const { layers, view, x, y } = chart;
  const { answers, ghosts } = view;
  const drawn = [];
  if (ghosts && answers.kind === "complete" && view.settings.ridge === 0) {
    const [left, right] = [x(answers.low), x(answers.high)];
    drawn.push(svg("rect", { class: "gap", x: left, width: right - left, y: y(1.05), height: y(-0.05) - y(1.05) }));
  }
  if (ghosts && answers.best === null && answers.firth !== null) {
    drawn.push(svg("path", { class: "firth", d: pathOf(chart, answers.firth) }));
  }
  if (ghosts && answers.best !== null) drawn.push(svg("path", { class: "best", d: pathOf(chart, answers.best) }));
  if (view.interval && answers.set !== null) {
    for (const [low, high] of answers.set) {
      const [from, to] = [low, high].map((at) => x(Math.min(chart.domain[1], Math.max(chart.domain[0], at))));
      if (to > from) drawn.push(svg("line", { class: "set", x1: from, x2: to, y1: y(0.5), y2: y(0.5) }));
    }
  }
  layers.ghosts.replaceChildren(...drawn);
}

function drawLines(chart) {
  const { layers, view, x, y, width, domain } = chart;
  const drawn = [svg("line", { class: "half", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(0.5), y2: y(0.5) })];
  if (Number.isFinite(view.run.w) && Number.isFinite(view.run.b)) {
    drawn.push(svg("path", { class: "curve", d: pathOf(chart, view.run) }));
  }
  const at = boundary(view.run);
  if (at !== null && at >= domain[0] && at <= domain[1]) {
    drawn.push(svg("line", { class: "boundary", x1: x(at), x2: x(at), y1: y(0.5), y2: y(-0.05) }));
    drawn.push(svg("circle", { class: "crossing", cx: x(at), cy: y(0.5), r: 5 }));
  }
  layers.lines.replaceChildren(...drawn);
}

function pathOf({ x, y, domain }, line) {
  const n = 200;
  // A steep curve is drawn where it turns, not where the grid happens to look.
  const at = boundary(line);
  const reach = line.w === 0 ? 0 : 8 / Math.abs(line.w);
  const hours = Array.from({ length: n + 1 }, (_, i) => domain[0] + ((domain[1] - domain[0]) * i) / n);
  if (at !== null) for (let i = -16; i <= 16; i++) hours.push(at + (reach * i) / 16);
  const inside = hours.filter((one) => one >= domain[0] && one <= domain[1]).sort((a, b) => a - b);
  return inside
    .map((one, i) => `${i ? "L" : "M"}${x(one).toFixed(2)} ${y(probability(line, one)).toFixed(2)}`)
    .join("");
}
