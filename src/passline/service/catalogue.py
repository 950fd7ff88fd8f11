"""The models of a service by name, and how a file that was replaced takes its place without a request being dropped."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from passline.errors import OptionError, PasslineError
from passline.service.logs import exception_fields
from passline.service.problems import Fault, Problem, shown
from passline.service.served import Served, Stamp, load_served, stamp_of
from passline.service.settings import Limits

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

# Told of every attempt: the model's name, and the error where the old one was kept.
Told = Callable[[str, str | None], Any]


class Catalogue:
    """The models by name; what is read here is whole, and what replaces it is whole before it takes its place."""

    def __init__(self, models: Mapping[str, Served], limits: Limits) -> None:
        self.models = dict(models)
        self._limits = limits
        # What of each file was looked at last: a bad one is told of once, and read again when it changes.
        self._seen: dict[str, Stamp | None] = {name: served.stamp for name, served in models.items()}
        self._only = next(iter(self.models)) if len(self.models) == 1 else None

    def named(self, name: str) -> Served:
        """The model of an address. Raises Problem where there is none of that name."""
        found = self.models.get(name)
        if found is None:
            raise Problem(404, self._unknown(name))
        return found

    def meant(self, name: str | None) -> Served:
        """The model that a body names, in a service of several. Raises Problem where it names none that is there."""
        if name is None:
            raise Problem(422, Fault("model", f"missing; this service has several: {self._listed()}"))
        found = self.models.get(name)
        if found is None:
            raise Problem(422, Fault("model", self._unknown(name)))
        return found

    @property
    def only(self) -> Served | None:
        """The model of a service that has one."""
        return None if self._only is None else self.models[self._only]

    async def renew(self, told: Told) -> None:
        """Read every file that was replaced; where it cannot be read, the model that is there stays."""
        for name, served in list(self.models.items()):
            try:
                stamp: Stamp | None = stamp_of(served.path)
            except OSError:
                stamp = None
            if stamp == self._seen[name]:
                continue
            self._seen[name] = stamp
            try:
                # In a thread, since a long file takes its time; requests are answered from the old model meanwhile.
                fresh = await asyncio.to_thread(load_served, name, served.path, self._limits)
            except PasslineError as error:
                told(name, str(error))
            except Exception as error:  # a bug of ours is no reason to look no more
                told(name, f"this is a bug of ours: {exception_fields(error)}")
            else:
                self.models[name], self._seen[name] = fresh, fresh.stamp
                told(name, None)

    def _unknown(self, name: str) -> str:
        return f"there is no model {shown(name)}; there is {self._listed()}"

    def _listed(self) -> str:
        return ", ".join(shown(name) for name in self.models)


def open_catalogue(given: list[str], limits: Limits) -> Catalogue:
    """The models of ``[NAME=]MODEL`` arguments; a file's name without its ending is the model's, where none is said.

    Raises OptionError for names that cannot be used or stand twice, ModelFileError for files.
    """
    if not given:
        raise OptionError("there is no model to serve: give the files of one or more, [NAME=]MODEL")
    models: dict[str, Served] = {}
    for argument in given:
        name, path = _named(argument)
        if name in models:
            raise OptionError(f"two models are called {name}: give one another name, as in other={path}")
        models[name] = load_served(name, path, limits)
    return Catalogue(models, limits)


def _named(argument: str) -> tuple[str, Path]:
    name, sign, rest = argument.partition("=")
    # A path may hold the sign too; whatever stands before it is a name where it looks like one.
    if sign and _NAME.fullmatch(name):
        if not rest:
            raise OptionError(f"{argument!r} names no file: write {name}=MODEL")
        return name, Path(rest)
    name = Path(argument).stem
    if not _NAME.fullmatch(name):
        raise OptionError(
            f"{name!r} cannot be a model's name, of letters, digits, . _ and -: give one, as in model={argument}"
        )
    return name, Path(argument)
