"""How a page's modules become one script: each in a function of its own, in the order in which they need each other.

A bundler would be a build step and a second language's tools. The modules keep to two forms, which a line each
translates: `import { a, b } from "./module.js";` and `export function|const|class name`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHARED = Path(__file__).parent

_IMPORT = re.compile(r'^import \{([\w\s,]+?),?\s*\} from "(?:\./([\w.-]+\.js)|([\w-]+))";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


@dataclass(frozen=True)
class Modules:
    """The modules of a page: those in its ``folder``, beside them the shared ones.

    ``libraries``: libraries as they were published, by the names under which modules import them, each after those
    that it needs. ``written``: the text of modules that are in no file, by their names.
    """

    folder: Path
    libraries: Mapping[str, Path] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    def bundle(self, *entries: str) -> str:
        """The script that runs modules and all they need; its value is an object of what the modules export.

        ``entries``: names of modules, such as "main.js".
        """
        parts: dict[str, str] = {}
        for entry in entries:
            self._add(entry, parts, ())
        exported = ", ".join(f'...$["{entry}"]' for entry in entries)
        head = ["(() => {", '"use strict";', "const $ = {};"]
        return "\n".join([*head, *parts.values(), f"return {{ {exported} }};", "})()"])

    def _add(self, name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
        assert name not in above, f"modules import each other in a circle: {' > '.join([*above, name])}"
        if name in parts:
            return
        if name in self.libraries:
            for other in self.libraries:
                if other == name:
                    break
                self._add(other, parts, ())
            parts[name] = self._vendored(name)
            return
        source = self._source(name)
        for _, module, library in _IMPORT.findall(source):
            self._add(module or library, parts, (*above, name))
        exported = _EXPORT.findall(source)
        body = _IMPORT.sub(lambda found: f'const {{{found[1]}}} = $["{found[2] or found[3]}"];', source)
        body = _EXPORT.sub("", body)
        left = re.search(r"^\s*(import|export)\b", body, re.MULTILINE)
        assert not left, f"{name}: a form that bundle.py does not know"
        parts[name] = f'$["{name}"] = (() => {{\n{body}\nreturn {{ {", ".join(exported)} }};\n}})();'

    def _source(self, name: str) -> str:
        if name in self.written:
            return self.written[name]
        own = self.folder / name
        return (own if own.exists() else SHARED / name).read_text(encoding="utf-8")

    def _vendored(self, name: str) -> str:
        # They look for `module`, `exports` and `require` first, and hang themselves there; some ask for another by the
        # address of one of its versions (d3@7.9.0/...).
        source = self.libraries[name].read_text(encoding="utf-8").strip()
        wrapped = f"((exports, module, require) => {{\n{source}\n}})"
        return f'$["{name}"] = {{}};\n{wrapped}($["{name}"], {{}}, (other) => $[other.split("@")[0]]);'
