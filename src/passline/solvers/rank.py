"""Which columns of the design the columns before them already say, by R's rule and in R's order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.scaling import R_TOLERANCE, Floats, Scaling
from passline.engine.value import Array

# A column that keeps less than this share of its (standardised) length beyond its predecessors is looked at twice:
# a Gram squares lengths, so below 1e-8 it is blind and above 1e-4 it has eight digits to spare.
SUSPICIOUS = 1e-4


@dataclass(frozen=True)
class Rank:
    """The independent columns.

    ``keep``: their indices in the blocks' order, increasing. ``triangle``: None, or for a design so close to
    singular that a Gram would lose digits the R factor of those columns, (rank, rank).
    """

    keep: Array
    triangle: Floats | None


def independent(blocks: Blocks, scaling: Scaling, *, sample: int = 50_000) -> Rank:
    """Find the columns that are not linear combinations of the columns before them in the design's order.

    The test is that of R's glm (dqrdc2 with tolerance 1e-11): what is left of a column after its predecessors,
    against the column's own length. A Gram of a sample settles it for most designs, since what is left can only
    grow with more rows; the rest is decided by a QR factor, added up over all blocks.
    """
    order = scaling.position  # design order -> blocks' order
    own = scaling.length()[order]
    for rows in (sample, blocks.n) if blocks.n > 2 * sample else (blocks.n,):
        part = blocks.sample(rows)
        gram = part.sum(_gram)[np.ix_(order, order)] / blocks.total
        length = np.sqrt(np.diagonal(gram))
        left = _left_over(gram / np.outer(length, length)) if length.all() else np.zeros(blocks.p)
        if (left > SUSPICIOUS).all() and (left * length > R_TOLERANCE * own).all():
            return Rank(np.arange(blocks.p), None)
    R = _triangle(blocks)[:, order] / np.sqrt(blocks.total)
    kept = _limited_pivoting(R, own)
    chosen = np.sort(order[kept])
    return Rank(chosen, _triangle(blocks.with_columns(blocks.all.columns.take(chosen))))


def _gram(block: Block) -> Array:
    return block.columns.gram(np.ones(len(block.y)) if block.weight is None else block.weight)


def _left_over(G: Floats) -> Floats:
    """Lengths of each column's part beyond its predecessors, from a Gram with a unit diagonal: (p,)."""
    A = G.copy()
    left = np.zeros(len(A))
    for j in range(len(A)):
        pivot = A[j, j]
        left[j] = np.sqrt(max(pivot, 0.0))
        if left[j] <= SUSPICIOUS:
            break  # the rest is unknown, and one suspicion is enough
        A[j + 1 :, j + 1 :] -= np.outer(A[j + 1 :, j], A[j, j + 1 :] / pivot)
    return left


def _triangle(blocks: Blocks) -> Floats:
    """R of the QR factorisation of sqrt(weight) X, folded over the blocks (TSQR; Demmel et al. 2012)."""
    R = np.zeros((0, blocks.p))
    for block in blocks:
        X = block.columns.dense()
        if block.weight is not None:
            X = X * np.sqrt(block.weight)[:, None]
        R = np.asarray(np.linalg.qr(np.concatenate([R, X]), mode="r"))
    return R


def _limited_pivoting(R: Floats, own: Floats) -> list[int]:
    """Columns that keep more than R's tolerance of their own length, in order (LINPACK's dqrdc2 on a triangle)."""
    A = R.copy()
    kept: list[int] = []
    for j in range(A.shape[1]):
        k = len(kept)
        if k == A.shape[0]:
            break
        x = A[k:, j]
        length = float(np.linalg.norm(x))
        if length <= R_TOLERANCE * (own[j] or 1.0):
            continue
        kept.append(j)
        u = x.copy()
        u[0] += length if u[0] >= 0 else -length
        u /= np.linalg.norm(u)
        A[k:, j:] -= 2.0 * np.outer(u, u @ A[k:, j:])
    return kept
