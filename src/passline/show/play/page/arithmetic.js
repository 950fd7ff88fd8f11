/** The next step in numbers: each point's prediction and error, the gradients they add up to, the new weight. */
import { finite, preview, probability } from "./descent.js";
import { decimals, figure, html } from "./dom.js";

const ROWS = 6;

/** The table; `draw(view)` shows what view.run's next step will do. */
export function makeArithmetic(root) {
  return { draw: (view) => root.replaceChildren(...content(view)) };
}

function content({ run, words }) {
  const said = words.arithmetic;
  if (!finite(run)) return [html("p", {}, said.stopped)];
  const next = preview(run);
  const squared = run.settings.loss === "mse";
  const heads = [
    said.hours,
    said.outcome,
    said.predicted,
    squared ? said.errorMse : said.error,
    squared ? said.shareMse : said.share,
  ];
  const body = next.rows.slice(0, ROWS).map((i) => {
    const [x, y] = [run.x[i], run.y[i]];
    const p = probability(run, x);
    const error = squared ? 2 * (p - y) * p * (1 - p) : p - y;
    return html(
      "tr",
      {},
      ...[figure(x), String(y), decimals(p), decimals(error), decimals(error * x)].map((text) => html("td", {}, text)),
    );
  });
  const table = html(
    "table",
    {},
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
    html("tbody", {}, ...body),
  );
  const others = next.rows.length - ROWS;
  const lines = [
    said.gradient(decimals(next.gradient[0]), decimals(next.gradient[1])),
    said.move("w", decimals(run.w, 6), decimals(next.w, 6), moved(run, next.gradient[0], next.w - run.w)),
    said.move("b", decimals(run.b, 6), decimals(next.b, 6), moved(run, next.gradient[1], next.b - run.b)),
  ];
  return [
    html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": said.heading }, table),
    ...(others > 0 ? [html("p", {}, said.others(others))] : []),
    html("p", { class: "sums" }, lines.join("\n")),
  ];
}

function moved({ settings }, gradient, by) {
  const { optimizer, rate } = settings;
  if (optimizer === "sgd") return `− ${figure(rate)} × ${decimals(gradient)}`;
  return `${by < 0 ? "−" : "+"} ${decimals(Math.abs(by), 6)}, ${optimizer}`;
}
