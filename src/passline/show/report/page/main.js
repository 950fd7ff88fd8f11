/** The report's page: every chart in its place, the slider and the what-if panel brought to life. */

import { calibration, effect, odds, precision, residuals, roc, shares } from "./charts.js";
import { sharesTable, whatIf } from "./whatif.js";
import { cut, html, onWidth } from "./dom.js";
import { threshold } from "./slider.js";

const report = JSON.parse(document.getElementById("report").textContent);
const drawn = new Map();
let at;

const DRAW = {
  odds: (width) => odds(report.odds, width),
  roc: (width) => roc(report.scores, width, at),
  precision: (width) => precision(report.scores, width, at),
  calibration: (width) => calibration(report.calibration, width),
  residuals: (width) => residuals(report.residuals, width),
};
report.effects.forEach((one, i) => {
  DRAW[`effect-${i}`] = (width) => effect(one, width);
});

/** Draw a chart where it belongs, for those who see and for those who hear. */
function put(place, svg, label) {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  place.replaceChildren(svg);
}

function redraw(name) {
  drawn.get(name)?.();
}

document.documentElement.classList.add("scripted");
for (const place of document.querySelectorAll("[data-chart]")) {
  const name = place.dataset.chart;
  let width = 0;
  const draw = () => width && put(place, DRAW[name](width), place.dataset.label);
  drawn.set(name, draw);
  onWidth(place, (now) => {
    if (now === width) return;
    width = now;
    draw();
  });
}
if (report.scores !== null) {
  threshold(report.scores, (counts) => {
    at = counts;
    redraw("roc");
    redraw("precision");
  });
}
if (report.whatIf !== null) {
  const place = document.getElementById("what-if-shares");
  let rows = [];
  let width = 0;
  const draw = () => {
    if (!width) return;
    place.replaceChildren();
    if (!rows.length) return;
    const figure = html("div", {});
    put(figure, shares(rows, width), "Shares of the log-odds");
    place.append(figure, html("details", {}, html("summary", {}, "The numbers behind the chart"), sharesTable(rows)));
  };
  onWidth(place, (now) => {
    if (now === width) return;
    width = now;
    draw();
  });
  whatIf(report.whatIf, {
    // Between signs that keep a name's direction within it.
    named: (text) => `\u2068${cut(visible(text), 40)}\u2069`,
    positive: `${report.outcome} = ${report.positive}`,
    draw: (now) => {
      rows = now;
      draw();
    },
  });
}

/** A name without the signs that would reorder what is around it, and with pictures for control characters. */
function visible(text) {
  return text
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[\u0000-\u001f]/g, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)));
}
