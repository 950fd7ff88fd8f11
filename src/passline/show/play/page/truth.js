/** What is really so: whether the points are separated, where a descent heads, and what to tell about where it stands. */
import { finite, hasTwo, LEAST_VARIANCE, lossAt, probability } from "./descent.js";
import { boundarySet, distanceLeft, firth, likelihoodOf, optimum } from "./exact.js";
import { limitLine, partingOf } from "./parting.js";

// A thousandth of a standard error is left: what a person would call arrived.
const ARRIVED = 1e-3;

/** {kind: "complete" | "quasi" | "none" | "one class" | "alike", low, high}: whether one cut parts the outcomes. */
export function separation(points) {
  const failed = points.filter(({ y }) => y === 0).map(({ x }) => x);
  const passed = points.filter(({ y }) => y === 1).map(({ x }) => x);
  if (failed.length === 0 || passed.length === 0) return { kind: "one class", low: NaN, high: NaN };
  if (new Set([...failed, ...passed]).size === 1) return { kind: "alike", low: NaN, high: NaN };
  for (const [below, above] of [
    [failed, passed],
    [passed, failed],
  ]) {
    const low = Math.max(...below);
    const high = Math.min(...above);
    if (low < high) return { kind: "complete", low, high };
    if (low === high && Math.min(...below) < Math.max(...above)) return { kind: "quasi", low, high };
  }
  return { kind: "none", low: NaN, high: NaN };
}

/**
 * Where plain descent on the cross-entropy ends: the line of least w^2 + b^2 with margin 1 on both sides.
 * Source: Soudry et al. (2018), JMLR 19.
 */
export function limitBoundary(low, high) {
  for (const x of [low, high]) {
    if (low * high <= -(x * x + 2)) return -1 / x;
  }
  return low + (high - low) / 2;
}

/**
 * All exact answers of points: {kind, low, high, best, firth, set}; `best` is null where no line is the best. With two
 * predictors `open` and `limit` stand in for low, high and set; see parting.js.
 */
export function exactAnswers(points, ridge) {
  if (hasTwo(points)) return planeAnswers(points, ridge);
  const found = separation(points);
  const parted = found.kind === "complete" || found.kind === "quasi";
  const usable = parted || found.kind === "none";
  const best = usable && (ridge > 0 || !parted) ? optimum(points, ridge) : null;
  let set = null;
  if (parted) {
    // At the cut itself a quasi-separated row costs log 2 in the limit, each.
    const supremum = found.kind === "complete" ? 0 : tiedLikelihood(points, found.low);
    set = boundarySet(points, (found.low + found.high) / 2, supremum);
  } else if (best !== null && ridge === 0 && best.w !== 0) {
    set = boundarySet(points, -best.b / best.w, likelihoodOf(points, best));
  }
  return { ...found, best, firth: usable ? firth(points) : null, set };
}

function planeAnswers(points, ridge) {
  const found = partingOf(points);
  const parted = found.kind === "complete" || found.kind === "quasi";
  const usable = parted || found.kind === "none";
  return {
    ...found,
    best: usable && (ridge > 0 || !parted) ? optimum(points, ridge) : null,
    firth: usable ? firth(points) : null,
    set: null,
    limit: found.kind === "complete" ? limitLine(points) : null,
  };
}

/**
 * What to say now, the most urgent first: [{key, ...numbers}]. On separated points nothing is ever called converged.
 * Keys: beyond, rose, swings, uncleared, stuck, one-class, alike, complete, quasi, heading, converged, ridge, overlap.
 */
export function notices(run, points, answers) {
  const { settings, trace, step } = run;
  const parted = answers.kind === "complete" || answers.kind === "quasi";
  if (!finite(run)) return [{ key: "beyond", rate: settings.rate }];
  const said = [];
  const loss = lossAt(run, run);
  const rising = step > 0 && settings.clear && (loss > trace.losses[0] || swings(run));
  if (rising)
    said.push({
      key: loss > trace.losses[0] ? "rose" : "swings",
      rate: settings.rate,
      from: trace.losses[0],
      to: loss,
    });
  if (!settings.clear && step > 0) said.push({ key: "uncleared" });
  if (!rising && cutOff(run)) said.push({ key: "stuck" });
  if (answers.kind === "one class") return [...said, { key: "one-class" }];
  if (answers.kind === "alike") return [...said, { key: "alike" }];
  if (parted && settings.ridge === 0) {
    said.push({ key: answers.kind, low: answers.low, high: answers.high, w: run.w, v: run.v });
    const calm = step > 0 && !rising && settings.clear && loss < trace.losses[0];
    const straight = calm && settings.optimizer !== "adam" && settings.loss === "bce" && settings.batch === 0;
    if (straight && answers.limit) said.push({ key: "heading", limit: answers.limit });
    else if (straight && !hasTwo(points)) {
      const where = answers.kind === "complete" ? limitBoundary(answers.low, answers.high) : answers.low;
      const grows = points.reduce((last, point) => (point.x > last.x ? point : last)).y === 1;
      said.push({ key: "heading", where, middle: where === (answers.low + answers.high) / 2, grows });
    }
    return said;
  }
  if (step > 0 && settings.clear && !rising && arrived(run, points)) said.push({ key: "converged" });
  else if (said.length === 0) said.push({ key: parted ? "ridge" : "overlap" });
  return said;
}

/** Whether a row is wrong with such certainty that torch cuts its cross-entropy off, and its gradient all but vanishes. */
function cutOff({ x, z, y, settings, ...line }) {
  if (settings.loss !== "bce") return false;
  return y.some((outcome, i) => {
    const p = probability(line, x[i], z === null ? 0 : z[i]);
    return Math.abs(p - outcome) > 0.5 && p * (1 - p) < LEAST_VARIANCE;
  });
}

/** Whether full-batch plain descent, which falls at every step if the rate allows, has risen in its last steps. */
function swings(run) {
  const { settings, trace } = run;
  if (settings.optimizer !== "sgd" || settings.batch !== 0 || trace.losses.length < 3) return false;
  const [a, b] = trace.losses.slice(-2);
  return b > a * (1 + 1e-9) + 1e-12;
}

function arrived(run, points) {
  const { settings } = run;
  const left = distanceLeft(points, run, settings.ridge, settings.loss);
  return left !== null && left < ARRIVED;
}

/** The supremum of the log-likelihood where both outcomes meet at `cut` alone: those rows share one probability. */
function tiedLikelihood(points, cut) {
  const tied = points.filter(({ x }) => x === cut);
  const passed = tied.filter(({ y }) => y === 1).length;
  const share = passed / tied.length;
  return passed * Math.log(share) + (tied.length - passed) * Math.log(1 - share);
}
