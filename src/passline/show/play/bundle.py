"""How the page's modules become one script: each in a function of its own, in the order in which they need each other.

A bundler would be a build step and a second language's tools. The page's modules keep to two forms, which a line each
translates: `import { a, b } from "./module.js";` and `export function|const|class name`.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).with_name("page")
# Libraries as they were published, under the names by which modules import them.
VENDORED = {"d3-array": "vendor/d3-array.js", "d3-contour": "vendor/d3-contour.js"}

_IMPORT = re.compile(r'^import \{([\w\s,]+?),?\s*\} from "(?:\./([\w.-]+\.js)|([\w-]+))";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


def bundle(*entries: str) -> str:
    """The script that runs modules of the page and all they need; its value is an object of what the modules export.

    ``entries``: names of files in page/, such as "main.js".
    """
    parts: dict[str, str] = {}
    for entry in entries:
        _add(entry, parts, ())
    exported = ", ".join(f'...$["{entry}"]' for entry in entries)
    head = ["(() => {", '"use strict";', "const $ = {};"]
    return "\n".join([*head, *parts.values(), f"return {{ {exported} }};", "})()"])


def _add(name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
    assert name not in above, f"modules import each other in a circle: {' > '.join([*above, name])}"
    if name in parts:
        return
    if name in VENDORED:
        for other in VENDORED:
            if other == name:
                break
            _add(other, parts, ())
        parts[name] = _vendored(name)
        return
    source = (PAGE / name).read_text(encoding="utf-8")
    for _, module, library in _IMPORT.findall(source):
        _add(module or library, parts, (*above, name))
    exported = _EXPORT.findall(source)
    body = _IMPORT.sub(lambda found: f'const {{{found[1]}}} = $["{found[2] or found[3]}"];', source)
    body = _EXPORT.sub("", body)
    assert not re.search(r"^\s*(import|export)\b", body, re.MULTILINE), f"{name}: a form that bundle.py does not know"
    parts[name] = f'$["{name}"] = (() => {{\n{body}\nreturn {{ {", ".join(exported)} }};\n}})();'


def _vendored(name: str) -> str:
    # They look for `module`, `exports` and `require` first, and hang themselves there.
    source = (PAGE / VENDORED[name]).read_text(encoding="utf-8").strip()
    wrapped = f"((exports, module, require) => {{\n{source}\n}})"
    return f'$["{name}"] = {{}};\n{wrapped}($["{name}"], {{}}, (other) => $[other]);'
