/** The descent: torch's losses, gradients and optimizers step by step, in double precision, from torch's own start. */
import { makeGenerator, permutation, uniform } from "./random.js";

/** The settings of the lesson; `batch` 0 is all points at once, `ridge` is l2 of passline: l2 / 2 w^2 a point. */
export const LESSON = Object.freeze({
  seed: 0,
  rate: 0.01,
  batch: 0,
  reduction: "sum",
  loss: "bce",
  optimizer: "sgd",
  ridge: 0,
  clear: true,
});

const MOMENTUM = 0.9;
const BETAS = [0.9, 0.999];
const EPSILON = 1e-8;
// torch.nn.BCELoss: no logarithm below -100, no division by less than this.
const LEAST_LOG = -100;
export const LEAST_VARIANCE = 1e-12;
// So many steps are kept for the pictures; then every second, every fourth ...
const KEPT = 2048;

/**
 * A descent that has not stepped yet; points are [{x, y}], y 0 or 1, or [{x, z, y}] where there are two predictors.
 * Everything later follows from these two. `v` is the weight of z, and stays 0 where there is none.
 */
export function begin(points, settings) {
  const generator = makeGenerator(settings.seed);
  const two = hasTwo(points);
  const bound = two ? Math.SQRT1_2 : 1;
  const run = {
    x: Float64Array.from(points, (point) => point.x),
    z: two ? Float64Array.from(points, (point) => point.z) : null,
    y: Float64Array.from(points, (point) => point.y),
    settings,
    generator,
    w: uniform(generator, bound),
    v: two ? uniform(generator, bound) : 0,
    b: uniform(generator, bound),
    step: 0,
    gradient: [0, 0, 0],
    memory: [0, 0, 0, 0, 0, 0],
    order: null,
    at: 0,
    trace: { every: 1, steps: [], losses: [], w: [], v: [], b: [] },
  };
  record(run);
  return run;
}

/** Take `count` steps, or as many as fit into `milliseconds`; stops where the numbers end. Gives the steps taken. */
export function advance(run, count, milliseconds = Infinity) {
  const until = milliseconds === Infinity ? Infinity : performance.now() + milliseconds;
  let taken = 0;
  while (taken < count && finite(run)) {
    step(run);
    taken++;
    if (run.step % run.trace.every === 0) record(run);
    if ((taken & 31) === 0 && performance.now() > until) break;
  }
  return taken;
}

/** Whether points have two predictors. */
export function hasTwo(points) {
  return points.length > 0 && points[0].z !== undefined;
}

/** Whether the parameters still are numbers. */
export function finite(run) {
  return Number.isFinite(run.w) && Number.isFinite(run.v) && Number.isFinite(run.b);
}

/** Hours at which the curve meets 0.5; null where it is flat or no longer a number. */
export function boundary({ w, b }) {
  const at = -b / w;
  return w !== 0 && Number.isFinite(at) ? at : null;
}

/** The probability of passing, for any hours; where there are two predictors, for any pair. */
export function probability({ w, b, v }, x, z = 0) {
  return 1 / (1 + Math.exp(-(z === 0 ? w * x + b : w * x + v * z + b)));
}

/** The loss of all points at parameters {w, v, b}, as torch adds or averages it, with the penalty. */
export function lossAt(run, { w, v, b }) {
  const { x, z, y, settings } = run;
  const one = settings.loss === "bce" ? crossEntropy : squaredError;
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    const eta = z === null ? w * x[i] + b : w * x[i] + v * z[i] + b;
    total += one(1 / (1 + Math.exp(-eta)), y[i]);
  }
  total += 0.5 * settings.ridge * x.length * (z === null ? w * w : w * w + v * v);
  return settings.reduction === "mean" ? total / x.length : total;
}

/** The gradient [w, b, v] of one batch: rows `from` to `to` of `order` (of the points themselves where it is null). */
export function gradientOf(run, order, from, to) {
  const { x, z, y, w, v, b, settings } = run;
  const squared = settings.loss === "mse";
  let gw = 0;
  let gv = 0;
  let gb = 0;
  for (let k = from; k < to; k++) {
    const i = order === null ? k : order[k];
    const eta = z === null ? w * x[i] + b : w * x[i] + v * z[i] + b;
    const p = 1 / (1 + Math.exp(-eta));
    const variance = p * (1 - p);
    let error = p - y[i];
    if (squared) error *= 2 * variance;
    else if (variance < LEAST_VARIANCE) error *= variance / LEAST_VARIANCE;
    gw += error * x[i];
    if (z !== null) gv += error * z[i];
    gb += error;
  }
  const rows = to - from;
  const scale = settings.reduction === "mean" ? 1 / rows : 1;
  return [scale * (gw + settings.ridge * rows * w), scale * gb, scale * (gv + settings.ridge * rows * v)];
}

/** What the next step will do, without taking it: {rows, gradient: what stands in .grad, w, v, b: afterwards}. */
export function preview(run) {
  const copy = {
    ...run,
    gradient: [...run.gradient],
    memory: [...run.memory],
    generator: { state: run.generator.state.slice(), next: run.generator.next },
    trace: { every: Infinity },
  };
  const n = run.x.length;
  advance(copy, 1);
  const all = copy.order === null;
  const size = run.settings.batch;
  const from = all ? 0 : copy.at - (copy.at % size || size);
  const rows = Array.from({ length: (all ? n : copy.at) - from }, (_, k) => (all ? k : copy.order[from + k]));
  return { rows, gradient: copy.gradient, w: copy.w, v: copy.v, b: copy.b };
}

function step(run) {
  const n = run.x.length;
  const size = run.settings.batch;
  let fresh;
  if (size <= 0 || size >= n) {
    fresh = gradientOf(run, null, 0, n);
  } else {
    if (run.order === null || run.at >= n) {
      run.order = permutation(run.generator, n);
      run.at = 0;
    }
    const to = Math.min(run.at + size, n);
    fresh = gradientOf(run, run.order, run.at, to);
    run.at = to;
  }
  const gradient = run.gradient;
  for (let j = 0; j < 3; j++) gradient[j] = run.settings.clear ? fresh[j] : gradient[j] + fresh[j];
  run.step++;
  const [dw, db, dv] = move(run);
  run.w -= dw;
  run.b -= db;
  run.v -= dv;
}

/** What the optimizer takes from w, b and v, given the gradients that stand in `.grad`. */
function move(run) {
  const { gradient: g, memory: m, settings, step: t } = run;
  const rate = settings.rate;
  if (settings.optimizer === "sgd") return [rate * g[0], rate * g[1], rate * g[2]];
  const moves = [0, 0, 0];
  for (let j = 0; j < 3; j++) {
    if (settings.optimizer === "momentum") {
      m[j] = MOMENTUM * m[j] + g[j];
      moves[j] = rate * m[j];
      continue;
    }
    m[j] += (1 - BETAS[0]) * (g[j] - m[j]);
    m[j + 3] = BETAS[1] * m[j + 3] + (1 - BETAS[1]) * g[j] * g[j];
    const spread = Math.sqrt(m[j + 3]) / Math.sqrt(1 - BETAS[1] ** t) + EPSILON;
    moves[j] = (rate / (1 - BETAS[0] ** t)) * (m[j] / spread);
  }
  return moves;
}

function record(run) {
  const { trace } = run;
  trace.steps.push(run.step);
  trace.losses.push(lossAt(run, run));
  trace.w.push(run.w);
  trace.v.push(run.v);
  trace.b.push(run.b);
  if (trace.steps.length <= KEPT) return;
  trace.every *= 2;
  for (const name of ["steps", "losses", "w", "v", "b"]) trace[name] = trace[name].filter((_, i) => i % 2 === 0);
}

function crossEntropy(p, y) {
  return -(y * Math.max(Math.log(p), LEAST_LOG) + (1 - y) * Math.max(Math.log1p(-p), LEAST_LOG));
}

function squaredError(p, y) {
  return (p - y) ** 2;
}
