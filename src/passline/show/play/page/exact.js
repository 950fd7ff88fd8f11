/** The exact answers: maximum likelihood by Newton's method, Jeffreys' prior (Firth), and the set of the boundary. */

// Of chi-squared with one degree of freedom, at 95 %.
const QUANTILE = 3.841458820694124;
const STEPS = 500;

/** The minimum of mean cross-entropy + ridge / 2 w^2 as {w, b}; null where there is none or none is found. */
export function optimum(points, ridge = 0) {
  const scaled = standardise(points);
  if (scaled === null) return null;
  const { z, y, spread } = scaled;
  const penalty = (ridge * y.length) / spread ** 2;
  let a = 0;
  let b = 0;
  let value = logLikelihood(z, y, a, b) - (penalty / 2) * b * b;
  for (let k = 0; k < STEPS; k++) {
    const { information, score } = moments(z, y, a, b);
    score[1] -= penalty * b;
    information[2] += penalty;
    const move = solve(information, score);
    if (move === null) return null;
    const gain = move[0] * score[0] + move[1] * score[1];
    let length = 1;
    let next = -Infinity;
    while (length > 1e-10) {
      const [na, nb] = [a + length * move[0], b + length * move[1]];
      next = logLikelihood(z, y, na, nb) - (penalty / 2) * nb * nb;
      if (next >= value - 1e-14 * Math.abs(value)) break;
      length /= 2;
    }
    a += length * move[0];
    b += length * move[1];
    value = next;
    if (gain < 1e-24) return inHours(scaled, a, b);
  }
  return null;
}

/** The maximum of log-likelihood + log|I| / 2 as {w, b}; null where all hours are alike. Source: Firth (1993). */
export function firth(points) {
  const scaled = standardise(points);
  if (scaled === null) return null;
  const { z, y } = scaled;
  const objective = (a, b) => {
    const { information: I } = moments(z, y, a, b);
    const determinant = I[0] * I[2] - I[1] * I[1];
    return determinant > 0 ? logLikelihood(z, y, a, b) + 0.5 * Math.log(determinant) : -Infinity;
  };
  let a = 0;
  let b = 0;
  let value = objective(a, b);
  for (let k = 0; k < STEPS; k++) {
    const { score, curvature } = jeffreys(z, y, a, b);
    const move = solve(curvature, score);
    if (move === null) return null;
    const gain = move[0] * score[0] + move[1] * score[1];
    let length = 1;
    while (length > 1e-10 && objective(a + length * move[0], b + length * move[1]) < value - 1e-13) length /= 2;
    a += length * move[0];
    b += length * move[1];
    value = objective(a, b);
    if (gain < 1e-22) return inHours(scaled, a, b);
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
  const { z, y, centre, spread } = scaled;
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
export function distanceLeft(points, { w, b }, ridge, loss) {
  let information = [0, 0, ridge * points.length];
  let score = [0, -ridge * points.length * w];
  for (const { x, y } of points) {
    const p = 1 / (1 + Math.exp(-(w * x + b)));
    const v = p * (1 - p);
    const error = loss === "mse" ? 2 * (p - y) * v : p - y;
    const curvature = loss === "mse" ? 2 * v * (v + (p - y) * (1 - 2 * p)) : v;
    information = [information[0] + curvature, information[1] + curvature * x, information[2] + curvature * x * x];
    score = [score[0] - error, score[1] - error * x];
  }
  const determinant = information[0] * information[2] - information[1] ** 2;
  if (!(information[0] > 1e-9 && determinant > 1e-9 * information[0] * information[2])) return null;
  const move = solve(information, score);
  return Math.sqrt(Math.max(0, move[0] * score[0] + move[1] * score[1]));
}

function standardise(points) {
  const n = points.length;
  if (n < 2) return null;
  const centre = points.reduce((sum, { x }) => sum + x / n, 0);
  const spread = Math.sqrt(points.reduce((sum, { x }) => sum + (x - centre) ** 2 / n, 0));
  if (!(spread > 1e-12 * Math.max(1, Math.abs(centre))) || !Number.isFinite(spread)) return null;
  const z = Float64Array.from(points, ({ x }) => (x - centre) / spread);
  return { z, y: Float64Array.from(points, ({ y }) => y), centre, spread };
}

function inHours({ centre, spread }, a, b) {
  return { w: b / spread, b: a - (b * centre) / spread };
}

function logProbability(y, eta) {
  const signed = y === 1 ? eta : -eta;
  return signed < 0 ? signed - Math.log1p(Math.exp(signed)) : -Math.log1p(Math.exp(-signed));
}

function logLikelihood(z, y, a, b) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum += logProbability(y[i], a + b * z[i]);
  return sum;
}

/** The information [aa, ab, bb] and the score [a, b]. */
function moments(z, y, a, b) {
  const information = [0, 0, 0];
  const score = [0, 0];
  for (let i = 0; i < z.length; i++) {
    const p = 1 / (1 + Math.exp(-(a + b * z[i])));
    const v = p * (1 - p);
    information[0] += v;
    information[1] += v * z[i];
    information[2] += v * z[i] * z[i];
    score[0] += y[i] - p;
    score[1] += (y[i] - p) * z[i];
  }
  return { information, score };
}

/** Firth's score, and the curvature of the rows with h more trials each, half of them passed: exact if saturated. */
function jeffreys(z, y, a, b) {
  const { information: I } = moments(z, y, a, b);
  const determinant = I[0] * I[2] - I[1] * I[1];
  const score = [0, 0];
  const curvature = [0, 0, 0];
  for (let i = 0; i < z.length; i++) {
    const p = 1 / (1 + Math.exp(-(a + b * z[i])));
    const v = p * (1 - p);
    const leverage = (v * (I[2] - 2 * I[1] * z[i] + I[0] * z[i] * z[i])) / determinant;
    const part = y[i] - p + leverage * (0.5 - p);
    score[0] += part;
    score[1] += part * z[i];
    curvature[0] += (1 + leverage) * v;
    curvature[1] += (1 + leverage) * v * z[i];
    curvature[2] += (1 + leverage) * v * z[i] * z[i];
  }
  return { score, curvature };
}

function solve([aa, ab, bb], [u, v]) {
  const determinant = aa * bb - ab * ab;
  return determinant > 0 ? [(bb * u - ab * v) / determinant, (aa * v - ab * u) / determinant] : null;
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
