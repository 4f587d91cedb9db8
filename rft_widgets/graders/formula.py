"""The arithmetic of ``calculate_output``: a small language of its own, without names but graders'.

``+ - * / ^``, unary minus, parentheses, ``min max abs floor ceil exp sqrt log`` (natural). ``^``
binds tightest and to the right: ``-2^2`` is -4, ``2^3^2`` is 512.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping

from rft_widgets.errors import GraderInvalid

MAX_CHARS = 4_000
MAX_DEPTH = 64

Evaluate = Callable[[Mapping[str, float]], float]

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil, "exp": math.exp,
    "sqrt": math.sqrt, "log": math.log,
}  # fmt: skip
"""The functions by name; ``min`` and ``max`` take any number of arguments, the others one."""


class FormulaFault(Exception):  # noqa: N818 - becomes a failed grading
    """A formula has no value for these numbers."""


class Formula:
    """A checked formula.

    Parameters
    ----------
    text
        The formula.
    names
        The graders that it may name.
    where
        Name of the field, for errors.

    Raises
    ------
    GraderInvalid
        If it cannot be read, with line and column.
    """

    def __init__(self, text: str, names: Collection[str], where: str = "calculate_output") -> None:
        self.text = text
        parser = _Parser(text, frozenset(names), where)
        self._evaluate = parser.parse()
        self.names = frozenset(parser.used)
        """The graders that it does name."""

    def __call__(self, values: Mapping[str, float]) -> float:
        """The value for these numbers.

        Raises
        ------
        FormulaFault
            At a division by zero, an overflow, or a value that is not a real number.
        """
        try:
            value = float(self._evaluate(values))
        except ZeroDivisionError:
            raise FormulaFault(f"{self.text}: division by zero") from None
        except OverflowError:
            raise FormulaFault(f"{self.text}: the value is too large") from None
        except ValueError:
            raise FormulaFault(f"{self.text}: a function has no value there") from None
        if not math.isfinite(value):
            raise FormulaFault(f"{self.text}: the value is not finite")
        return value


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^(),]))",
    re.ASCII,
)


class _Parser:
    """Recursive descent; what it gives is nested functions, one an operation."""

    def __init__(self, text: str, names: frozenset[str], where: str) -> None:
        self.used: set[str] = set()
        self._text = text
        self._names = names
        self._where = where
        self._depth = 0
        self._at = 0
        if len(text) > MAX_CHARS:
            raise self._fault(f"a formula has at most {MAX_CHARS:,} characters")
        self._tokens = self._split()
        self._next = 0

    def parse(self) -> Evaluate:
        value = self._sum()
        if self._peek():
            raise self._fault(f"{self._peek()!r} is not expected here")
        return value

    def _split(self) -> list[tuple[str, str, int]]:
        tokens = []
        position = 0
        text = self._text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                self._at = position + len(text[position:]) - len(text[position:].lstrip())
                raise self._fault(f"{text[self._at]!r} means nothing in a formula")
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        return [*tokens, ("end", "", len(text))]

    def _peek(self) -> str:
        _, text, self._at = self._tokens[self._next]
        return text

    def _take(self, expected: str = "") -> tuple[str, str]:
        kind, text, self._at = self._tokens[self._next]
        if expected and text != expected:
            found = f"not {text!r}" if text else "but the formula ends"
            raise self._fault(f"{expected!r} is expected here, {found}")
        if kind != "end":
            self._next += 1
        return kind, text

    def _fault(self, message: str) -> GraderInvalid:
        line = self._text.count("\n", 0, self._at) + 1
        column = self._at - self._text.rfind("\n", 0, self._at)
        return GraderInvalid(
            f"{message} (line {line}, column {column})",
            where=self._where, line=line, column=column,
        )  # fmt: skip

    def _sum(self) -> Evaluate:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(f"a formula is nested at most {MAX_DEPTH} deep")
        terms = [(1.0, self._product())]
        while (sign := self._peek()) in ("+", "-"):
            self._take()
            terms.append((1.0 if sign == "+" else -1.0, self._product()))
        self._depth -= 1
        return terms[0][1] if len(terms) == 1 else _add(terms)

    def _product(self) -> Evaluate:
        first = self._signed()
        factors: list[tuple[str, Evaluate]] = []
        while (sign := self._peek()) in ("*", "/"):
            self._take()
            factors.append((sign, self._signed()))
        return _multiply(first, factors) if factors else first

    def _signed(self) -> Evaluate:
        minus = False
        while (sign := self._peek()) in ("+", "-"):
            self._take()
            minus ^= sign == "-"
        value = self._power()
        return (lambda values: -value(values)) if minus else value

    def _power(self) -> Evaluate:
        base = self._atom()
        if self._peek() != "^":
            return base
        self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(f"a formula is nested at most {MAX_DEPTH} deep")
        exponent = self._signed()
        self._depth -= 1
        return lambda values: _raise(base(values), exponent(values))

    def _atom(self) -> Evaluate:
        kind, text = self._take()
        if kind == "number":
            number = float(text)
            if not math.isfinite(number):
                raise self._fault(f"{text} is too large")
            return lambda _: number
        if kind == "name":
            if self._peek() == "(":
                return self._call(text)
            if text not in self._names:
                known = ", ".join(sorted(self._names)) or "none"
                raise self._unknown(f"there is no grader {text!r}; there are: {known}")
            self.used.add(text)
            return lambda values: values[text]
        if text == "(":
            value = self._sum()
            self._take(")")
            return value
        raise self._fault(
            f"{text!r} is not expected here" if text else "the formula ends too early"
        )

    def _call(self, name: str) -> Evaluate:
        if name not in FUNCTIONS:
            raise self._unknown(f"there is no function {name!r}; there are: {', '.join(FUNCTIONS)}")
        self._take("(")
        arguments = [self._sum()]
        while self._peek() == ",":
            self._take()
            arguments.append(self._sum())
        self._take(")")
        if len(arguments) > 1 and name not in ("min", "max"):
            raise self._fault(f"{name} takes one argument, not {len(arguments)}")
        function = FUNCTIONS[name]
        if len(arguments) == 1:
            if name in ("min", "max"):
                return arguments[0]
            only = arguments[0]
            return lambda values: float(function(only(values)))
        return lambda values: float(function(*[argument(values) for argument in arguments]))

    def _unknown(self, message: str) -> GraderInvalid:
        self._at = self._tokens[self._next - 1][2]
        return self._fault(message)


def _add(terms: list[tuple[float, Evaluate]]) -> Evaluate:
    def total(values: Mapping[str, float]) -> float:
        # In order and without a start of 0, so that the result is Python's own to the last bit.
        result = terms[0][1](values)
        for sign, term in terms[1:]:
            result += sign * term(values)
        return _finite(result)

    return total


def _multiply(first: Evaluate, factors: list[tuple[str, Evaluate]]) -> Evaluate:
    def product(values: Mapping[str, float]) -> float:
        result = first(values)
        for sign, factor in factors:
            result = result * factor(values) if sign == "*" else result / factor(values)
        return _finite(result)

    return product


def _finite(value: float) -> float:
    # Sums and products overflow in silence; min(1, too much) must not hide it.
    if not math.isfinite(value):
        raise OverflowError
    return value


def _raise(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    return math.pow(base, exponent)
