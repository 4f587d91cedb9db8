"""Formulas: Python's own arithmetic, and nothing of Python else."""

from __future__ import annotations

import ast
import contextlib
import math
import operator
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rft_widgets.errors import GraderInvalid
from rft_widgets.graders.formula import Formula, FormulaFault

NAMES = {"a": 0.5, "b": 2.0, "c_1": 3.0, "e": 0.25}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 0.5),
        (" 0.7*a + .3 * b ", 0.95),
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("(-2)^2", 4.0),
        ("--a", 0.5),
        ("+-+a", -0.5),
        ("10 - 2 - 3", 5.0),
        ("8 / 2 / 2", 2.0),
        ("2*-b", -4.0),
        ("1e3 + 1.5E-1 + 2.", 1002.15),
        ("min(a, b, 1)", 0.5),
        ("max(a)", 0.5),
        ("max(a, b) ^ 2", 4.0),
        ("abs(-b) + floor(2.7) + ceil(2.1)", 7.0),
        ("sqrt(4) + exp(0) + log(1)", 3.0),
        ("e", 0.25),
        ("a\n+\tb", 2.5),
        ("((((a))))", 0.5),
        ("0^0", 1.0),
    ],
)
def test_values(text: str, value: float) -> None:
    assert Formula(text, NAMES)(NAMES) == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("", "ends too early", 1),
        ("a +", "ends too early", 4),
        ("a b", "'b' is not expected", 3),
        ("zzz", "no grader 'zzz'", 1),
        ("a + min", "no grader 'min'", 5),
        ("pow(a, 2)", "no function 'pow'", 1),
        ("a.real", "'.' means nothing", 2),
        ("a[0]", "'[' means nothing", 2),
        ("a ** 2", "'*' is not expected", 4),
        ("a // 2", "'/' is not expected", 4),
        ("a % 2", "'%' means nothing", 3),
        ("__import__('os')", "means nothing", 12),
        ("min()", "')' is not expected", 5),
        ("sqrt(a, b)", "takes one argument", 10),
        ("(a", "')' is expected", 3),
        ("a)", "')' is not expected", 2),
        ("min(a,)", "')' is not expected", 7),
        ("1e999", "too large", 1),
        ("2a", "'a' is not expected", 2),
        ("é", "means nothing", 1),
        ("(" * 65 + "a" + ")" * 65, "nested", 64),
        ("a^" * 70 + "a", "nested", 128),
        ("a + " * 2000 + "a", "at most 4,000", 1),
    ],
)
def test_refused_when_saved(text: str, words: str, column: int) -> None:
    with pytest.raises(GraderInvalid) as caught:
        Formula(text, NAMES)
    assert words in str(caught.value)
    assert caught.value.column == column
    assert caught.value.where == "calculate_output"


@pytest.mark.parametrize(
    "text",
    [
        "a / 0", "1 / (b - 2)", "0 ^ -1", "exp(1000)", "10 ^ 400", "log(0)", "log(0 - 1)",
        "sqrt(-1)", "(-1) ^ 0.5", "1e308 * 10", "min(1, 1e308 * 10)", "1e308 + 1e308",
        "1e308 - -1e308", "floor(1e308 * 1e308)",
    ],
)  # fmt: skip
def test_no_value_is_a_fault(text: str) -> None:
    with pytest.raises(FormulaFault, match=r"division by zero|too large|has no value"):
        Formula(text, NAMES)(NAMES)


def test_names_that_it_uses() -> None:
    assert Formula("a + max(b, 1)", NAMES).names == {"a", "b"}


# Against Python

NUMBERS = st.floats(0, 100, allow_nan=False).map(lambda n: f"{n:.6f}")
VALUES = {"a": 0.3, "b": 1.7, "c": -2.25}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil, "exp": math.exp,
    "sqrt": math.sqrt, "log": math.log,
}  # fmt: skip


def _expressions() -> st.SearchStrategy[str]:
    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return (
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", " + ", "^", " ^ "]), inner).map(
                "".join
            )
            | inner.map(lambda x: f"({x})")
            | inner.map(lambda x: f"-{x}")
            | st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(lambda t: f"{t[0]}({t[1]})")
            | st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
                lambda t: f"{t[0]}({t[1]}, {t[2]})"
            )
        )

    return st.recursive(NUMBERS | st.sampled_from(["a", "b", "c"]), grow, max_leaves=12)


def _python(node: ast.AST) -> float:
    """The value as Python computes it, where every step is a finite real number."""
    if isinstance(node, ast.Expression):
        return _python(node.body)
    if isinstance(node, ast.Constant):
        value = float(node.value)
    elif isinstance(node, ast.Name):
        value = VALUES[node.id]
    elif isinstance(node, ast.UnaryOp):
        value = -_python(node.operand)
    elif isinstance(node, ast.BinOp):
        left, right = _python(node.left), _python(node.right)
        value = {
            ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
            ast.Div: operator.truediv, ast.Pow: operator.pow,
        }[type(node.op)](left, right)  # fmt: skip
    else:
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        arguments = [_python(argument) for argument in node.args]
        if node.func.id in ("min", "max"):
            value = FUNCTIONS[node.func.id](arguments)
        else:
            value = FUNCTIONS[node.func.id](*arguments)
    if isinstance(value, complex) or not math.isfinite(value):
        raise ArithmeticError
    return value


@given(_expressions())
def test_agrees_with_python(text: str) -> None:
    try:
        expected = _python(ast.parse(text.replace("^", "**"), mode="eval"))
    except (ArithmeticError, ValueError):
        with pytest.raises(FormulaFault):
            Formula(text, VALUES)(VALUES)
    else:
        assert Formula(text, VALUES)(VALUES) == expected


@given(st.text(st.sampled_from("ab+-*/^()., 0123456789eminx\n'_\"[]")))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        formula = Formula(text, VALUES)
    except GraderInvalid as error:
        place = (error.line, error.column)
    else:
        place = None
    if place is not None:
        assert None not in place
        return
    with contextlib.suppress(FormulaFault):
        assert math.isfinite(formula(VALUES))


def test_hostile_lengths_cost_nothing() -> None:
    started = time.perf_counter()
    for text in ("(" * 4000, "-" * 3999 + "a", "a" * 4000, "9" * 4000, " " * 3999 + "a",
                 "1" + "^1" * 1999, "min(" * 1000, "." * 4000, "1e" * 2000):  # fmt: skip
        with contextlib.suppress(GraderInvalid, FormulaFault):
            Formula(text, VALUES)(VALUES)
    assert time.perf_counter() - started < 1
