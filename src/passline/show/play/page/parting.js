/** Whether a line parts the outcomes of points with two predictors, what all such lines agree on, and which is least. */

// Angles of directions that are known to about 1e-16 of a turn.
const EXACT = 1e-11;
const TURN = 2 * Math.PI;

/**
 * {kind: "complete" | "quasi" | "none" | "one class" | "alike", open}: `open(x, z)` is above zero where lines that part
 * the outcomes disagree about a point, null unless completely separated. A line parts them where every difference of
 * a point that passed and one that failed lies on one side of a line through zero. Source: Albert and Anderson (1984).
 */
export function partingOf(points) {
  const scale = scaleOf(points);
  const [failed, passed] = [0, 1].map((outcome) => hull(points.filter(({ y }) => y === outcome).map(scale)));
  if (failed.length === 0 || passed.length === 0) return { kind: "one class", open: null };
  if (hull(points.map(scale)).length < 3) return { kind: "alike", open: null };
  const { angles, meet } = differences(passed, failed);
  const spread = spanOf(angles);
  if (spread > Math.PI + EXACT) return { kind: "none", open: null };
  if (meet || spread >= Math.PI - EXACT) return { kind: "quasi", open: null };
  const open = (x, z) => {
    const at = scale({ x, z });
    const [fails, passes] = [differences(passed, [at]), differences([at], failed)];
    // On a point of the table the outcome is that point's.
    if (fails.meet || passes.meet) return 0;
    return Math.PI - Math.max(spanOf([...angles, ...fails.angles]), spanOf([...angles, ...passes.angles]));
  };
  return { kind: "complete", open };
}

/**
 * Where plain descent on the cross-entropy ends up pointing: {w, v, b} of least w^2 + v^2 + b^2 with margin 1 for all;
 * null where rounding hides it. As non-negative least squares: least |E s - f|, a column of E a point's row and its
 * margin, f = (0, 0, 0, 1). Sources: Soudry et al. (2018), JMLR 19; Lawson and Hanson (1974), chapter 23.
 */
export function limitLine(points) {
  const rows = outermost(points).map(({ x, z, y }) => (y ? [x, z, 1] : [-x, -z, -1]));
  const unit = Math.max(...rows.map((row) => 1 / Math.hypot(...row)));
  const E = rows.map((row) => [...row, 1].map((one) => one / Math.hypot(...row))).map((e) => [...e.slice(0, 3), e[3] / unit]);
  const rest = leastSquares(E, [0, 0, 0, 1]);
  if (!(rest[3] < 0)) return null;
  const [w, v, b] = rest.slice(0, 3).map((one) => (-one / rest[3]) * unit);
  return { w, v, b };
}

/** E s - f at the s >= 0 that makes it least; E is a list of columns. */
function leastSquares(E, f) {
  let active = [];
  let shares = [];
  for (let round = 0; round < 3 * E.length + 30; round++) {
    const rest = f.map((one, j) => active.reduce((sum, i, k) => sum + shares[k] * E[i][j], -one));
    const pull = E.map((e, i) => (active.includes(i) ? -Infinity : -dot(e, rest)));
    const next = pull.reduce((most, one, i) => (one > pull[most] ? i : most), 0);
    if (!(pull[next] > 1e-15)) return rest;
    [active, shares] = onEdges(E, f, [...active, next], [...shares, 0]);
  }
  return f.map(() => NaN);
}

/** The best shares of active columns; a column whose share would be negative leaves them. */
function onEdges(E, f, active, shares) {
  for (;;) {
    const columns = active.map((i) => E[i]);
    const wanted = solved(
      columns.map((one) => columns.map((other) => dot(one, other))),
      columns.map((one) => dot(one, f)),
    );
    if (wanted.every((share) => share > 0)) return [active, wanted];
    const steps = wanted.map((share, k) => (share > 0 ? 1 : shares[k] / (shares[k] - share) || 0));
    const step = Math.min(...steps);
    const stays = steps.map((one) => one > step);
    shares = shares.map((share, k) => share + step * (wanted[k] - share)).filter((_, k) => stays[k]);
    active = active.filter((_, k) => stays[k]);
  }
}

/** The solution of G s = t, by elimination. */
function solved(G, t) {
  const A = G.map((row, i) => [...row, t[i]]);
  for (let j = 0; j < A.length; j++) {
    const pivot = A.reduce((best, row, i) => (i >= j && Math.abs(row[j]) > Math.abs(A[best][j]) ? i : best), j);
    [A[j], A[pivot]] = [A[pivot], A[j]];
    for (let i = 0; i < A.length; i++) {
      if (i === j) continue;
      const factor = A[i][j] / A[j][j];
      for (let k = j; k <= A.length; k++) A[i][k] -= factor * A[j][k];
    }
  }
  return A.map((row, j) => row.at(-1) / row[j]);
}

/** The points on the hulls of both outcomes: what lies inside never touches the margin. */
function outermost(points) {
  return [0, 1].flatMap((outcome) =>
    hull(points.filter(({ y }) => y === outcome).map(({ x, z }) => [x, z])).map(([x, z]) => ({ x, z, y: outcome })),
  );
}

/** Points moved and stretched to the unit square, so that angles mean something whatever the units are. */
function scaleOf(points) {
  const [x, z] = ["x", "z"].map((name) => {
    const values = points.map((point) => point[name]);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    return [low, values.reduce((a, b) => Math.max(a, b), -Infinity) - low || 1];
  });
  return (point) => [(point.x - x[0]) / x[1], (point.z - z[0]) / z[1]];
}

/** The directions from each of one list to each of another; `meet` where two fall together. */
function differences(to, from) {
  const angles = [];
  let meet = false;
  for (const [x, z] of to) {
    for (const [fx, fz] of from) {
      if (x === fx && z === fz) meet = true;
      else angles.push(Math.atan2(z - fz, x - fx));
    }
  }
  return { angles, meet };
}

/** The smallest arc that holds all angles. */
function spanOf(angles) {
  const sorted = Float64Array.from(angles).sort();
  if (sorted.length === 0) return 0;
  let gap = TURN - (sorted[sorted.length - 1] - sorted[0]);
  for (let i = 1; i < sorted.length; i++) gap = Math.max(gap, sorted[i] - sorted[i - 1]);
  return TURN - gap;
}

/** The corners of the convex hull; one point, or two ends, where there is no more. Source: Andrew (1979). */
function hull(points) {
  const sorted = [...points].sort(([ax, az], [bx, bz]) => ax - bx || az - bz);
  const distinct = sorted.filter(([x, z], i) => i === 0 || x !== sorted[i - 1][0] || z !== sorted[i - 1][1]);
  if (distinct.length < 3) return distinct;
  const half = (list) => {
    const chain = [];
    for (const point of list) {
      while (chain.length > 1 && !turnsLeft(chain.at(-2), chain.at(-1), point)) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(distinct), ...half(distinct.reverse())];
}

function turnsLeft([ax, az], [bx, bz], [cx, cz]) {
  const [left, right] = [(bx - ax) * (cz - az), (bz - az) * (cx - ax)];
  return left - right > 1e-14 * (Math.abs(left) + Math.abs(right));
}

function dot(a, b) {
  return a.reduce((sum, one, j) => sum + one * b[j], 0);
}
