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
  const two = run.z !== null;
  const heads = [
    said.hours,
    ...(two ? [said.second] : []),
    said.outcome,
    said.predicted,
    squared ? said.errorMse : said.error,
    squared ? said.shareMse : said.share,
    ...(two ? [squared ? said.secondShareMse : said.secondShare] : []),
  ];
  const body = next.rows.slice(0, ROWS).map((i) => {
    const [x, y, z] = [run.x[i], run.y[i], two ? run.z[i] : 0];
    const p = probability(run, x, z);
    const error = squared ? 2 * (p - y) * p * (1 - p) : p - y;
    const cells = [figure(x), ...(two ? [figure(z)] : []), String(y), decimals(p), decimals(error), decimals(error * x)];
    if (two) cells.push(decimals(error * z));
    return html("tr", {}, ...cells.map((text) => html("td", {}, text)));
  });
  const table = html(
    "table",
    {},
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
    html("tbody", {}, ...body),
  );
  const others = next.rows.length - ROWS;
  // The gradients stand in the order w, b, v.
  const [gw, gb, gv] = next.gradient;
  const parameters = two ? { w: gw, v: gv, b: gb } : { w: gw, b: gb };
  const lines = [
    said.gradient(two ? `[${decimals(gw)}, ${decimals(gv)}]` : decimals(gw), decimals(gb)),
    ...Object.entries(parameters).map(([name, gradient]) =>
      said.move(name, decimals(run[name], 6), decimals(next[name], 6), moved(run, gradient, next[name] - run[name])),
    ),
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
