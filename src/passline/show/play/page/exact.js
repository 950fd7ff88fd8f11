/** The exact answers: maximum likelihood by Newton's method, Jeffreys' prior (Firth), and the set of the boundary. */
import { hasTwo } from "./descent.js";

// Of chi-squared with one degree of freedom, at 95 %.
const QUANTILE = 3.841458820694124;
const STEPS = 500;

/** The minimum of mean cross-entropy + ridge / 2 |w|^2 as {w, v, b}; null where there is none or none is found. */
export function optimum(points, ridge = 0) {
  const scaled = standardise(points);
  if (scaled === null) return null;
  const { Z, y, spreads } = scaled;
  const penalty = [0, ...spreads.map((spread) => (ridge * y.length) / spread ** 2)];
  const objective = (t) => logLikelihood(Z, y, t) - t.reduce((sum, one, j) => sum + (penalty[j] / 2) * one * one, 0);
  let t = penalty.map(() => 0);
  let value = objective(t);
  for (let k = 0; k < STEPS; k++) {
    const { information, score } = moments(Z, y, t);
    penalty.forEach((one, j) => {
      score[j] -= one * t[j];
      information[j][j] += one;
    });
    const move = solve(information, score);
    if (move === null) return null;
    let length = 1;
    let next = objective(along(t, length, move));
    while (!(next >= value - 1e-14 * Math.abs(value)) && length > 1e-10) {
      length /= 2;
      next = objective(along(t, length, move));
    }
    t = along(t, length, move);
    value = next;
    if (dot(move, score) < 1e-24) return inHours(scaled, t);
  }
  return null;
}

/** The maximum of log-likelihood + log|I| / 2 as {w, v, b}; null where all hours are alike. Source: Firth (1993). */
export function firth(points) {
  const scaled = standardise(points);
  if (scaled === null) return null;
  const { Z, y } = scaled;
  const objective = (t) => {
    const L = cholesky(moments(Z, y, t).information);
    return L === null ? -Infinity : logLikelihood(Z, y, t) + L.reduce((sum, row, j) => sum + Math.log(row[j]), 0);
  };
  let t = [0, ...Z.map(() => 0)];
  let value = objective(t);
  for (let k = 0; k < STEPS; k++) {
    const { score, curvature } = jeffreys(Z, y, t);
    const move = solve(curvature, score);
    if (move === null) return null;
    let length = 1;
    while (length > 1e-10 && !(objective(along(t, length, move)) >= value - 1e-13)) length /= 2;
    t = along(t, length, move);
    value = objective(t);
    if (dot(move, score) < 1e-22) return inHours(scaled, t);
  }
  return null;
}

/**
 * The hours at which the likelihood ratio test keeps p = 0.5, at 95 %: pieces [[low, high], ...], ends infinite where
 * the set has none; null where all hours are alike. Every t is a direction theta of the circle on which the lines
 * through (0, 0) lie, t = centre + spread tan(theta); along it the ratio falls from one greatest value to one least.
 * `least` is a boundary inside the set: of the optimum, or of a line that separates.
 */
export function boundarySet(points, least, top) {
  const scaled = standardise(points);
  if (scaled === null) return null;
  const [z, centre, spread] = [scaled.Z[0], scaled.centres[0], scaled.spreads[0]];
  const { y } = scaled;
  let ga = 0;
  let gb = 0;
  for (let i = 0; i < z.length; i++) {
    ga += y[i] - 0.5;
    gb += (y[i] - 0.5) * z[i];
  }
  const ratio = (theta) => 2 * (top - bestAlong(z, y, -Math.sin(theta), Math.cos(theta)));
  const inside = Math.atan((least - centre) / spread);
  const greatest = Math.atan2(gb, ga);
  if (Math.hypot(ga, gb) < 1e-12 || ratio(greatest) <= QUANTILE) return [[-Infinity, Infinity]];
  const above = inside + modulo(greatest - inside, Math.PI);
  const low = bisect(ratio, inside, above - Math.PI);
  const high = bisect(ratio, inside, above);
  const ends = [low, high].map((theta) => centre + spread * Math.tan(theta));
  if (low > -Math.PI / 2 && high < Math.PI / 2) return [ends];
  return [
    [-Infinity, ends[1]],
    [ends[0], Infinity],
  ];
}

/** The log-likelihood of points on a line {w, b}. */
export function likelihoodOf(points, { w, b }) {
  return points.reduce((sum, { x, y }) => sum + logProbability(y, w * x + b), 0);
}

/** How far from rest, in standard errors: sqrt(g' H^-1 g) of the summed objective; null where H is not positive. */
export function distanceLeft(points, { w, v, b }, ridge, loss) {
  const weights = hasTwo(points) ? [w, v] : [w];
  const penalty = [0, ...weights.map(() => ridge * points.length)];
  const score = penalty.map((one, j) => (j ? -one * weights[j - 1] : 0));
  const information = diagonal(penalty);
  for (const { x, z, y } of points) {
    const row = weights.length > 1 ? [1, x, z] : [1, x];
    const p = 1 / (1 + Math.exp(-dot(row, [b, ...weights])));
    const variance = p * (1 - p);
    const error = loss === "mse" ? 2 * (p - y) * variance : p - y;
    const curvature = loss === "mse" ? 2 * variance * (variance + (p - y) * (1 - 2 * p)) : variance;
    add(information, curvature, row);
    row.forEach((one, j) => (score[j] -= error * one));
  }
  const L = cholesky(information);
  if (L === null || !L.every((row, j) => row[j] ** 2 > 1e-9 * (j ? information[j][j] : 1))) return null;
  return Math.sqrt(Math.max(0, dot(solve(information, score), score)));
}

/** The predictors with mean 0 and spread 1; null where one does not vary, or two say the same. */
function standardise(points) {
  const n = points.length;
  if (n < 2) return null;
  const columns = hasTwo(points) ? [points.map(({ x }) => x), points.map(({ z }) => z)] : [points.map(({ x }) => x)];
  const centres = columns.map((column) => column.reduce((sum, one) => sum + one / n, 0));
  const spreads = columns.map((column, j) =>
    Math.sqrt(column.reduce((sum, one) => sum + (one - centres[j]) ** 2 / n, 0)),
  );
  const varies = spreads.every(
    (spread, j) => spread > 1e-12 * Math.max(1, Math.abs(centres[j])) && Number.isFinite(spread),
  );
  if (!varies) return null;
  const Z = columns.map((column, j) => Float64Array.from(column, (one) => (one - centres[j]) / spreads[j]));
  if (Z.length === 2 && 1 - (dot(Z[0], Z[1]) / n) ** 2 < 1e-12) return null;
  return { Z, y: Float64Array.from(points, ({ y }) => y), centres, spreads };
}

function inHours({ centres, spreads }, [a, ...slopes]) {
  const [w, v = 0] = slopes.map((slope, j) => slope / spreads[j]);
  return { w, v, b: slopes.reduce((sum, slope, j) => sum - (slope * centres[j]) / spreads[j], a) };
}

function logProbability(y, eta) {
  const signed = y === 1 ? eta : -eta;
  return signed < 0 ? signed - Math.log1p(Math.exp(signed)) : -Math.log1p(Math.exp(-signed));
}

/** The rows (1, z_1, ...) of the columns Z, one after the other. */
function* rowsOf(Z) {
  for (let i = 0; i < Z[0].length; i++) yield [1, ...Z.map((column) => column[i])];
}

function logLikelihood(Z, y, t) {
  let sum = 0;
  let i = 0;
  for (const row of rowsOf(Z)) sum += logProbability(y[i++], dot(row, t));
  return sum;
}

/** The information (k, k) and the score (k) at t. */
function moments(Z, y, t) {
  const information = diagonal(t.map(() => 0));
  const score = t.map(() => 0);
  let i = 0;
  for (const row of rowsOf(Z)) {
    const p = 1 / (1 + Math.exp(-dot(row, t)));
    add(information, p * (1 - p), row);
    row.forEach((one, j) => (score[j] += (y[i] - p) * one));
    i++;
  }
  return { information, score };
}

/** Firth's score, and the curvature of the rows with h more trials each, half of them passed: exact if saturated. */
function jeffreys(Z, y, t) {
  const { information } = moments(Z, y, t);
  const inverse = t.map((_, j) => solve(information, t.map((_, k) => (j === k ? 1 : 0))));
  const score = t.map(() => 0);
  const curvature = diagonal(t.map(() => 0));
  if (inverse.includes(null)) return { score, curvature };
  let i = 0;
  for (const row of rowsOf(Z)) {
    const p = 1 / (1 + Math.exp(-dot(row, t)));
    const variance = p * (1 - p);
    const leverage = variance * row.reduce((sum, one, j) => sum + one * dot(inverse[j], row), 0);
    const part = y[i++] - p + leverage * (0.5 - p);
    row.forEach((one, j) => (score[j] += part * one));
    add(curvature, (1 + leverage) * variance, row);
  }
  return { score, curvature };
}

function dot(a, b) {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

function along(t, length, move) {
  return t.map((one, j) => one + length * move[j]);
}

function diagonal(values) {
  return values.map((value, j) => values.map((_, k) => (j === k ? value : 0)));
}

/** Add weight times the square of a row to a matrix. */
function add(matrix, weight, row) {
  for (let j = 0; j < row.length; j++) for (let k = 0; k < row.length; k++) matrix[j][k] += weight * row[j] * row[k];
}

/** The lower triangle L with L L' = A; null where A is not positive definite. */
function cholesky(A) {
  const L = A.map((row) => row.map(() => 0));
  for (let j = 0; j < A.length; j++) {
    for (let k = 0; k <= j; k++) {
      const rest = A[j][k] - dot(L[j].slice(0, k), L[k]);
      if (j === k && !(rest > 0)) return null;
      L[j][k] = j === k ? Math.sqrt(rest) : rest / L[k][k];
    }
  }
  return L;
}

/** The solution of A x = u; null where A is not positive definite. */
function solve(A, u) {
  const L = cholesky(A);
  if (L === null) return null;
  const x = [...u];
  for (let j = 0; j < x.length; j++) x[j] = (x[j] - dot(L[j].slice(0, j), x)) / L[j][j];
  for (let j = x.length - 1; j >= 0; j--) {
    for (let k = j + 1; k < x.length; k++) x[j] -= L[k][j] * x[k];
    x[j] /= L[j][j];
  }
  return x;
}

/** The supremum over r of the log-likelihood at eta = r (a + b z); concave in r, found by Newton within a bracket. */
function bestAlong(z, y, a, b) {
  const signed = z.map((one, i) => (y[i] === 1 ? a + b * one : -a - b * one));
  for (const side of [1, -1]) {
    if (signed.every((one) => side * one >= 0)) return -Math.LN2 * signed.filter((one) => one === 0).length;
  }
  let [low, high, r] = [-Infinity, Infinity, 0];
  for (let k = 0; k < STEPS; k++) {
    let slope = 0;
    let curvature = 0;
    for (const one of signed) {
      const p = 1 / (1 + Math.exp(r * one));
      slope += one * p;
      curvature += one * one * p * (1 - p);
    }
    if (slope > 0) low = r;
    else high = r;
    let next = r + slope / curvature;
    if (!(next > low && next < high)) {
      next = high === Infinity ? 2 * low + 1 : low === -Infinity ? 2 * high - 1 : low + (high - low) / 2;
    }
    if (Math.abs(next - r) <= 1e-13 * Math.max(1, Math.abs(r))) break;
    r = next;
  }
  return signed.reduce((sum, one) => sum + logProbability(1, r * one), 0);
}

/** Where a function that increases on the way passes the quantile, between `from` (below it) and `to`. */
function bisect(f, from, to) {
  let [low, high] = [from, to];
  while (Math.abs(high - low) > 1e-14) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (f(middle) <= QUANTILE) low = middle;
    else high = middle;
  }
  return low;
}

function modulo(a, n) {
  return ((a % n) + n) % n;
}
