"""How the report's markup is made: text is always text, and names stand apart from what is around them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

# A name this long says no more in a table than its beginning.
LONGEST = 160
_VOID = frozenset({"input", "br", "hr"})
# Signs that turn the direction of what follows them: outside of an element of their own they would reorder a sentence.
_TURNING = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# Control characters have pictures of their own; the second set, and half of a pair, have none.
_PICTURES = {**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421}
_PICTURES |= dict.fromkeys([*range(0x80, 0xA0), 0xFFFE, 0xFFFF], 0xFFFD)


class Markup(str):
    """A text that is markup already; every other text is escaped before it becomes part of one."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | bool | None) -> Markup:
    """An element; ``class_`` is the attribute class, ``aria_label`` aria-label; None or False leaves one out."""
    shown = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(visible(value))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{shown}>")
    return Markup(f"<{tag}{shown}>{joined(children)}</{tag}>")


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Parts side by side, each that is no markup escaped; ``between`` stands between them."""
    return Markup(_markup(between).join(_markup(part) for part in parts))


def said(sentence: str, *names: str) -> Markup:
    """A sentence with ``{}`` for each of ``names``, which may be markup."""
    return Markup(escape(sentence, quote=False).format(*(_markup(name) for name in names)))


def listing(parts: Sequence[str], shown: int = 6) -> Markup:
    """Parts for a sentence: "a, b and c", or the first ones and how many more."""
    if len(parts) > shown:
        return joined([joined(parts[:shown], ", "), f" and {len(parts) - shown:,} more"])
    return joined(parts) if len(parts) < 2 else joined([joined(parts[:-1], ", "), " and ", parts[-1]])


def name(text: str, longest: int = LONGEST) -> Markup:
    """A name that somebody else chose, in an element of its own direction."""
    return element("bdi", closed(clipped(text, longest)), class_="name")


def code(text: str) -> Markup:
    """A formula: names in the middle of it can have no element of their own, so signs that turn them are left out."""
    return element("code", element("bdi", plain(text)))


def closed(text: str) -> str:
    """A text whose signs of direction end within it: an open one would take the end of its element for its own.

    Embeddings and overrides (U+202A to U+202E) end with U+202C, isolates (U+2066 to U+2068) with U+2069; an end without
    a beginning is left out. Source: Unicode Standard Annex 9, 3.3.2.
    """
    kept, open_ = [], []
    for sign in text:
        if sign in "\u202a\u202b\u202d\u202e":
            open_.append("\u202c")
        elif sign in "\u2066\u2067\u2068":
            open_.append("\u2069")
        elif sign == "\u2069":
            if sign not in open_:
                continue
            while open_.pop() != sign:  # an isolate's end ends what was begun within it
                pass
        elif sign == "\u202c" and open_[-1:] == [sign]:
            open_.pop()
        kept.append(sign)
    return "".join([*kept, *reversed(open_)])


def apart(text: str) -> str:
    """A name for the middle of a text that has no elements: between signs that keep its direction in."""
    return f"\N{FIRST STRONG ISOLATE}{closed(text)}\N{POP DIRECTIONAL ISOLATE}"


def plain(text: str) -> str:
    """A sentence that holds names of others, without the signs that would reorder it."""
    return text.translate(_TURNING)


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text cut to so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def label(text: str, longest: int = 40) -> str:
    """A name for a chart, where there are no elements: short, visible, and between signs that keep its direction in."""
    return f"\N{FIRST STRONG ISOLATE}{visible(clipped(plain(text), longest))}\N{POP DIRECTIONAL ISOLATE}"


def visible(text: str) -> str:
    """The text with a picture for each control character, and a sign for what is no character."""
    return text.translate(_PICTURES).encode("utf-8", "replace").decode()


def _markup(part: str) -> str:
    return part if isinstance(part, Markup) else escape(visible(part), quote=False)


# --- tables ----------------------------------------------------------------------------------------------------


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: Collection[int] = ()) -> Markup:
    """A table with a caption for those who hear it; the first column heads its rows, those in ``words`` hold texts."""
    head = element("tr", *(element("th", one, scope="col", class_=_side(i, words)) for i, one in enumerate(heads)))
    body = [
        element(
            "tr",
            *(
                element("th", cell, scope="row") if i == 0 else element("td", cell, class_=_side(i, words))
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    made = element(
        "table",
        element("caption", caption, class_="hidden-text"),
        element("thead", head),
        element("tbody", *body),
    )
    return element("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def folded(summary: str, *children: str, opened: bool = False) -> Markup:
    """What is there for who wants it."""
    return element("details", element("summary", summary), *children, open=opened)


def chart(name_: str, label_: str, fallback: Markup, summary: str = "The numbers behind the chart") -> Markup:
    """A place for a chart, and the table of its numbers, which is all there is without a script."""
    place = element("div", class_="chart", data_chart=name_, data_label=label_)
    return element("figure", place, folded(summary, fallback))


def _side(i: int, words: Collection[int]) -> str | None:
    return "words" if i == 0 or i in words else None
