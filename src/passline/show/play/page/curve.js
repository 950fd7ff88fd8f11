/** The curve over the points: what is drawn, and how points are dragged, added, flipped and deleted. */
import { ticks } from "d3-array";
import { boundary, probability } from "./descent.js";
import { cut, figure, html, linear, onWidth, set, svg, unchanged } from "./dom.js";

const MARGIN = { top: 14, right: 18, bottom: 44, left: 62 };
const RADIUS = 9;
// A finger needs more than a mouse.
const REACH = 20;
// A point that is dropped so far outside the picture is removed.
const AWAY = 40;
// More points than this are drawn small, and the keyboard finds them in the table of points.
const FEW = 40;
// What stands along an axis has that much room, in characters.
const AXIS = 36;

/** The picture; `act` has now() (the state, drawn or not yet), move(i, x, y, first), drop(), add(x, y), remove(i). */
export function makeCurve(root, act) {
  const help = html("p", { class: "hidden-text", id: "point-help" });
  const frame = svg("svg", { class: "chart curve-chart", role: "group", "aria-describedby": "point-help" });
  const layer = (name) => frame.appendChild(svg("g", { class: name }));
  const layers = {
    grid: layer("grid"),
    ghosts: layer("ghosts"),
    lines: layer("lines"),
    points: layer("points"),
  };
  root.append(frame, help);
  const chart = { frame, layers, help, act, width: 640, dragging: null, leaving: false, domain: null, view: null };
  chart.same = { grid: unchanged(), ghosts: unchanged(), points: unchanged() };
  frame.addEventListener("pointermove", (event) => drag(chart, event));
  frame.addEventListener("pointerup", () => drop(chart));
  frame.addEventListener("pointercancel", () => {
    chart.leaving = false;
    drop(chart);
  });
  frame.addEventListener("click", (event) => addAt(chart, event));
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

/** The hours that a chart of these points shows: the frame (the lesson's 0 to 10), and more if they need it. */
function hoursShown(points, [low, high]) {
  return [
    points.reduce((least, { x }) => Math.min(least, x), low),
    points.reduce((most, { x }) => Math.max(most, x), high),
  ];
}

/** The stride of the arrow keys: a hundredth of the frame or so, a power of ten. */
function strideOf({ frame: [low, high] }) {
  return 10 ** Math.round(Math.log10((high - low) / 100));
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
  const bottom = height - MARGIN.bottom;
  const across = ticks(...domain, Math.max(3, Math.round(width / 90))).map((at) => [
    svg("line", { x1: x(at), x2: x(at), y1: MARGIN.top, y2: bottom }),
    svg("text", { x: x(at), y: bottom + 17, "text-anchor": "middle" }, figure(at, 6)),
  ]);
  const up = [0, 0.25, 0.5, 0.75, 1].map((at) => [
    svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(at), y2: y(at) }),
    svg("text", { x: MARGIN.left - 8, y: y(at) + 4, "text-anchor": "end" }, String(at)),
  ]);
  const middle = (MARGIN.top + bottom) / 2;
  layers.grid.replaceChildren(
    ...across.flat(),
    ...up.flat(),
    svg(
      "text",
      { class: "axis", x: width - MARGIN.right, y: height - 8, "text-anchor": "end" },
      cut(view.words.hours, AXIS),
    ),
    svg(
      "text",
      { class: "axis", transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" },
      cut(view.words.probability, AXIS),
    ),
  );
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

function drawPoints(chart) {
  const { layers, view, x, y } = chart;
  const group = layers.points;
  const many = view.points.length > FEW;
  group.setAttribute("class", many ? "points many" : "points");
  while (group.childElementCount > view.points.length) group.lastChild.remove();
  while (group.childElementCount < view.points.length) group.append(makePoint(chart, group.childElementCount));
  // Points that fall on one another are set side by side.
  const piles = new Map();
  view.points.forEach((point, i) => {
    const pile = `${point.x}:${point.y}`;
    const height = piles.get(pile) ?? 0;
    piles.set(pile, height + 1);
    const rise = (point.y ? 1 : -1) * Math.min(height * 6, 18);
    const node = set(group.children[i], {
      class: `point ${point.y ? "passed" : "failed"}${chart.dragging === i ? (chart.leaving ? " dragged leaving" : " dragged") : ""}`,
      transform: `translate(${x(point.x).toFixed(2)} ${(y(point.y) + rise).toFixed(2)})`,
      tabindex: many ? -1 : 0,
      "aria-label": view.words.student(i + 1),
      "aria-valuemin": chart.domain[0],
      "aria-valuemax": chart.domain[1],
      "aria-valuenow": point.x,
      "aria-valuetext": view.words.where(point.x, point.y),
    });
    node.querySelector("title").textContent = view.words.where(point.x, point.y);
  });
}

function makePoint(chart, i) {
  const node = svg(
    "g",
    { role: "slider", "aria-describedby": "point-help" },
    svg("title"),
    svg("circle", { class: "reach", r: REACH }),
    svg("circle", { class: "ring", r: RADIUS + 5 }),
    svg("circle", { class: "dot", r: RADIUS }),
  );
  node.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    node.focus();
    chart.frame.setPointerCapture(event.pointerId);
    chart.dragging = i;
    chart.moved = false;
  });
  node.addEventListener("keydown", (event) => onKey(chart, i, event));
  node.addEventListener("dblclick", () => {
    const { x, y } = chart.act.now().points[i];
    chart.act.move(i, x, 1 - y, true);
  });
  return node;
}

function onKey(chart, i, event) {
  const { x, y } = chart.act.now().points[i];
  const stride = strideOf(chart.view) * (event.shiftKey ? 10 : 1);
  const moves = {
    ArrowLeft: () => chart.act.move(i, rounded(x - stride), y, true),
    ArrowRight: () => chart.act.move(i, rounded(x + stride), y, true),
    ArrowUp: () => chart.act.move(i, x, 1, true),
    ArrowDown: () => chart.act.move(i, x, 0, true),
    Enter: () => chart.act.move(i, x, 1 - y, true),
    " ": () => chart.act.move(i, x, 1 - y, true),
    Delete: () => chart.act.remove(i),
    Backspace: () => chart.act.remove(i),
  };
  const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
  if (move === undefined) return;
  event.preventDefault();
  move();
  const points = chart.layers.points;
  points.children[Math.min(i, points.childElementCount - 1)]?.focus();
}

/** Where a pointer is, in hours and probability; the picture may be shown at another size than it was drawn. */
function placeOf(chart, event) {
  const box = chart.frame.getBoundingClientRect();
  const scale = chart.width / box.width;
  return [chart.x.invert((event.clientX - box.left) * scale), chart.y.invert((event.clientY - box.top) * scale)];
}

function drag(chart, event) {
  if (chart.dragging === null) return;
  const box = chart.frame.getBoundingClientRect();
  const out = Math.max(
    box.left - event.clientX,
    event.clientX - box.right,
    box.top - event.clientY,
    event.clientY - box.bottom,
  );
  if (out > AWAY !== chart.leaving) {
    chart.leaving = out > AWAY;
    draw(chart);
  }
  const [hours, level] = placeOf(chart, event);
  const grid = strideOf(chart.view) / 2;
  const x = rounded(Math.round(Math.min(chart.domain[1], Math.max(chart.domain[0], hours)) / grid) * grid);
  const y = level > 0.5 ? 1 : 0;
  const now = chart.act.now().points[chart.dragging];
  if (now.x === x && now.y === y) return;
  chart.act.move(chart.dragging, x, y, !chart.moved);
  chart.moved = true;
}

function drop(chart) {
  if (chart.dragging === null) return;
  const [i, leaving] = [chart.dragging, chart.leaving];
  chart.dragging = null;
  chart.leaving = false;
  // The click that ends a drag must not add a point.
  chart.dropped = performance.now();
  draw(chart);
  if (leaving) chart.act.remove(i);
  else if (chart.moved) chart.act.drop();
}

function addAt(chart, event) {
  if (event.target.closest(".point") || performance.now() - (chart.dropped ?? -Infinity) < 300) return;
  const [x, level] = placeOf(chart, event);
  const near = Math.abs(level - Math.round(level)) < 0.16;
  if (near && x >= chart.domain[0] && x <= chart.domain[1]) {
    const grid = strideOf(chart.view) / 2;
    chart.act.add(rounded(Math.round(x / grid) * grid), level > 0.5 ? 1 : 0);
  }
}

function rounded(x) {
  return Number(x.toPrecision(10));
}
