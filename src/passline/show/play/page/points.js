/** The points of a picture: dragged, flipped, added and deleted with mouse, touch and keyboard. */
import { set, svg } from "./dom.js";

const RADIUS = 9;
// A finger needs more than a mouse.
const REACH = 20;
// A point that is dropped so far outside the picture is removed.
const AWAY = 40;
// More points than this are drawn small, and the keyboard finds them in the table of points.
const FEW = 40;

/**
 * Points in a layer of `chart.frame`. `chart` has act (now(), move(i, change, first), drop(), add(point), remove(i)),
 * width (as drawn), view, draw(), dragging and leaving (which this module sets), and what is its own:
 * place(point, height in its pile) -> [px, py]; dragged(px, py) -> {x, ...}; added(px, py, event) -> a point or null;
 * keys(point, stride) -> {key: change}; range(point) -> the attributes of a slider.
 */
export function makePoints(chart, layer) {
  const { frame } = chart;
  Object.assign(chart, { dragging: null, leaving: false, layer });
  frame.addEventListener("pointermove", (event) => drag(chart, event));
  frame.addEventListener("pointerup", () => drop(chart));
  frame.addEventListener("pointercancel", () => {
    chart.leaving = false;
    drop(chart);
  });
  frame.addEventListener("click", (event) => {
    if (event.target.closest(".point") || performance.now() - (chart.dropped ?? -Infinity) < 300) return;
    const point = chart.added(...placeOf(chart, event), event);
    if (point !== null) chart.act.add(point);
  });
}

/** Draw the points of the chart's view. */
export function drawPoints(chart) {
  const { layer, view } = chart;
  const many = view.points.length > FEW;
  layer.setAttribute("class", many ? "points many" : "points");
  while (layer.childElementCount > view.points.length) layer.lastChild.remove();
  while (layer.childElementCount < view.points.length) layer.append(makePoint(chart, layer.childElementCount));
  // Points that fall on one another are set side by side.
  const piles = new Map();
  view.points.forEach((point, i) => {
    const pile = `${point.x}:${point.z}:${point.y}`;
    const height = piles.get(pile) ?? 0;
    piles.set(pile, height + 1);
    const [px, py] = chart.place(point, Math.min(height * 6, 18));
    const said = view.words.where(point);
    const node = set(layer.children[i], {
      class: `point ${point.y ? "passed" : "failed"}${chart.dragging === i ? (chart.leaving ? " dragged leaving" : " dragged") : ""}`,
      transform: `translate(${px.toFixed(2)} ${py.toFixed(2)})`,
      tabindex: many ? -1 : 0,
      "aria-label": view.words.student(i + 1),
      "aria-valuemin": chart.domain[0],
      "aria-valuemax": chart.domain[1],
      "aria-valuenow": point.x,
      "aria-valuetext": said,
    });
    node.querySelector("title").textContent = said;
  });
}

/** The stride of the arrow keys: a hundredth of a range or so, a power of ten. */
export function strideOf([low, high]) {
  return 10 ** Math.round(Math.log10((high - low) / 100));
}

/** The value nearest to `at` on a grid of half a stride, within the range that is shown. */
export function onGrid(at, shown, frame) {
  const grid = strideOf(frame) / 2;
  return rounded(Math.round(Math.min(shown[1], Math.max(shown[0], at)) / grid) * grid);
}

/** A number without the digits that only rounding has left. */
export function rounded(x) {
  return Number(x.toPrecision(10));
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
  node.addEventListener("dblclick", () => chart.act.move(i, { y: 1 - chart.act.now().points[i].y }, true));
  return node;
}

function onKey(chart, i, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const point = chart.act.now().points[i];
  const change = { ...chart.keys(point, event.shiftKey ? 10 : 1), Enter: { y: 1 - point.y }, " ": { y: 1 - point.y } }[
    event.key
  ];
  const removes = event.key === "Delete" || event.key === "Backspace";
  if (change === undefined && !removes) return;
  event.preventDefault();
  if (removes) chart.act.remove(i);
  else chart.act.move(i, change, true);
  const points = chart.layer;
  points.children[Math.min(i, points.childElementCount - 1)]?.focus();
}

/** Where a pointer is, as the picture was drawn; it may be shown at another size. */
function placeOf(chart, event) {
  const box = chart.frame.getBoundingClientRect();
  const scale = chart.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
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
    chart.draw();
  }
  const change = chart.dragged(...placeOf(chart, event));
  const now = chart.act.now().points[chart.dragging];
  if (Object.entries(change).every(([name, value]) => now[name] === value)) return;
  chart.act.move(chart.dragging, change, !chart.moved);
  chart.moved = true;
}

function drop(chart) {
  if (chart.dragging === null) return;
  const [i, leaving] = [chart.dragging, chart.leaving];
  chart.dragging = null;
  chart.leaving = false;
  // The click that ends a drag must not add a point.
  chart.dropped = performance.now();
  chart.draw();
  if (leaving) chart.act.remove(i);
  else if (chart.moved) chart.act.drop();
}
