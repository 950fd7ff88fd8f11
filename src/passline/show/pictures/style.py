"""The look that all pictures share: colours, fonts, how a user's text is shown, and how a file is written."""

from __future__ import annotations

import os
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from passline.errors import MissingDependencyError, OptionError
from passline.output import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

# Told apart with any kind of colour vision, and in print: dark blue, red and orange differ in lightness too.
CURVE, LINE, SECOND, INK, DOTS = "#1d4e79", "red", "#d98200", "#2b3640", "#5b6b7a"
# Words about the red line; and how much of a band's colour there is.
WORDS, PALE = "#a00000", 0.16
FORMATS = (".png", ".svg", ".pdf")
SIZE = (7.2, 4.5)
# Characters of a user's text that are shown: on an axis, and in a list.
NAME, ITEM = 60, 26
# Letters that go into an inch of a figure's line above it, and how many lines there are at most.
LETTERS, LINES = 12.6, 3
# Behind the first for what it has no letters for, as far as they are installed.
FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "PingFang SC", "Microsoft YaHei", "Noto Sans", "Arial")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Have a picture drawn in this look, whatever the settings of the program that asks for it."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> T:
        matplotlib = _matplotlib()
        with matplotlib.rc_context(_settings()):
            return draw(*args, **kwargs)

    return in_style


def new_axes(size: tuple[float, float] = SIZE) -> Axes:
    """Axes of a figure that no window shows and no global state knows."""
    figure = new_figure(size)
    return dressed(figure.add_subplot())


def new_figure(size: tuple[float, float] = SIZE) -> Figure:
    """A figure that no window shows; raises MissingDependencyError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise _missing() from None
    return Figure(figsize=size, layout="constrained")


def dressed(ax: Axes) -> Axes:
    """The axes with a faint grid and without the frame's upper and right side."""
    ax.grid(visible=True, alpha=0.3)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def shown(text: object, most: int = NAME) -> str:
    """A user's text as text: no markup, no characters that are not seen, in the middle clipped to ``most``.

    Matplotlib takes what stands between dollars for mathematics; marks that change the direction of writing, and
    control characters, are written out.
    """
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))
    if len(seen) > most:
        end = most // 3
        seen = f"{seen[: most - end - 3]}...{seen[-end:]}"
    return seen.replace("$", r"\$")


def title(ax: Axes, text: str) -> None:
    """A quiet line above the picture, which says what else a reader needs; on up to three lines where it is long.

    ``text`` holds users' names only as :func:`shown` gives them.
    """
    figure = ax.get_figure(root=True)
    wide = 7.2 if figure is None else ax.get_position().width * figure.get_figwidth() / 0.775
    most = max(int(LETTERS * wide), 20)
    ax.set_title(wrapped(text, most), loc="left", fontsize=9, color=DOTS)


def labelled(ax: Axes, x: str, y: str | None = None) -> None:
    """What stands along the axes; broken into lines where it is longer than they are.

    Both texts hold users' names only as :func:`shown` gives them.
    """
    figure = ax.get_figure(root=True)
    wide, high = (7.2, 4.5) if figure is None else figure.get_size_inches()
    place = ax.get_position()
    ax.set_xlabel(wrapped(x, _letters(place.width * wide)))
    if y is not None:
        ax.set_ylabel(wrapped(y, _letters(place.height * high)))


def _letters(inches: float) -> int:
    """How many letters of a label go into so many inches: those of a title are smaller."""
    return max(int(0.85 * LETTERS * inches), 20)


def wrapped(text: str, most: int) -> str:
    """A text in at most three lines of ``most`` letters."""
    lines = textwrap.wrap(text, most, break_on_hyphens=False)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], lines[LINES - 1][: most - 3] + "..."]
    # A word that is broken may leave a dollar without the backslash before it.
    return re.sub(r"(?<!\\)\$", r"\$", "\n".join(lines))


def legend(ax: Axes, **options: Any) -> None:
    """What the marks are, if any has a name, on a pale ground, so that no line runs through the words."""
    if not ax.get_legend_handles_labels()[1]:
        return
    look = {"loc": "best", "fontsize": 9, "facecolor": "white", "edgecolor": "none", "framealpha": 0.85}
    ax.legend(**look | options)


def ground() -> dict[str, Any]:
    """The same pale ground behind other words."""
    return {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.2}


def percent(level: float) -> str:
    """A level for a label: 95 %."""
    return f"{100 * level:g} %"


def write(ax: Axes, path: str | os.PathLike[str], dpi: float = 150) -> None:
    """Write the figure of ``ax`` as PNG, SVG or PDF, by the ending of ``path``: whole or not at all.

    The same picture gives the same bytes: no date, and names within an SVG that depend on nothing but its content.
    """
    check_ending(path)
    ending = Path(path).suffix[1:].lower()
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)
    figure = ax.get_figure(root=True)
    assert figure is not None
    with whole_file(path) as aside, _matplotlib().rc_context({"svg.hashsalt": "passline"}), warnings.catch_warnings():
        # Where no font has a letter there is a box in its place, and nothing that a reader of a warning could mend.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(aside, dpi=dpi, format=ending, metadata=date)


def check_ending(path: str | os.PathLike[str]) -> None:
    """Raise OptionError unless ``path`` ends as a picture that can be written."""
    if Path(path).suffix.lower() not in FORMATS:
        raise OptionError(f"cannot write {path}: a picture's name ends in {', '.join(FORMATS)}")


@contextmanager
def kept_limits(ax: Axes) -> Iterator[None]:
    """Draw marks that reach over the edges and leave the limits as they are."""
    x, y = ax.get_xlim(), ax.get_ylim()
    yield
    ax.set(xlim=x, ylim=y)


def _matplotlib() -> Any:
    try:
        import matplotlib as found
    except ImportError:
        raise _missing() from None
    return found


def _missing() -> MissingDependencyError:
    return MissingDependencyError("pictures need matplotlib; install it with: pip install 'passline[plot]'")


@cache
def _settings() -> dict[str, Any]:
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    return {
        "font.family": [name for name in FONTS if name in there],
        "font.size": 10,
        "text.usetex": False,
        "axes.unicode_minus": True,
        "axes.edgecolor": DOTS,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.formatter.useoffset": False,
    }
