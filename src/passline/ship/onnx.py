"""A model as an ONNX graph in doubles: one input a column, the log-odds and the probability as outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import MissingDependencyError, OptionError
from passline.model import ON_THE_EDGE
from passline.ship.plan import Category, Floats, Group, Plan, about
from passline.table.arithmetic import Argument, Choice, Form, Number, Operation, log1p_by_logarithm
from passline.table.columns import BOOLEAN_TEXTS, MISSING_WORDS

if TYPE_CHECKING:
    from passline.table.coding import Unseen

OPSET, ML_OPSET, IR = 18, 4, 8
GREATEST = float(np.finfo(np.float64).max)
OWN = "passline/"  # begins the names of the graph's own values
_OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "ln": "Log", "exp": "Exp", "sqrt": "Sqrt"} | {
    "abs": "Abs",
    "pow": "Pow",
}
_COMPARISONS = {"<": "Less", "<=": "LessOrEqual", "=": "Equal", ">": "Greater", ">=": "GreaterOrEqual"}


def onnx_model(plan: Plan, unseen: Unseen = "error") -> bytes:
    """The graph of a plan, as the bytes of an ONNX file.

    Inputs are called as the columns are, (N, 1) each: numbers and truth values (1, 0) as doubles with NaN for missing,
    texts as strings, where the empty text is missing (or, if that is a level, the word that the metadata name).
    Outputs ``logit`` and ``probability``, (N, 1) doubles: NaN where a value is missing, a level was not there at
    fitting time (unless ``unseen`` is "baseline") or a value is outside a function's domain. An output whose name is
    that of a column has an underscore after it. Raises OptionError for texts that ONNX cannot hold.
    """
    onnx, _ = require_onnx()
    for text in [each.column for each in plan.inputs] + [level for c in plan.categories for level in c.levels]:
        _refuse_half_characters(text)
    graph = _Graph(plan, unseen, missing_word(plan))
    outputs = graph.outputs()
    helper = onnx.helper
    inputs = [helper.make_tensor_value_info(each.column, graph.kind(each.kind), ["N", 1]) for each in plan.inputs]
    made = helper.make_graph(
        graph.nodes,
        "passline",
        inputs,
        [helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["N", 1]) for name in outputs],
        list(graph.constants.values()),
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        ir_version=IR,
        producer_name="passline",
        producer_version=version("passline"),
    )
    said = about(plan, unseen) | {"missing": missing_word(plan)}
    helper.set_model_props(model, {k: v if isinstance(v, str) else json.dumps(v) for k, v in said.items()})
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def require_onnx() -> tuple[Any, Any]:
    """Import onnx and onnxruntime, which proves the graph."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            "an export to ONNX needs onnx and onnxruntime, which are not installed. Install them: "
            "pip install 'passline[export]'"
        ) from error
    return onnx, onnxruntime


def missing_word(plan: Plan) -> str:
    """The text that stands for a missing one: the first word for it that is no level."""
    levels = {level for category in plan.categories for level in category.levels}
    free = [word for word in MISSING_WORDS if word not in levels]
    if not free:
        raise OptionError(f"ONNX has no missing text, and all of {MISSING_WORDS} are levels: recode one")
    return free[0]


def run(content: bytes, plan: Plan, columns: Mapping[str, Sequence[Any]], rows: int) -> tuple[Floats, Floats]:
    """The probabilities and the log-odds that onnxruntime finds, (rows,) each."""
    _, runtime = require_onnx()
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = {each.column: _fed(each.kind, columns[each.column], missing_word(plan)) for each in plan.inputs}
    logit, probability = session.run(None, feeds)
    return np.broadcast_to(probability[:, 0], rows), np.broadcast_to(logit[:, 0], rows)


def _fed(kind: str, values: Sequence[Any], missing: str) -> NDArray[Any]:
    if kind == "category":
        return np.array([[missing if value is None else str(value)] for value in values], dtype=object)
    return np.array([[np.nan if value is None else float(value)] for value in values], dtype=np.float64)


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OptionError(f"ONNX cannot hold the text {text!r}: it has half a character") from None


class _Graph:
    """Nodes and constants as they are asked for; a value of the graph is its name."""

    def __init__(self, plan: Plan, unseen: Unseen, missing: str) -> None:
        self.onnx, _ = require_onnx()
        self.plan, self.unseen, self.missing = plan, unseen, missing
        self.nodes: list[Any] = []
        self.constants: dict[tuple[str, bytes, tuple[int, ...]], Any] = {}
        self.taken = {each.column for each in plan.inputs}
        self.prefix = OWN
        while any(name.startswith(self.prefix) for name in self.taken):
            self.prefix += "/"
        self.usable: list[str] = []  # truth values that must all hold for a row to have an answer
        self.inputs = {place: self.read(place) for place, each in enumerate(plan.inputs) if each.kind != "category"}
        self.values: list[str] = []
        for value in plan.values:
            self.values.append(self.value(value.sources, value.form, value.reads))
        self.places = [self.place(category) for category in plan.categories]
        self.mark_unused()

    def kind(self, kind: str) -> int:
        found: int = self.onnx.TensorProto.STRING if kind == "category" else self.onnx.TensorProto.DOUBLE
        return found

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{self.prefix}{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, dtype: type = np.float64) -> str:
        array: NDArray[Any] = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.tobytes(), array.shape)
        if key not in self.constants:
            name = f"{self.prefix}constant {len(self.constants)}"
            self.constants[key] = self.onnx.numpy_helper.from_array(array, name)
        return str(self.constants[key].name)

    # --- inputs, values, places

    def read(self, place: int) -> str:
        name = self.plan.inputs[place].column
        self.mark_finite(name)
        return self.node("Add", name, self.constant(0.0))  # minus zero is zero

    def mark_finite(self, name: str) -> None:
        self.usable.append(self.node("LessOrEqual", self.node("Abs", name), self.constant(GREATEST)))

    def value(self, sources: tuple[int, ...], form: Form | None, reads: bool) -> str:
        if reads:
            return self.inputs[sources[0]]
        made = self.values[sources[0]]
        if form is not None:
            made = self.form(form, made)
        else:
            for source in sources[1:]:
                made = self.node("Mul", made, self.values[source])
        self.mark_finite(made)
        return made

    def form(self, form: Form | None, argument: str) -> str:
        match form:
            case None:
                found = self.constant(np.nan)
            case Argument():
                found = argument
            case Number(value):
                found = self.constant(value)
            case Operation("log1p", (x,)):  # which ONNX has not
                found = self.form(log1p_by_logarithm(x), argument)
            case Operation("hinge cubed", (x,)):
                u = self.form(x, argument)
                cube = self.node("Mul", self.node("Mul", u, u), u)
                below = self.node("LessOrEqual", u, self.constant(0.0))
                found = self.node("Where", below, self.constant(0.0), cube)
            case Operation(name, operands):
                found = self.node(_OPERATORS[name], *(self.form(operand, argument) for operand in operands))
            case Choice(left, comparison, right, then, otherwise):
                test = self.node(_COMPARISONS[comparison], self.form(left, argument), self.form(right, argument))
                found = self.node("Where", test, self.form(then, argument), self.form(otherwise, argument))
        return found

    def place(self, category: Category) -> str:
        """The place of each row's level, from 0; rows without one are not usable."""
        each, count = self.plan.inputs[category.input], len(category.levels)
        attributes: dict[str, Any] = {"values_int64s": list(range(count)), "default_int64": -1}
        if each.kind == "category":
            # A missing text has a place of its own, so that it is never taken for the baseline.
            attributes |= {"keys_strings": [*category.levels, self.missing], "values_int64s": [*range(count), -2]}
            source = each.column
        else:
            boolean = each.kind == "boolean"
            keys = [float(BOOLEAN_TEXTS.index(level) if boolean else float(level)) for level in category.levels]
            tensors = {"keys": keys, "values": np.arange(count), "default": np.array([-1])}
            make = self.onnx.numpy_helper.from_array
            attributes = {f"{name}_tensor": make(np.asarray(array)) for name, array in tensors.items()}
            source = self.inputs[category.input]
        found = self.node("LabelEncoder", source, domain="ai.onnx.ml", **attributes)
        lowest = -1 if self.unseen == "baseline" else 0
        self.usable.append(self.node("GreaterOrEqual", found, self.constant(lowest, np.int64)))
        return self.node("Max", found, self.constant(0, np.int64))

    def mark_unused(self) -> None:
        """A text that no category uses (it has a single level) may be missing all the same."""
        used = {category.input for category in self.plan.categories}
        for place, each in enumerate(self.plan.inputs):
            if each.kind == "category" and place not in used:
                keys: dict[str, Any] = {"keys_strings": [self.missing], "values_int64s": [-2], "default_int64": 0}
                found = self.node("LabelEncoder", each.column, domain="ai.onnx.ml", **keys)
                self.usable.append(self.node("GreaterOrEqual", found, self.constant(0, np.int64)))

    # --- sums and answers

    def total(self, *, size: bool = False) -> str:
        """The log-odds and what is added along each direction, (N, 1 + m), in the order of ``predict``.

        With ``size`` absolute values are added.
        """
        start = np.zeros(1 + self.plan.directions) if self.plan.intercept is None else self.plan.intercept
        total = self.constant((np.abs(start) if size else start)[None, :])
        for group in self.plan.groups:
            total = self.node("Add", total, self.share(group, size))
        return total

    def share(self, group: Group, size: bool) -> str:
        weights = (np.abs(group.weights) if size else group.weights).T  # (places, 1 + m)
        share = self.constant(weights)
        if group.categories:
            place = self.places[group.categories[-1]]
            for category, count in list(zip(group.categories, self.plan.width(group), strict=True))[-2::-1]:
                scaled = self.node("Mul", place, self.constant(count, np.int64))
                place = self.node("Add", scaled, self.places[category])
            share = self.node("Gather", share, self.node("Squeeze", place, self.constant([1], np.int64)))
        if group.value is None:
            return share
        value = self.values[group.value]
        return self.node("Mul", self.node("Abs", value) if size else value, share)

    def outputs(self) -> list[str]:
        """The last nodes: the log-odds and the probability; the names of both."""
        names = ["logit", "probability"]
        for i in range(2):
            while names[i] in self.taken:
                names[i] += "_"
        total = self.total()
        eta = self.taken_from(total, [0])
        if self.plan.directions:
            eta = self.limit(eta, total)
        for usable in self.usable:
            eta = self.node("Where", usable, eta, self.constant(np.nan))
        eta = self.node("Identity", eta, output=names[0])
        e = self.node("Exp", self.node("Neg", self.node("Abs", eta)))
        one_more = self.node("Add", self.constant(1.0), e)
        above = self.node("Div", self.constant(1.0), one_more)
        below = self.node("Div", e, one_more)
        self.node("Where", self.node("Greater", eta, self.constant(0.0)), above, below, output=names[1])
        return names

    def taken_from(self, table: str, columns: Sequence[int]) -> str:
        return self.node("Gather", table, self.constant(columns, np.int64), axis=1)

    def limit(self, eta: str, total: str) -> str:
        """The log-odds: infinite where separating directions move them, NaN where these disagree."""
        directions, zero = range(1, 1 + self.plan.directions), self.constant(0.0)
        along = self.taken_from(total, directions)
        edge = self.node("Mul", self.constant(ON_THE_EDGE), self.taken_from(self.total(size=True), directions))
        on_it = self.node("LessOrEqual", self.node("Abs", along), edge)
        signs = self.node("Where", on_it, zero, self.node("Sign", along))  # (N, m)
        axis = self.constant([1], np.int64)
        none_up = self.node("LessOrEqual", self.node("ReduceMax", signs, axis), zero)
        none_down = self.node("GreaterOrEqual", self.node("ReduceMin", signs, axis), zero)
        first = self.taken_from(signs, [0])
        up = self.node("And", none_down, self.node("Greater", first, zero))
        down = self.node("And", none_up, self.node("Less", first, zero))
        found = self.node("Where", self.node("And", none_up, none_down), eta, self.constant(np.nan))
        found = self.node("Where", down, self.constant(-np.inf), found)
        return self.node("Where", up, self.constant(np.inf), found)
