/** The threshold panel: a slider, a number and two costs, and what they make of the rows. */

import { byCost, cost, counts, rates } from "./threshold.js";
import { figure, write } from "./dom.js";

/** Bring the panel to life; `changed` hears the four counts. */
export function threshold(scores, changed) {
  const slider = document.getElementById("threshold-at");
  const number = document.getElementById("threshold-number");
  const [costFp, costFn] = ["cost-fp", "cost-fn"].map((id) => document.getElementById(id));
  const draw = () => {
    const at = Number(slider.value);
    const found = counts(scores, at);
    for (const [key, value] of Object.entries(found)) write(document.getElementById(key), count(value));
    const each = { fp: amount(costFp), fn: amount(costFn) };
    write(document.getElementById("threshold-said"), words(at, found, each));
    changed(found);
  };
  const move = (value) => {
    slider.value = value;
    number.value = Number(Number(value).toPrecision(6));
    draw();
  };
  slider.addEventListener("input", () => move(slider.value));
  number.addEventListener("input", () => {
    const value = number.value === "" ? NaN : Number(number.value);
    number.toggleAttribute("aria-invalid", !(value >= 0 && value <= 1));
    if (!(value >= 0 && value <= 1)) return;
    slider.value = value;
    draw();
  });
  for (const field of [costFp, costFn]) field.addEventListener("input", draw);
  document.getElementById("by-cost").addEventListener("click", () => {
    const best = byCost(amount(costFp), amount(costFn));
    if (Number.isFinite(best)) move(best);
  });
  draw();
}

function words(at, found, each) {
  const rate = rates(found);
  const parts = [
    `At ${figure(at)}: sensitivity ${share(rate.sensitivity)}, specificity ${share(rate.specificity)}, precision ${share(rate.precision)}, accuracy ${share(rate.accuracy)}.`,
  ];
  const best = byCost(each.fp, each.fn);
  if (Number.isFinite(best)) {
    const total = found.tp + found.fp + found.tn + found.fn;
    const here = cost(found, each);
    parts.push(`By these costs the threshold is FP / (FP + FN) = ${figure(best)}. On these rows the threshold above costs ${figure(here, 6)}, ${figure(here / total)} a row.`);
  } else {
    parts.push("Give two costs above 0, and the threshold follows.");
  }
  return parts.join(" ");
}

function amount(field) {
  const value = field.value === "" ? NaN : Number(field.value);
  field.toggleAttribute("aria-invalid", !(value > 0 && Number.isFinite(value)));
  return value;
}

function share(value) {
  return Number.isFinite(value) ? value.toFixed(3) : "none";
}

/** A count with separators, as the tables write it. */
export function count(value) {
  const whole = Math.abs(value - Math.round(value)) < 1e-9;
  return value.toLocaleString("en-GB", { minimumFractionDigits: whole ? 0 : 1, maximumFractionDigits: whole ? 0 : 1 });
}
