/** Each term's share of the log-odds, as a table with a bar in each row. */

import { cut, figure, html, svg } from "./dom.js";

const HALF = 100;
const LONGEST = 60;

/** The table of a row's shares, the largest first. */
export function sharesTable(shares) {
  const rows = Object.entries(shares).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const most = Math.max(...rows.map(([, share]) => Math.abs(share)), 1e-300);
  const cells = rows.map(([term, share]) =>
    html(
      "tr", {},
      html("th", { scope: "row", class: "name" }, cut(term, LONGEST)),
      html("td", {}, bar((HALF * share) / most)),
      html("td", {}, short(share)),
    ),
  );
  const head = ["Term", "Less or more likely", "Share"].map((text) => html("th", { scope: "col" }, text));
  return html(
    "table", { class: "shares" },
    html("caption", {}, "What each term adds to the log-odds of the average row"),
    html("thead", {}, html("tr", {}, ...head)),
    html("tbody", {}, ...cells),
  );
}

function short(share) {
  return share !== 0 && Math.abs(share) < 5e-4 ? share.toExponential(0).replaceAll("-", "−") : figure(share, 3);
}

function bar(length) {
  return svg(
    "svg", { class: "bar", viewBox: `${-HALF} 0 ${2 * HALF} 16`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: Math.min(length, 0), y: 2, width: Math.abs(length), height: 12, class: length < 0 ? "less" : "more" }),
    svg("line", { x1: 0, x2: 0, y1: 0, y2: 16, class: "axis" }),
  );
}
