"""Jeffreys' prior: the penalised likelihood with its exact derivatives, leverages a block of rows at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.likelihood import bernoulli
from passline.engine.objective import Objective
from passline.engine.scaling import Floats, Scaling
from passline.engine.value import Array, Value
from passline.solvers.base import Report, Solution
from passline.solvers.estimate import Estimate, in_design, independent_columns, origin
from passline.solvers.held import Held
from passline.solvers.linear import NotPositiveDefiniteError, whitener
from passline.solvers.newton import newton

# The exact curvature takes rows x columns^3 products; beyond this many the approximate one is the quicker way.
EXACT = 50_000_000
# Up to here the search for the maximum begins more than once.
SMALL = 5_000_000
# The approximate curvature shrinks a step at least a hundredfold where no row has a leverage to speak of. Where it has
# not arrived after these steps, or rests on more than 1e-10 standard errors, the exact one finishes.
APPROXIMATE_STEPS, POLISHED = 12, 1e-20


@dataclass(frozen=True)
class Jeffreys(Objective):
    r"""The mean loss less half the log determinant of the information, the whole of it divided by the sum of weights.

    .. math:: F(v) = \frac{1}{\sum c_i} \left[\sum_i c_i \ell(\eta_i, y_i) - \tfrac12 \log |I(v)|\right], \quad
        I = \sum_i c_i w_i x_i x_i^T, \quad w = \mu (1 - \mu)

        n \nabla F = \sum_i [c_i (\mu_i - y_i) + h_i (\mu_i - \tfrac12)] x_i, \quad
        h_i = c_i w_i x_i^T I^{-1} x_i

    ``exact``: take the exact curvature (rows x columns^3 products) wherever it is positive definite, else that of the
    rows with h_i more trials each, half of them successes, which it equals in a saturated model. Infinite where the
    information is singular. Source: Firth (1993), Biometrika 80; Heinze and Schemper (2002), Statistics in Medicine 21.
    """

    exact: bool = True

    def penalty(self, w: Array) -> float:
        """Less half the log determinant of the information, over the sum of weights."""
        return -0.5 * self.log_determinant(w) / self.total

    def __call__(self, w: Array, order: int = 2) -> Value:
        blocks, total, p = self.blocks, self.total, self.blocks.p
        loss, information = self._parts(w)
        try:
            T, log_determinant = whitener(information)
        except NotPositiveDefiniteError:
            return Value(np.inf, np.full(p, np.nan), np.full((p, p), np.nan))
        loss = (loss - 0.5 * log_determinant) / total
        if order == 0:
            return Value(loss)
        gradient, curvature = _pair(blocks.sum(_modified, w, T, self.exact))
        if order == 1:
            return Value(loss, gradient / total)
        if self.exact:
            third = blocks.sum(_third, w, T).reshape(p, -1)
            curvature = curvature + 0.5 * (third @ third.T)
            if not _positive(curvature):
                _, curvature = _pair(blocks.sum(_modified, w, T, False))
        return Value(loss, gradient / total, curvature / total)

    def information(self, w: Floats) -> Floats:
        """The Fisher information of a mean row at ``w``: (p, p)."""
        return self._parts(w)[1] / self.total

    def log_determinant(self, w: Floats) -> float:
        """The log determinant of the Fisher information of all rows, in the solver's coordinates."""
        return whitener(self._parts(w)[1])[1]

    def _parts(self, w: Floats) -> tuple[float, Floats]:
        found = self.blocks.sum(_information, w)
        return float(found.loss), np.asarray(found.curvature)


def firth(blocks: Blocks, scaling: Scaling, known: Estimate | None = None, report: Report | None = None) -> Estimate:
    """The estimate under Jeffreys' prior over the blocks' columns; finite for every outcome of both classes.

    ``known``: the maximum likelihood estimate of the same rows, where it exists: the place to begin. The covariance is
    the inverse Fisher information at the estimate, as in brglm2 and logistf.
    """
    worked = independent_columns(blocks, scaling)
    objective = Jeffreys(worked.blocks, exact=blocks.n * blocks.p**3 <= EXACT)
    found = [maximise(objective, _start(objective, known), report)]
    if blocks.n * blocks.p**3 <= SMALL:
        # The penalised likelihood of a small table can have two maxima (those of Ecdat's Crime, MASS's ships and
        # lattice's USMortality have): there are several ways up from zero, and the higher end counts.
        zero = _start(objective, None)
        found += [maximise(objective, at, report) for at in (scored(objective, zero), zero)]
    solution = min(found, key=lambda one: one.loss)
    return in_design(worked, scaling, objective, solution, objective.information(solution.coef))


def maximise(objective: Jeffreys | Held, start: Floats, report: Report | None = None, *, rest: float = 0.0) -> Solution:
    """The maximum of the penalised likelihood, of all coefficients or with some held.

    ``rest``: the decrement that is good enough where a smaller one is dear.
    """
    jeffreys = objective if isinstance(objective, Jeffreys) else objective.objective
    assert isinstance(jeffreys, Jeffreys)
    if jeffreys.exact:
        return newton(objective, start, patient=True, report=report)
    found = newton(objective, start, patient=True, report=report, max_steps=APPROXIMATE_STEPS)
    if found.converged and found.trace[-1].decrement <= max(POLISHED, rest):
        return found
    exact = replace(jeffreys, exact=True)
    polished = exact if isinstance(objective, Jeffreys) else replace(objective, objective=exact)
    return newton(polished, found.coef, patient=True, report=report)


def scored(objective: Jeffreys | Held, start: Floats) -> Floats:
    """Where some steps with the approximate curvature lead: they pass by shallow maxima that exact ones fall into."""
    jeffreys = objective if isinstance(objective, Jeffreys) else objective.objective
    assert isinstance(jeffreys, Jeffreys)
    rough = replace(jeffreys, exact=False)
    where = rough if isinstance(objective, Jeffreys) else replace(objective, objective=rough)
    return newton(where, start, patient=True, max_steps=APPROXIMATE_STEPS).coef


def _start(objective: Jeffreys, known: Estimate | None) -> Floats:
    if known is not None and len(known.solution.coef) == objective.p:
        candidate = known.solution.coef
        if np.isfinite(objective(candidate, 0).loss):
            return candidate
    zero = origin(objective)
    if np.isfinite(objective(zero, 0).loss):
        return zero
    # An offset far out empties the information at zero; a light ridge finds where the rows are.
    ridged = Objective(objective.blocks, np.full(objective.p, 1.0 / objective.total))
    return newton(ridged, zero, patient=True).coef


def _information(block: Block, w: Array) -> Value:
    """Loss and Fisher information of a block's rows."""
    loss, _, d = bernoulli(block.eta(w), block.y)
    if block.weight is not None:
        loss, d = block.weight * loss, block.weight * d
    return Value(loss.sum(), None, block.columns.gram(d))


def _modified(block: Block, w: Array, T: Array, exact: bool) -> Value:
    """The modified score of a block's rows, and what a Gram says of its curvature; ``T`` whitens the information."""
    eta = block.eta(w)
    _, residual, d = bernoulli(eta, block.y)
    c = np.ones(len(d)) if block.weight is None else block.weight
    X = block.columns.dense()
    h = c * d * np.square(X @ T).sum(axis=1)
    # tanh(eta / 2) / 2 is mu - 1/2, exact around zero.
    gradient = X.T @ (c * residual + h * (0.5 * np.tanh(0.5 * eta)))
    bend = c * d - 0.5 * h * (1 - 6 * d) if exact else (c + h) * d
    return Value(0.0, gradient, (X * bend[:, None]).T @ X)


def _third(block: Block, w: Array, T: Array) -> Array:
    """The information's derivative in each coefficient, whitened: (p, p, p)."""
    eta = block.eta(w)
    _, _, d = bernoulli(eta, block.y)
    slope = -d * np.tanh(0.5 * eta)
    if block.weight is not None:
        slope = slope * block.weight
    X = block.columns.dense()
    Z = X @ T
    return np.stack([(Z * (slope * x)[:, None]).T @ Z for x in X.T])


def _pair(value: Value) -> tuple[Floats, Floats]:
    return np.asarray(value.gradient), np.asarray(value.curvature)


def _positive(H: Floats) -> bool:
    try:
        whitener(H)
    except NotPositiveDefiniteError:
        return False
    return True
