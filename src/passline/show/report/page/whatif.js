/** The what-if panel: what the fields say becomes a row, and the model's own function says what follows. */

import { logit, probability, terms } from "./model.js";
import { figure, html, write } from "./dom.js";

// Shares that a chart has room for.
const MOST = 20;

/** A row of the model's columns from what the fields say, texts and places of levels; null where a number is missing. */
export function rowOf(fields, said) {
  return Object.fromEntries(
    fields.map((field, i) => [field.column, field.kind === "number" ? numberOf(said[i]) : field.levels[Number(said[i])]]),
  );
}

/** The probability and the log-odds of a row, and each term's share of them, less the average row's where one is known. */
export function answer(row, average) {
  const shares = terms(row).map(({ term, value }, i) => ({ term, value: value - (average === null ? 0 : average[i]) }));
  return { logit: logit(row), probability: probability(row), shares };
}

/** Bring the panel to life; `draw` gets the shares to be drawn and where. */
export function whatIf({ fields, average, separated }, { named, positive, draw }) {
  const controls = fields.map((_, i) => document.getElementById(`what-if-${i}`));
  const [out, words, beyond] = ["probability", "words", "beyond"].map((name) => document.getElementById(`what-if-${name}`));
  const base = average === null ? null : average.reduce((sum, value) => sum + value, 0);
  const show = () => {
    const row = rowOf(fields, controls.map((control) => control.value));
    const open = fields.filter((field) => row[field.column] === null);
    beyond.hidden = true;
    try {
      const found = answer(row, average);
      write(out, percentOf(found.probability));
      out.dataset.probability = found.probability;
      out.dataset.logit = found.logit;
      write(words, open.length ? "A number is missing: fill in every field." : saying(found, positive, base, separated));
      draw(chosen(found.shares, named, average !== null));
    } catch (error) {
      write(out, "–");
      delete out.dataset.probability;
      write(words, error.message);
      draw([]);
    }
    const outside = fields.filter((field) => field.kind === "number" && (row[field.column] < field.min || row[field.column] > field.max));
    if (outside.length && !open.length) {
      beyond.hidden = false;
      const ranges = outside.map((field) => `${named(field.column)} (${figure(field.min)} to ${figure(field.max)})`);
      write(beyond, `Outside of what the rows of the fit cover: ${ranges.join(", ")}. This is an extrapolation.`);
    }
  };
  controls.forEach((control, i) => {
    const slider = document.getElementById(`what-if-${i}-slider`);
    control.addEventListener("input", () => {
      if (slider !== null && control.value !== "") slider.value = control.value;
      show();
    });
    slider?.addEventListener("input", () => {
      control.value = Number(Number(slider.value).toPrecision(4));
      show();
    });
  });
  document.getElementById("what-if-form").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("what-if-form").addEventListener("reset", () => setTimeout(show));
  show();
}

/** The table that says what the chart of the shares draws. */
export function sharesTable(rows) {
  const cells = rows.map((row) => html("tr", {}, html("th", { scope: "row" }, row.term), html("td", {}, figure(row.value, 5))));
  const head = html("tr", {}, html("th", { scope: "col", class: "words" }, "term"), html("th", { scope: "col" }, "share of the log-odds"));
  return html("table", {}, html("caption", { class: "hidden-text" }, "Shares of the log-odds"), html("thead", {}, head), html("tbody", {}, ...cells));
}

function saying({ logit: eta, probability: p }, positive, base, separated) {
  if (Number.isNaN(p)) return "The outcome is separated, and the fit leaves the probability of this row open.";
  const about = base === null ? "" : ` The average row has log-odds of ${figure(base, 5)}; the shares below say what each term adds to that.`;
  if (!Number.isFinite(eta)) {
    return `The outcome is separated: in the limit every row like this is ${p === 1 ? "" : "never "}${positive}. The shares are those of the limiting model, which the rows that nothing separates determine.`;
  }
  return `Log-odds ${figure(eta, 6)}: odds of ${figure(Math.exp(eta), 4)} to 1 for ${positive}.${about}${separated ? " The shares are those of the limiting model." : ""}`;
}

function chosen(shares, named, centred) {
  const drawn = shares
    .filter((share) => Number.isFinite(share.value) && !(centred && share.term === "(Intercept)"))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = drawn.slice(MOST).reduce((sum, share) => sum + share.value, 0);
  const shown = drawn.slice(0, MOST).map((share, i) => ({ term: named(share.term, i), value: share.value }));
  return drawn.length > MOST ? [...shown, { term: `${drawn.length - MOST} others`, value: rest }] : shown;
}

function percentOf(p) {
  if (!Number.isFinite(p)) return "–";
  const percent = 100 * p;
  if (p === 0 || p === 1) return `${percent} %`;
  return percent < 0.01 || percent > 99.99 ? `${figure(p < 0.5 ? percent : 100 - percent, 2)} %${p < 0.5 ? "" : " short of 100 %"}` : `${percent.toFixed(2)} %`;
}

function numberOf(text) {
  const value = text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
