/** What a threshold makes of the rows, and what that costs: numbers only, from the scores in their cells. */

// A probability this near below the threshold, relative to it, is on it: equal rows are rounded apart.
const NEAR = 1e-9;

/** The four counts where a probability of at least `threshold` is called positive; `scores`: cells in rising order. */
export function counts(scores, threshold) {
  const found = { tp: 0, fp: 0, tn: 0, fn: 0 };
  const cut = threshold - NEAR * Math.min(threshold, 1 - threshold);
  scores.low.forEach((p, i) => {
    if (p >= cut) {
      found.tp += scores.successes[i];
      found.fp += scores.failures[i];
    } else {
      found.fn += scores.successes[i];
      found.tn += scores.failures[i];
    }
  });
  return found;
}

/** Sensitivity, specificity, precision and accuracy of four counts; NaN where nothing is there to divide by. */
export function rates({ tp, fp, tn, fn }) {
  return {
    sensitivity: tp / (tp + fn),
    specificity: tn / (tn + fp),
    precision: tp / (tp + fp),
    accuracy: (tp + tn) / (tp + fp + tn + fn),
  };
}

/** The threshold with the least expected cost, FP / (FP + FN); NaN unless both costs are positive. */
export function byCost(fp, fn) {
  return fp > 0 && fn > 0 && Number.isFinite(fp) && Number.isFinite(fn) ? 1 / (1 + fn / fp) : NaN;
}

/** What all decisions cost together. */
export function cost({ fp, fn }, each) {
  return fp * each.fp + fn * each.fn;
}

/** One point a cell and one beyond, from calling everyone positive to calling no one: what ROC and precision draw. */
export function curve(scores) {
  const all = counts(scores, -1);
  const points = [{ threshold: 0, ...rates(all), counts: { ...all } }];
  const now = { ...all };
  scores.low.forEach((p, i) => {
    now.tp -= scores.successes[i];
    now.fp -= scores.failures[i];
    now.fn += scores.successes[i];
    now.tn += scores.failures[i];
    // The lowest probability that is still called positive; beyond the last cell there is none.
    const threshold = i + 1 < scores.low.length ? scores.low[i + 1] : 1;
    points.push({ threshold, ...rates(now), counts: { ...now } });
  });
  return points;
}
