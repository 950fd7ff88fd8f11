/** The loss against the steps, with its value under the pointer or the arrow keys. */
import { bisector, ticks } from "d3-array";
import { decimals, html, linear, onWidth, set, svg, whole } from "./dom.js";

const MARGIN = { top: 10, right: 14, bottom: 30, left: 62 };
const HEIGHT = 190;
const nearest = bisector((step) => step).center;

/** The picture; `draw(view)` shows the trace of view.run. */
export function makeLosses(root) {
  const frame = svg("svg", { class: "chart loss-chart", role: "slider", tabindex: 0 });
  const said = html("p", { class: "reading", "aria-hidden": "true" });
  root.append(frame, said);
  const chart = { frame, said, width: 480, at: null, view: null };
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    point(chart, nearest(chart.steps, chart.x.invert(((event.clientX - box.left) * chart.width) / box.width)));
  });
  frame.addEventListener("pointerleave", () => point(chart, null));
  frame.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -50, PageUp: 50, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const last = chart.steps.length - 1;
    point(chart, Math.min(last, Math.max(0, (chart.at ?? last) + by)));
  });
  onWidth(root, (width) => {
    chart.width = width;
    if (chart.view) draw(chart);
  });
  return {
    draw(view) {
      chart.view = view;
      if (chart.run !== view.run) chart.at = null;
      chart.run = view.run;
      draw(chart);
    },
  };
}

function point(chart, at) {
  chart.at = at;
  draw(chart);
}

function draw(chart) {
  const { frame, view, width } = chart;
  const { trace } = view.run;
  const until = trace.losses.findIndex((loss) => !Number.isFinite(loss));
  const count = until < 0 ? trace.steps.length : until;
  chart.steps = trace.steps.slice(0, count);
  const losses = trace.losses.slice(0, count);
  const top =
    Math.max(
      1e-12,
      losses.reduce((most, loss) => Math.max(most, loss), 0),
    ) * 1.05;
  const x = linear([0, Math.max(10, chart.steps.at(-1) ?? 0)], [MARGIN.left, width - MARGIN.right]);
  const y = linear([0, top], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  chart.x = x;
  const at = Math.min(chart.at ?? count - 1, count - 1);
  const reading = count ? view.words.losses.at(chart.steps[at], decimals(losses[at])) : "";
  set(frame, {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    width,
    height: HEIGHT,
    "aria-label": view.words.losses.help,
    "aria-valuemin": 0,
    "aria-valuemax": chart.steps.at(-1) ?? 0,
    "aria-valuenow": chart.steps[at] ?? 0,
    "aria-valuetext": reading,
  });
  chart.said.textContent = reading;
  const d = losses.map((loss, i) => `${i ? "L" : "M"}${x(chart.steps[i]).toFixed(2)} ${y(loss).toFixed(2)}`).join("");
  frame.replaceChildren(
    axes(view, x, y, width, top),
    svg("path", { class: "curve", d }),
    ...(count ? marks(chart, x(chart.steps[at]), y(losses[at])) : []),
  );
}

function axes(view, x, y, width, top) {
  const group = svg("g", { class: "grid" });
  for (const at of ticks(0, top, 4)) {
    group.append(
      svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(at), y2: y(at) }),
      svg("text", { x: MARGIN.left - 8, y: y(at) + 4, "text-anchor": "end" }, String(at)),
    );
  }
  const last = x.invert(width - MARGIN.right);
  for (const at of ticks(0, last, Math.max(2, Math.round(width / 130)))) {
    group.append(svg("text", { x: x(at), y: HEIGHT - 12, "text-anchor": at === 0 ? "start" : "middle" }, whole(at)));
  }
  return group;
}

function marks(chart, x, y) {
  const dot = svg("circle", { class: "crossing", cx: x, cy: y, r: 4 });
  if (chart.at === null) return [dot];
  return [svg("line", { class: "boundary", x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }), dot];
}
