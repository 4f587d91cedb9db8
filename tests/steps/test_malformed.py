"""Strange and broken input: every line is accepted or refused with its number and code."""

from __future__ import annotations

import gzip
import json
import math
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from builders import chat_line, content, dump, gzipped, prompts, sums, write_jsonl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rft_widgets as rft
from rft_widgets.errors import ImportRejected, InvalidArgument, NotFound, RftError

FIRST, LAST = "The first harmless question", "The last harmless question"
RIGHT_TO_LEFT = "שלום עולם \u202eمرحبا\u202c 123"
ODD = "An odd but harmless question"
_GOOD_FIRST, _GOOD_LAST = dump(chat_line(FIRST)), dump(chat_line(LAST))


@dataclass
class Case:
    """A file and what becomes of it; ``data`` is a function where the file is large."""

    name: str
    data: bytes | Callable[[], bytes]
    accepted: list[str] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    blank: int = 0
    rejected: bool = False
    again: bool = True
    """Whether its export fits into the limits of a line, too."""
    file: str = "case.jsonl"


def between(name: str, line: bytes | Callable[[], bytes], **expected: object) -> Case:
    """Put a line between two good ones, which must not suffer."""

    def data() -> bytes:
        odd = line() if callable(line) else line
        return b"\n".join([_GOOD_FIRST, odd, _GOOD_LAST]) + b"\n"

    return Case(name, data, **expected)  # type: ignore[arg-type]


def refuse(name: str, code: str, line: bytes | Callable[[], bytes]) -> Case:
    return between(name, line, accepted=[FIRST, LAST], refused={2: code})


def accept(name: str, line: bytes | Callable[[], bytes], prompt: str = ODD, **more: object) -> Case:
    return between(name, line, accepted=[FIRST, prompt, LAST], **more)


def whole(name: str, data: bytes | Callable[[], bytes], *prompts: str, **more: object) -> Case:
    return Case(name, data, accepted=list(prompts), **more)  # type: ignore[arg-type]


def reject(name: str, data: bytes | Callable[[], bytes], file: str = "case.jsonl") -> Case:
    return Case(name, data, rejected=True, file=file)


MESSAGES = b'"messages":[{"role":"user","content":"An odd but harmless question"}]'


def chat(rest: bytes) -> bytes:
    """Chat line with more keys, written by hand."""
    return b"{" + MESSAGES + b"," + rest + b"}"


def one(message: bytes) -> bytes:
    return b'{"messages":[' + message + b"]}"


def text(inner: bytes) -> bytes:
    """Chat line whose user message has this for its content, written by hand."""
    return one(b'{"role":"user","content":"' + inner + b'"}')


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


DUPLICATE_KEYS = [
    refuse("top level", "duplicate_key", chat(b'"x":1,"x":2')),
    refuse("messages twice", "duplicate_key", chat(MESSAGES)),
    refuse("topic twice", "duplicate_key", chat(b'"topic":"a","topic":"a"')),
    refuse(
        "in a message",
        "duplicate_key",
        one(b'{"role":"user","role":"user","content":"An odd but harmless question"}'),
    ),
    refuse(
        "content null, then text",
        "duplicate_key",
        one(b'{"role":"user","content":null,"content":"An odd but harmless question"}'),
    ),
    refuse(
        "content text, then null",
        "duplicate_key",
        one(b'{"role":"user","content":"An odd but harmless question","content":null}'),
    ),
    refuse(
        "unknown key of a message",
        "duplicate_key",
        one(b'{"role":"user","content":"An odd but harmless question","x":1,"x":1}'),
    ),
    refuse(
        "in a content part",
        "duplicate_key",
        one(b'{"role":"user","content":[{"type":"text","text":"harmless","text":"evil"}]}'),
    ),
    refuse(
        "in an image part",
        "duplicate_key",
        one(b'{"role":"user","content":[{"type":"image_url","image_url":{"url":"a","url":"b"}}]}'),
    ),
    refuse(
        "in a tool call",
        "duplicate_key",
        one(
            b'{"role":"assistant","tool_calls":[{"type":"function","id":"1","id":"2",'
            b'"function":{"name":"f","arguments":"{}"}}]}'
        ),
    ),
    refuse(
        "in a function",
        "duplicate_key",
        one(
            b'{"role":"assistant","tool_calls":[{"type":"function","id":"1",'
            b'"function":{"name":"f","arguments":"{}","arguments":"{}"}}]}'
        ),
    ),
    refuse(
        "in arguments given as object",
        "duplicate_key",
        one(
            b'{"role":"assistant","tool_calls":[{"id":"1",'
            b'"function":{"name":"f","arguments":{"a":1,"a":2}}}]}'
        ),
    ),
    refuse(
        "in tools",
        "duplicate_key",
        chat(b'"tools":[{"type":"function","function":{"name":"f","parameters":{"a":1,"a":2}}}]'),
    ),
    refuse("in metadata", "duplicate_key", chat(b'"metadata":{"a":{"b":1,"b":2}}')),
    refuse("in tool_choice", "duplicate_key", chat(b'"tool_choice":{"type":"a","type":"b"}')),
    refuse("in our own key", "duplicate_key", chat(b'"rft_widgets":{"span_id":"a","span_id":"b"}')),
    refuse("in an item", "duplicate_key", chat(b'"item":[[{"a":1},{"a":1,"a":2}]]')),
    refuse(
        "in a record line",
        "duplicate_key",
        b'{"input":{' + MESSAGES + b'},"output":{"finish_reason":"a","finish_reason":"b"}}',
    ),
    refuse(
        "in a wrapped line",
        "duplicate_key",
        b'{"data":{' + MESSAGES + b',"x":1,"x":2},"topic":"t"}',
    ),
    refuse(
        "data twice", "duplicate_key", b'{"data":{' + MESSAGES + b'},"data":{' + MESSAGES + b"}}"
    ),
    refuse(
        "in what the wrapper hides",
        "duplicate_key",
        b'{"data":{' + MESSAGES + b',"metadata":{"a":1,"a":2}},"metadata":{}}',
    ),
    refuse("space before the colon", "duplicate_key", chat(b'"x":1,"x" :2')),
    refuse("tab before both colons", "duplicate_key", chat(b'"x"\t:1,"x"\t :2')),
    refuse("carriage return before the colon", "duplicate_key", chat(b'"x":1,"x"\r:2')),
    refuse("written with an escape", "duplicate_key", chat(b'"x":1,"\\u0078":2')),
    refuse("quote in the key", "duplicate_key", chat(b'"a\\":":1,"a\\":":2')),
    refuse(
        "hidden by a key that ends in a backslash",
        "duplicate_key",
        chat(b'"x":{"a":1,"a":2},"b\\\\":1'),
    ),
    refuse(
        "hidden by a nested key that ends in a backslash",
        "duplicate_key",
        chat(b'"metadata":{"a":1,"a":2,"b\\\\\\\\":1}'),
    ),
    refuse("empty key twice", "duplicate_key", chat(b'"":1,"":2')),
    accept("same key in two objects", chat(b'"x":{"a":1},"y":{"a":1}')),
    accept(
        "JSON with a repeated key as text",
        text(b'An odd {\\"a\\":1,\\"a\\":2} question'),
        'An odd {"a":1,"a":2} question',
    ),
    accept(
        "text that looks like keys", text(b'say \\"a\\": \\\\\\"b\\\\\\": c'), 'say "a": \\"b\\": c'
    ),
]

NUMBERS = [
    refuse("NaN", "non_finite_number", chat(b'"x":NaN')),
    refuse("Infinity", "non_finite_number", chat(b'"x":[1,Infinity]')),
    refuse("-Infinity", "non_finite_number", chat(b'"metadata":{"x":-Infinity}')),
    refuse("1e400", "non_finite_number", chat(b'"x":1e400')),
    refuse("-1e400 in metadata", "non_finite_number", chat(b'"metadata":{"x":-1e400}')),
    refuse(
        "1e400 in a content part",
        "non_finite_number",
        one(b'{"role":"user","content":[{"type":"text","text":"harmless","x":1e400}]}'),
    ),
    refuse(
        "1e400 in tools",
        "non_finite_number",
        chat(b'"tools":[{"type":"function","function":{"name":"f","parameters":{"max":1e400}}}]'),
    ),
    refuse("1e400 as the id", "non_finite_number", chat(b'"id":1e400')),
    refuse(
        "1e400 in what the wrapper hides",
        "non_finite_number",
        b'{"data":{' + MESSAGES + b',"x":1e400},"x":1}',
    ),
    refuse(
        "NaN in a record line",
        "non_finite_number",
        b'{"input":{' + MESSAGES + b'},"dry_run_score":NaN}',
    ),
    refuse("nan", "invalid_json", chat(b'"x":nan')),
    refuse("leading zero", "invalid_json", chat(b'"x":01')),
    refuse("plus sign", "invalid_json", chat(b'"x":+1')),
    refuse("hexadecimal", "invalid_json", chat(b'"x":0x10')),
    refuse("no digit after the point", "invalid_json", chat(b'"x":1.')),
    accept("1e-400 rounds to zero", chat(b'"x":1e-400')),
    accept("NaN as text", chat(b'"x":"NaN"')),
    accept("an integer of 3,999 digits", chat(b'"x":' + b"7" * 3_999)),
    accept("a negative integer of 4,000 digits", chat(b'"x":-' + b"7" * 4_000)),
    refuse("an integer of 4,001 digits", "number_too_long", chat(b'"x":' + b"7" * 4_001)),
    refuse("an integer of 5,000 digits", "number_too_long", chat(b'"x":' + b"7" * 5_000)),
    refuse("a negative integer of 4,001 digits", "number_too_long", chat(b'"x":-' + b"7" * 4_001)),
    refuse(
        "5,000 digits in metadata",
        "number_too_long",
        chat(b'"metadata":{"x":[' + b"7" * 5_000 + b"]}"),
    ),
    refuse(
        "an integer of a million digits", "number_too_long", lambda: chat(b'"x":' + b"7" * 10**6)
    ),
    accept("5,000 digits as text", text(b"7" * 5_000), "7" * 5_000),
    accept("5,000 digits as text of an item", chat(b'"pi":"3.' + b"1" * 5_000 + b'"')),
]

CHARACTERS = [
    refuse("escaped high surrogate", "lone_surrogate", text(b"half \\ud800 a character")),
    refuse("escaped low surrogate", "lone_surrogate", text(b"half \\udc00 a character")),
    refuse(
        "surrogates in the wrong order", "lone_surrogate", text(b"half \\ude00\\ud83d a character")
    ),
    refuse("surrogate at the end of a text", "lone_surrogate", text(b"half a character \\ud83d")),
    refuse("surrogate in a key", "lone_surrogate", chat(b'"\\ud800":1')),
    refuse("surrogate in metadata", "lone_surrogate", chat(b'"metadata":{"a":["\\udfff"]}')),
    refuse(
        "surrogate in tools",
        "lone_surrogate",
        chat(b'"tools":[{"type":"function","function":{"name":"\\ud800"}}]'),
    ),
    refuse("raw surrogate", "invalid_utf8", text(b"half \xed\xa0\x80 a character")),
    accept("escaped pair", text(b"a whole \\ud83d\\ude00 character"), "a whole 😀 character"),
    accept(
        "a surrogate's escape, escaped",
        text(b"the escape \\\\ud800 as text"),
        "the escape \\ud800 as text",
    ),
    refuse("escaped U+0000", "nul_character", text(b"end \\u0000 of text")),
    refuse(
        "escaped U+0000 after an escaped backslash",
        "nul_character",
        text(b"end \\\\\\u0000 of text"),
    ),
    refuse("U+0000 in a key", "nul_character", chat(b'"a\\u0000":1')),
    refuse("U+0000 in an id", "nul_character", chat(b'"id":"a\\u0000"')),
    refuse("raw U+0000 in a text", "nul_character", text(b"end \x00 of text")),
    refuse("raw U+0000 behind the line", "nul_character", chat(b'"x":1') + b"\x00"),
    accept(
        "an escaped backslash and u0000",
        text(b"the escape \\\\u0000 as text"),
        "the escape \\u0000 as text",
    ),
    accept(
        "two escaped backslashes and u0000",
        text(b"the escape \\\\\\\\u0000 as text"),
        "the escape \\\\u0000 as text",
    ),
    accept(
        "U+0000 in the JSON of arguments",
        one(
            b'{"role":"user","content":"An odd but harmless question"},{"role":"assistant",'
            b'"tool_calls":[{"id":"1","type":"function","function":{"name":"f",'
            b'"arguments":"{\\"a\\":\\"\\\\u0000\\"}"}}]}'
        ),
    ),
    refuse("raw U+0001", "invalid_json", text(b"a raw \x01 control character")),
    refuse("raw tab", "invalid_json", text(b"a raw \t tab in a text")),
    refuse("raw carriage return", "invalid_json", text(b"a raw \r line end in a text")),
    accept("escaped U+0001", text(b"an escaped \\u0001 control"), "an escaped \x01 control"),
    accept("U+007F", text(b"a raw \x7f delete character"), "a raw \x7f delete character"),
    accept(
        "U+2028 and U+2029",
        text("a line\u2028 and a\u2029 paragraph".encode()),
        "a line\u2028 and a\u2029 paragraph",
    ),
    accept(
        "U+0085", text("the next\u0085 line of a text".encode()), "the next\u0085 line of a text"
    ),
    accept(
        "noncharacters",
        text("the end \ufffe \uffff of the plane".encode()),
        "the end \ufffe \uffff of the plane",
    ),
    accept(
        "emoji",
        text("👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 how many are these?".encode()),
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 how many are these?",
    ),
    accept("right to left", text(RIGHT_TO_LEFT.encode()), RIGHT_TO_LEFT),
    accept(
        "combining marks",
        text(("Z" + "\u0301" * 200 + " algo").encode()),
        "Z" + "\u0301" * 200 + " algo",
    ),
]

ENCODING = [
    refuse("a byte that is never UTF-8", "invalid_utf8", text(b"broken \xff text")),
    refuse("Latin-1", "invalid_utf8", text("a café in Latin-1".encode("latin-1"))),
    refuse("a sequence cut off", "invalid_utf8", text(b"broken \xc3")),
    refuse("an overlong sequence", "invalid_utf8", text(b"broken \xc0\x80 text")),
    refuse("beyond U+10FFFF", "invalid_utf8", text(b"broken \xf4\x90\x80\x80 text")),
    refuse("in a key", "invalid_utf8", chat(b'"\xff":1')),
    refuse("in an unknown value", "invalid_utf8", chat(b'"x":["\xff"]')),
    refuse(
        "in tools",
        "invalid_utf8",
        chat(b'"tools":[{"type":"function","function":{"name":"\xff"}}]'),
    ),
    refuse("in a role", "invalid_utf8", one(b'{"role":"\xff","content":"text"}')),
    refuse(
        "in what the wrapper hides",
        "invalid_utf8",
        b'{"data":{' + MESSAGES + b',"topic":"\xff"},"topic":"t"}',
    ),
    refuse("outside any text", "invalid_utf8", chat(b'"x":1') + b"\xff"),
    refuse("a line of binary", "invalid_utf8", bytes(b for b in range(256) if b != 10)),
    refuse("a byte order mark on a later line", "invalid_json", b"\xef\xbb\xbf" + chat(b'"x":1')),
    whole("byte order mark", b"\xef\xbb\xbf" + _GOOD_FIRST + b"\n", FIRST),
    whole("nothing but a byte order mark", b"\xef\xbb\xbf"),
    reject("UTF-16, little end first", b"\xff\xfe" + _GOOD_FIRST.decode().encode("utf-16-le")),
    reject("UTF-16, big end first", b"\xfe\xff" + _GOOD_FIRST.decode().encode("utf-16-be")),
    reject("UTF-16 in gzip", gzipped(_GOOD_FIRST.decode().encode("utf-16"))),
]

DEPTH = [
    accept("63 levels", chat(b'"x":' + nested(62))),
    accept("64 levels", chat(b'"x":' + nested(63))),
    refuse("65 levels", "too_deep", chat(b'"x":' + nested(64))),
    accept("64 levels in metadata", chat(b'"metadata":{"x":' + nested(62) + b"}")),
    refuse("65 levels in metadata", "too_deep", chat(b'"metadata":{"x":' + nested(63) + b"}")),
    accept(
        "64 levels in a content part",
        one(
            b'{"role":"user","content":[{"type":"text","text":"An odd but harmless question",'
            b'"x":' + nested(59) + b"}]}"
        ),
    ),
    refuse(
        "65 levels in a content part",
        "too_deep",
        one(
            b'{"role":"user","content":[{"type":"text","text":"An odd but harmless question",'
            b'"x":' + nested(60) + b"}]}"
        ),
    ),
    accept(
        "64 levels in tools",
        chat(
            b'"tools":[{"type":"function","function":{"name":"f","parameters":{"x":'
            + nested(59)
            + b"}}}]"
        ),
    ),
    refuse(
        "65 levels in tools",
        "too_deep",
        chat(
            b'"tools":[{"type":"function","function":{"name":"f","parameters":{"x":'
            + nested(60)
            + b"}}}]"
        ),
    ),
    accept("64 levels in a record line", b'{"input":{' + MESSAGES + b'},"x":' + nested(63) + b"}"),
    refuse(
        "65 levels in a record line",
        "too_deep",
        b'{"input":{' + MESSAGES + b'},"x":' + nested(64) + b"}",
    ),
    # What is kept of a wrapped line lies one level higher than it is written.
    accept("64 levels in a wrapped line", b'{"data":{' + MESSAGES + b',"x":' + nested(62) + b"}}"),
    refuse(
        "66 levels in a wrapped line",
        "too_deep",
        b'{"data":{' + MESSAGES + b',"x":' + nested(64) + b"}}",
    ),
    accept(
        "64 levels beside a name that chat lines use",
        b'{"input":{' + MESSAGES + b'},"item":{"tools":' + nested(62) + b"}}",
    ),
    refuse("500 levels", "too_deep", chat(b'"x":' + nested(500))),
    refuse("100,000 lists", "too_deep", chat(b'"x":' + nested(100_000))),
    refuse(
        "100,000 objects", "too_deep", chat(b'"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    ),
    refuse("100,000 lists that never end", "too_deep", b"[" * 100_000),
    refuse(
        "100,000 levels in what the wrapper hides",
        "too_deep",
        b'{"data":{' + MESSAGES + b',"x":' + nested(100_000) + b'},"x":1}',
    ),
    accept("brackets as text", text(b"[" * 1_000), "[" * 1_000),
]


def _long_line(size: int) -> bytes:
    return text(b"x" * (size - len(text(b""))))


def _digits(run: int, size: int) -> bytes:
    return (b"7" * run + b"x") * (size // (run + 1))


SIZE = [
    accept(
        "8 MB of digits in runs that are just short enough",
        lambda: text(_digits(4_000, 8_000_000)),
        _digits(4_000, 8_000_000).decode(),
    ),
    refuse(
        "8 MB of escaped quotes that never end",
        "invalid_json",
        lambda: chat(b'"x":"' + b"7" * 5_000 + b'\\"' * 4_000_000),
    ),
    refuse(
        "an integer of 8 million digits before bad UTF-8",
        "number_too_long",
        lambda: chat(b'"x":' + b"7" * 8_000_000 + b',"y":"\xff"'),
    ),
    accept(
        "a line of 10 MB",
        lambda: _long_line(10_000_000),
        "x" * (10_000_000 - len(text(b""))),
        again=False,
    ),
    refuse("a line of 10 MB and a byte", "line_too_long", lambda: _long_line(10_000_001)),
    refuse("a line of 25 MB", "line_too_long", lambda: _long_line(25_000_000)),
    whole(
        "a last line of 12 MB without an end",
        lambda: _GOOD_FIRST + b"\n" + _long_line(12_000_000),
        FIRST,
        refused={2: "line_too_long"},
    ),
    accept(
        "a text of 5 MB", lambda: text("wörter und ".encode() * 420_000), "wörter und " * 420_000
    ),
    accept(
        "100,000 keys",
        lambda: chat(b'"x":{' + b",".join(b'"k%d":%d' % (n, n) for n in range(100_000)) + b"}"),
    ),
    accept(
        "50,000 keys at the top",
        lambda: chat(b",".join(b'"k%d":%d' % (n, n) for n in range(50_000))),
    ),
    accept(
        "20,000 messages",
        lambda: one(
            b",".join([b'{"role":"user","content":"An odd but harmless question"}'] * 20_000)
        ),
    ),
    accept("a key of 100,000 characters", chat(b'"' + b"k" * 100_000 + b'":1')),
    refuse(
        "an id of 10,000 characters",
        "invalid_data_structure",
        chat(b'"id":"' + b"".join(b"%x" % (n * n) for n in range(2_500)) + b'"'),
    ),
    refuse(
        "a topic of 10,000 characters",
        "invalid_data_structure",
        chat(b'"topic":"' + b"".join(b"%x" % (n * n) for n in range(2_500)) + b'"'),
    ),
    refuse(
        "a span id of 10,000 characters",
        "invalid_data_structure",
        b'{"input":{'
        + MESSAGES
        + b'},"span_id":"'
        + b"".join(b"%x" % (n * n) for n in range(2_500))
        + b'"}',
    ),
]

LINES = [
    whole("empty file", b""),
    whole("nothing but line ends", b"\n\n\n", blank=3),
    whole(
        "blank and white lines",
        b"\n" + _GOOD_FIRST + b"\n \t \n\r\n" + _GOOD_LAST + b"\n\n",
        FIRST,
        LAST,
        blank=4,
    ),
    whole("no end on the last line", _GOOD_FIRST + b"\n" + _GOOD_LAST, FIRST, LAST),
    whole("CRLF", _GOOD_FIRST + b"\r\n" + _GOOD_LAST + b"\r\n", FIRST, LAST),
    whole(
        "white space around lines",
        b"  " + _GOOD_FIRST + b" \t\n\t" + _GOOD_LAST + b"\n",
        FIRST,
        LAST,
    ),
    whole(
        "line ends of old Macs",
        _GOOD_FIRST + b"\r" + _GOOD_LAST + b"\r",
        refused={1: "invalid_json"},
    ),
    whole(
        "a form feed between lines", _GOOD_FIRST + b"\n\x0c\n" + _GOOD_LAST, FIRST, LAST, blank=1
    ),
    refuse("trailing word", "invalid_json", chat(b'"x":1') + b" x"),
    refuse("trailing comma", "invalid_json", chat(b'"x":1') + b","),
    refuse("two objects on a line", "invalid_json", chat(b'"x":1') + chat(b'"x":1')),
    refuse("trailing comma in an object", "invalid_json", chat(b'"x":1,')),
    refuse("line cut off", "invalid_json", chat(b'"x":1')[:-9]),
    refuse("line cut off in a text", "invalid_json", chat(b'"x":1')[:30]),
    refuse("line cut off in an escape", "invalid_json", text(b"\\u00")),
    refuse("unknown escape", "invalid_json", text(b"an unknown \\x41 escape")),
    refuse("single quotes", "invalid_json", b"{'messages': []}"),
    refuse("unquoted key", "invalid_json", b"{messages: []}"),
    refuse("comment", "invalid_json", chat(b'"x":1') + b" // a comment"),
    refuse("Python's None", "invalid_json", chat(b'"x":None')),
    refuse("plain words", "invalid_json", b"just some words"),
    refuse("a no-break space", "invalid_json", "\u00a0".encode()),
    refuse("number", "invalid_data_structure", b"1"),
    refuse("null", "invalid_data_structure", b"null"),
    refuse("true", "invalid_data_structure", b"true"),
    refuse("text", "invalid_data_structure", b'"messages"'),
    refuse("list", "invalid_data_structure", b"[" + chat(b'"x":1') + b"]"),
    refuse("empty object", "missing_input", b"{}"),
    refuse("other keys", "missing_input", b'{"prompt":"a","completion":"b"}'),
    whole(
        "a list on the first line only",
        b"[1]\n" + _GOOD_LAST + b"\n",
        LAST,
        refused={1: "invalid_data_structure"},
    ),
    whole(
        "a list on every line",
        b"[1]\n" + _GOOD_FIRST + b"\n[2]\n",
        FIRST,
        refused={1: "invalid_data_structure", 3: "invalid_data_structure"},
    ),
    whole(
        "a broken first line",
        b'{"messages": [\n' + _GOOD_LAST + b"\n",
        LAST,
        refused={1: "invalid_json"},
    ),
]


def record_line(rest: bytes = b"", **inside: bytes) -> bytes:
    more = b"".join(b',"' + key.encode() + b'":' + value for key, value in inside.items())
    return b'{"input":{' + MESSAGES + more + b"}" + (b"," + rest if rest else b"") + b"}"


WRONG = "invalid_data_structure"
SHAPES = [
    refuse("messages null", "missing_messages", b'{"messages":null}'),
    refuse("messages text", WRONG, b'{"messages":"hello"}'),
    refuse("messages object", WRONG, b'{"messages":{"role":"user","content":"hello"}}'),
    refuse("messages number", WRONG, b'{"messages":0}'),
    refuse("message null", WRONG, one(b"null")),
    refuse("message text", WRONG, one(b'"hello"')),
    refuse("message list", WRONG, one(b"[]")),
    refuse("no role", WRONG, one(b'{"content":"An odd but harmless question"}')),
    refuse("role number", WRONG, one(b'{"role":1,"content":"An odd but harmless question"}')),
    refuse("role null", WRONG, one(b'{"role":null,"content":"An odd but harmless question"}')),
    refuse("content number", WRONG, one(b'{"role":"user","content":1}')),
    refuse("content true", WRONG, one(b'{"role":"user","content":true}')),
    refuse("content object", WRONG, one(b'{"role":"user","content":{"text":"hello"}}')),
    refuse("content part number", WRONG, one(b'{"role":"user","content":[1]}')),
    refuse("content part list", WRONG, one(b'{"role":"user","content":[["a"]]}')),
    refuse("name number", WRONG, one(b'{"role":"user","content":"hello","name":1}')),
    refuse("tool_calls object", WRONG, one(b'{"role":"assistant","tool_calls":{"id":"1"}}')),
    refuse("tool_calls text", WRONG, one(b'{"role":"assistant","tool_calls":"f()"}')),
    refuse("tool call number", WRONG, one(b'{"role":"assistant","tool_calls":[1]}')),
    refuse("tool call id number", WRONG, one(b'{"role":"assistant","tool_calls":[{"id":1}]}')),
    refuse("tool call type number", WRONG, one(b'{"role":"assistant","tool_calls":[{"type":1}]}')),
    refuse("function text", WRONG, one(b'{"role":"assistant","tool_calls":[{"function":"f"}]}')),
    refuse(
        "function name number",
        WRONG,
        one(b'{"role":"assistant","tool_calls":[{"function":{"name":1}}]}'),
    ),
    refuse("tool_call_id number", WRONG, one(b'{"role":"tool","content":"x","tool_call_id":1}')),
    refuse("tools object", WRONG, chat(b'"tools":{}')),
    refuse("tools text", WRONG, chat(b'"tools":"f"')),
    refuse("tools number", WRONG, chat(b'"tools":0')),
    refuse("tool text", WRONG, chat(b'"tools":["f"]')),
    refuse("tool function text", WRONG, chat(b'"tools":[{"type":"function","function":"f"}]')),
    refuse(
        "tool parameters list", WRONG, chat(b'"tools":[{"function":{"name":"f","parameters":[]}}]')
    ),
    refuse("tool strict text", WRONG, chat(b'"tools":[{"function":{"name":"f","strict":"yes"}}]')),
    refuse("tool type number", WRONG, chat(b'"tools":[{"type":1}]')),
    refuse("tool_choice list", WRONG, chat(b'"tool_choice":["auto"]')),
    refuse("tool_choice number", WRONG, chat(b'"tool_choice":1')),
    refuse("tool_choice true", WRONG, chat(b'"tool_choice":true')),
    refuse("metadata list", WRONG, chat(b'"metadata":[]')),
    refuse("metadata text", WRONG, chat(b'"metadata":"x"')),
    refuse("id object", WRONG, chat(b'"id":{}')),
    refuse("id true", WRONG, chat(b'"id":true')),
    refuse("id fraction", WRONG, chat(b'"id":1.5')),
    refuse("topic list", WRONG, chat(b'"topic":["a"]')),
    accept("id number", chat(b'"id":7')),
    accept("id null", chat(b'"id":null')),
    accept(
        "nulls for every optional key",
        chat(b'"id":null,"topic":null,"tools":null,"tool_choice":null,"metadata":null'),
    ),
    accept(
        "nulls in a message",
        one(
            b'{"role":"user","content":"An odd but harmless question","name":null,'
            b'"tool_calls":null,"tool_call_id":null}'
        ),
    ),
    accept(
        "content as a list of texts",
        one(b'{"role":"user","content":["An odd but harmless question"]}'),
    ),
    accept(
        "an unknown role",
        one(
            b'{"role":"user","content":"An odd but harmless question"},'
            b'{"role":"narrator","content":"said the user"}'
        ),
    ),
    accept("no messages", b'{"messages":[]}', ""),
    refuse("input null", WRONG, b'{"input":null}'),
    refuse("input text", WRONG, b'{"input":"hello"}'),
    refuse("input list", WRONG, b'{"input":[]}'),
    refuse("input without messages", "missing_messages", b'{"input":{}}'),
    refuse("input with messages null", "missing_messages", b'{"input":{"messages":null}}'),
    refuse("input with messages text", WRONG, b'{"input":{"messages":"hello"}}'),
    refuse("record tools object", WRONG, record_line(tools=b"{}")),
    refuse("record tools false", WRONG, record_line(tools=b"false")),
    refuse("record tools text", WRONG, record_line(tools=b'"f"')),
    refuse("record tool_choice number", WRONG, record_line(tool_choice=b"1")),
    refuse("output text", WRONG, record_line(b'"output":"hello"')),
    refuse("output empty text", WRONG, record_line(b'"output":""')),
    refuse("output list", WRONG, record_line(b'"output":[]')),
    refuse("output false", WRONG, record_line(b'"output":false')),
    refuse("output messages text", WRONG, record_line(b'"output":{"messages":"hello"}')),
    refuse("output messages empty text", WRONG, record_line(b'"output":{"messages":""}')),
    refuse("output messages zero", WRONG, record_line(b'"output":{"messages":0}')),
    refuse("finish_reason number", WRONG, record_line(b'"output":{"finish_reason":1}')),
    refuse("record id object", WRONG, record_line(b'"id":{"a":1}')),
    refuse("record id true", WRONG, record_line(b'"id":true')),
    refuse("record topic list", WRONG, record_line(b'"topic":["a"]')),
    refuse("record metadata text", WRONG, record_line(b'"metadata":"x"')),
    refuse("record item list", WRONG, record_line(b'"item":[]')),
    refuse("span_id object", WRONG, record_line(b'"span_id":{}')),
    refuse("thread_id list", WRONG, record_line(b'"thread_id":[1]')),
    refuse("source_record_id true", WRONG, record_line(b'"source_record_id":true')),
    refuse("topic_confidence text", WRONG, record_line(b'"topic_confidence":"high"')),
    refuse("topic_method unknown", WRONG, record_line(b'"topic_method":"magic"')),
    refuse("is_generated text", WRONG, record_line(b'"is_generated":"yes"')),
    refuse("dry_run_score text", WRONG, record_line(b'"dry_run_score":"0.5"')),
    accept(
        "record of nulls",
        record_line(
            b'"output":null,"item":null,"metadata":null,"id":null,'
            b'"topic":null,"span_id":null,"is_generated":null'
        ),
    ),
    accept("span id number", record_line(b'"span_id":7')),
    accept(
        "output of one message",
        record_line(b'"output":{"messages":{"role":"assistant","content":"a"}}'),
    ),
    accept("wrapped", b'{"data":{' + MESSAGES + b'},"topic":"t"}'),
    accept("wrapped record", b'{"data":' + record_line() + b',"topic":"t"}'),
    refuse("data null", WRONG, b'{"data":null}'),
    refuse("data list", WRONG, b'{"data":[]}'),
    refuse("data text", WRONG, b'{"data":"x"}'),
    refuse("data empty", "missing_input", b'{"data":{}}'),
    refuse("data in data", "missing_input", b'{"data":{"data":{' + MESSAGES + b"}}}"),
    refuse("data, 50 deep", "missing_input", b'{"data":' * 50 + b"{" + MESSAGES + b"}" + b"}" * 50),
]

RESERVED = [
    accept("our key with text", chat(b'"rft_widgets":"hello"')),
    accept("our key with null", chat(b'"rft_widgets":null')),
    accept("our key with a list", chat(b'"rft_widgets":[1,2]')),
    accept("our key with unknown content", chat(b'"rft_widgets":{"version":1}')),
    accept("our key with a wrong type", chat(b'"rft_widgets":{"span_id":5}')),
    accept(
        "our key with a negative number of answers", chat(b'"rft_widgets":{"output_messages":-1}')
    ),
    accept(
        "our key with more answers than messages", chat(b'"rft_widgets":{"output_messages":99}')
    ),
    accept(
        "the store's key in a message",
        one(
            b'{"role":"user","content":"An odd but harmless question",'
            b'"rft_widgets.extra":{"x":"something else"}}'
        ),
    ),
    refuse(
        "the store's key overrules the content",
        WRONG,
        one(
            b'{"role":"user","content":"An odd but harmless question",'
            b'"rft_widgets.extra":{"content":"something else"}}'
        ),
    ),
    refuse(
        "the store's key, spelled with an escape",
        WRONG,
        one(
            b'{"role":"user","content":"An odd but harmless question",'
            b'"rft_\\u0077idgets.extra":{"content":"something else"}}'
        ),
    ),
    refuse(
        "the store's key in itself",
        WRONG,
        one(
            b'{"role":"user","content":"An odd but harmless question",'
            b'"rft_widgets.extra":{"rft_widgets.extra":{"role":"system"}}}'
        ),
    ),
    refuse(
        "the store's key overrules a call",
        WRONG,
        one(
            b'{"role":"assistant","tool_calls":[{"type":"function","id":"1","function":'
            b'{"name":"f","arguments":"{}","rft_widgets.extra":{"arguments":"[]"}}}]}'
        ),
    ),
    refuse(
        "the store's key overrules a tool",
        WRONG,
        chat(
            b'"tools":[{"type":"function","function":{"name":"f","rft_widgets.extra":{"name":"g"}}}]'
        ),
    ),
    accept(
        "the store's key in a schema",
        chat(
            b'"tools":[{"type":"function","function":{"name":"f","parameters":'
            b'{"type":"object","rft_widgets.extra":{"type":"array"}}}}]'
        ),
    ),
    accept(
        "the store's key in a content part",
        one(
            b'{"role":"user","content":[{"type":"text","text":"An odd but harmless question",'
            b'"rft_widgets.extra":{"text":"something else"}}]}'
        ),
    ),
    accept("keys of Python objects", chat(b'"__class__":"x","__init__":{},"self":1')),
]

ARRAY = b"[" + _GOOD_FIRST + b"," + _GOOD_LAST + b"]"
PRETTY = json.dumps(chat_line(FIRST), indent=2).encode()


def array(*elements: bytes) -> bytes:
    return b"[\n  " + b",\n  ".join([_GOOD_FIRST, *elements, _GOOD_LAST]) + b"\n]\n"


def in_array(name: str, code: str, element: bytes) -> Case:
    """An array with one bad element, which alone is refused."""
    return whole(name, array(element), FIRST, LAST, refused={2: code}, file="case.json")


DOCUMENTS = [
    whole("array on one line", ARRAY, FIRST, LAST, file="case.json"),
    whole("array on many lines", array(), FIRST, LAST, file="case.json"),
    whole(
        "array after a byte order mark and blank lines", b"\xef\xbb\xbf\n\n" + ARRAY, FIRST, LAST
    ),
    whole(
        "array of pretty objects",
        b"[\n" + PRETTY + b",\n" + PRETTY.replace(FIRST.encode(), LAST.encode()) + b"\n]",
        FIRST,
        LAST,
        file="case.json",
    ),
    whole("empty array", b"[]", file="case.json"),
    whole("records", b'{"records":' + ARRAY + b"}", FIRST, LAST, file="case.json"),
    whole(
        "records, pretty",
        b'{\n  "version": 1,\n  "records": ' + ARRAY + b"\n}\n",
        FIRST,
        LAST,
        file="case.json",
    ),
    whole(
        "records of 200 KB on one line",
        b'{"records":[' + _GOOD_FIRST + b"," + text(b"x" * 200_000) + b"]}\n",
        FIRST,
        "x" * 200_000,
        file="case.json",
    ),
    whole(
        "records of 3 MB on one line",
        lambda: (
            b'{"version": 1, "records" : [' + _GOOD_FIRST + b"," + text(b"x" * 3_000_000) + b"]}"
        ),
        FIRST,
        "x" * 3_000_000,
        file="case.json",
    ),
    whole(
        "records of 3 MB in gzip",
        lambda: gzipped(b'{"records":[' + _GOOD_FIRST + b"," + text(b"x" * 3_000_000) + b"]}"),
        FIRST,
        "x" * 3_000_000,
        file="case.json.gz",
    ),
    whole(
        "a first line of 3 MB with a key of that name",
        lambda: chat(b'"records":[1],"x":"' + b"x" * 3_000_000 + b'"') + b"\n" + _GOOD_LAST,
        ODD,
        LAST,
    ),
    whole(
        "a bad element of records",
        b'{"records":[' + _GOOD_FIRST + b"," + chat(b'"x":NaN') + b'],\n"version":1}',
        FIRST,
        refused={2: "non_finite_number"},
        file="case.json",
    ),
    whole("records, empty", b'{"records":[]}', file="case.json"),
    whole("records is null", b'{"records":null}', refused={1: "missing_input"}, file="case.json"),
    whole("one pretty object", PRETTY, FIRST, file="case.json"),
    whole("one object on a line", _GOOD_FIRST, FIRST, file="case.json"),
    whole(
        "array of anything",
        b"["
        + b",".join(
            [_GOOD_FIRST, b"1", b"null", b'"x"', b"[]", b"{}", b'{"messages":5}', _GOOD_LAST]
        )
        + b"]",
        FIRST,
        LAST,
        file="case.json",
        refused={2: WRONG, 3: WRONG, 4: WRONG, 5: WRONG, 6: "missing_input", 7: WRONG},
    ),
    in_array("1e400 in an element", "non_finite_number", chat(b'"x":1e400')),
    in_array("NaN in an element", "non_finite_number", chat(b'"x":NaN')),
    in_array("invalid UTF-8 in an element", "invalid_utf8", text(b"broken \xff text")),
    in_array("lone surrogate in an element", "lone_surrogate", text(b"half \\ud800 a character")),
    in_array("U+0000 in an element", "nul_character", text(b"end \\u0000 of text")),
    in_array("duplicate key in an element", "duplicate_key", chat(b'"x":1,"x":2')),
    in_array(
        "duplicate key with a line end before its colon", "duplicate_key", chat(b'"x"\n:1,"x":2')
    ),
    in_array("65 levels in an element", "too_deep", chat(b'"x":' + nested(64))),
    in_array("long integer in an element", "number_too_long", chat(b'"x":' + b"7" * 5_000)),
    reject("array cut off", ARRAY[:-1], "case.json"),
    reject("array cut off in an element", array()[:-20], "case.json"),
    reject("array with a trailing comma", ARRAY[:-1] + b",]", "case.json"),
    reject("array with words behind it", ARRAY + b"\nand more", "case.json"),
    reject("an array that never ends", b"[" * 100_000, "case.json"),
]


def _bad_crc() -> bytes:
    data = bytearray(gzipped(_GOOD_FIRST + b"\n"))
    data[-8] ^= 1
    return bytes(data)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(100)) + packer.flush()


TWO = _GOOD_FIRST + b"\n" + _GOOD_LAST + b"\n"
GZIP = [
    whole("gzip", gzipped(TWO), FIRST, LAST, file="case.jsonl.gz"),
    whole("gzip without its name", gzipped(TWO), FIRST, LAST, file="case.jsonl"),
    whole("no gzip for all its name", TWO, FIRST, LAST, file="case.jsonl.gz"),
    whole("gzip of an array", gzipped(ARRAY), FIRST, LAST, file="case.json.gz"),
    whole("gzip of a byte order mark", gzipped(b"\xef\xbb\xbf" + TWO), FIRST, LAST),
    whole("gzip of nothing", gzipped(b"")),
    whole(
        "gzip of several members",
        gzipped(_GOOD_FIRST + b"\n") + gzipped(_GOOD_LAST + b"\n"),
        FIRST,
        LAST,
    ),
    whole("gzip whose members share a line", gzipped(TWO[:100]) + gzipped(TWO[100:]), FIRST, LAST),
    whole("gzip before zeros", gzipped(TWO) + bytes(512), FIRST, LAST),
    whole(
        "gzip of bad lines",
        gzipped(_GOOD_FIRST + b"\nbad\n\n" + _GOOD_LAST),
        FIRST,
        LAST,
        refused={2: "invalid_json"},
        blank=1,
    ),
    reject("gzip before rubbish", gzipped(TWO) + b"rubbish"),
    reject("gzip cut off", gzipped(TWO)[:-20], "case.jsonl.gz"),
    reject("gzip without its check sum", gzipped(TWO)[:-8]),
    reject("gzip with a second member cut off", gzipped(TWO) + gzipped(TWO)[:-5]),
    reject("gzip with a bad check sum", _bad_crc),
    reject("gzip with a broken stream", gzipped(TWO)[:30] + b"\xff" * 20 + gzipped(TWO)[50:]),
    reject("nothing but the mark of gzip", b"\x1f\x8b"),
    reject("unknown compression method", b"\x1f\x8b\x01" + bytes(40)),
    reject("decompression bomb", _bomb),
]

GROUPS = {
    "duplicate keys": DUPLICATE_KEYS,
    "numbers": NUMBERS,
    "characters": CHARACTERS,
    "encoding": ENCODING,
    "depth": DEPTH,
    "size": SIZE,
    "lines": LINES,
    "shapes": SHAPES,
    "reserved": RESERVED,
    "documents": DOCUMENTS,
    "gzip": GZIP,
}
# Whether a line is accepted is decided before any database sees it; these hold odd texts.
ON_EACH_DATABASE = ("characters", "reserved")
CASES = [
    pytest.param(database, case, id=f"{database}-{group}: {case.name}")
    for database in ("sqlite", "postgresql")
    for group, cases in GROUPS.items()
    for case in cases
    if database == "sqlite" or group in ON_EACH_DATABASE
]


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rft.Workspace]:
    """One store for all cases, each of which has a dataset of its own."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
    else:
        import psycopg

        server = request.getfixturevalue("postgres_server")
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = f"{server}/{name}"
    with rft.Workspace(url) as workspace:
        yield workspace


@pytest.mark.parametrize(("opened", "case"), CASES, indirect=["opened"])
def test_every_line_is_accepted_or_refused(case: Case, opened: rft.Workspace, tmp_path: Path):
    path = tmp_path / case.file
    path.write_bytes(case.data() if callable(case.data) else case.data)
    dataset = opened.create(case.name)
    if case.rejected:
        with pytest.raises(ImportRejected) as info:
            dataset.import_records(path)
        assert info.value.hint
        assert path.name in str(info.value)
        assert dataset.count() == 0
        return
    result = dataset.import_records(path)
    sums(result)
    assert {error.line: error.code for error in result.errors} == case.refused
    assert all(error.message for error in result.errors)
    assert result.blank == case.blank
    assert prompts(dataset) == case.accepted
    assert result.lines == len(case.accepted) + len(case.refused) + case.blank
    assert dataset.import_errors(result.import_id) == result.errors
    assert dataset.health.refused_lines == result.refused
    # What was accepted can be found, read and written again.
    assert dataset.count(rft.RecordFilter(search="question")) == sum(
        "question" in prompt for prompt in case.accepted
    )
    if not case.again:
        return
    written = tmp_path / "again.jsonl"
    dataset.export_records(written)
    again = opened.create(f"{case.name}, again")
    second = again.import_records(written)
    assert second.refused == 0
    assert [content(r) for r in again.iterate()] == [content(r) for r in dataset.iterate()]


def test_values_survive_as_they_are(sqlite_workspace: rft.Workspace, tmp_path: Path):
    values = {
        "long": 10**3_999 + 7,
        "beyond 64 bits": [2**64, -(2**63) - 1, 2**53 + 1],
        "fraction": [0.1, 1e308, 5e-324, -0.0],
        "empty": ["", [], {}, None, False],
        "text": "\u0001\u2028\u0085\ufeff\U0010ffff \\u0000 \\ud800",
        "deep": {"a": [[[{"b": 1}]]]},
    }
    dataset = sqlite_workspace.create("values")
    dataset.import_records(write_jsonl(tmp_path, [chat_line(**values)]))
    (record,) = dataset.iterate()
    assert record.item == values
    assert math.copysign(1, record.item["fraction"][3]) == -1


def test_errors_of_many_lines_are_all_kept(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("bad")
    lines = [b"bad" if n % 3 else dump(chat_line(f"A harmless question {n}")) for n in range(6_000)]
    result = dataset.import_records(write_jsonl(tmp_path, lines))
    assert (result.imported, result.refused, result.lines) == (2_000, 4_000, 6_000)
    assert len(result.errors) == 1_000
    every = dataset.import_errors(result.import_id, limit=10_000)
    assert [error.line for error in every] == [n + 1 for n in range(6_000) if n % 3]


def test_what_is_no_file_is_not_found(sqlite_workspace: rft.Workspace, tmp_path: Path):
    dataset = sqlite_workspace.create("none")
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(NotFound):
            dataset.import_records(path)


def test_a_rejected_file_leaves_no_dataset(workspace: rft.Workspace, tmp_path: Path):
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzipped(TWO)[:-20])
    with pytest.raises(ImportRejected):
        workspace.create_from_file(path)
    assert workspace.datasets() == ()


def test_a_rejected_file_changes_nothing(workspace: rft.Workspace, tmp_path: Path):
    dataset = workspace.create_from_file(write_jsonl(tmp_path, [chat_line(FIRST)]))
    path = tmp_path / "cut.json"
    path.write_bytes(ARRAY[:-1])
    for mode in ("append", "replace"):
        with pytest.raises(ImportRejected):
            dataset.import_records(path, mode=mode)
    assert prompts(dataset) == [FIRST]


@pytest.mark.parametrize(
    "value",
    [{"x": float("nan")}, {"x": float("inf")}, {"x": "\ud800"}, {"x": object}, {"x": "\u0000"},
     {"messages": None}],
    ids=str,
)  # fmt: skip
def test_objects_in_memory_meet_the_same_rules(sqlite_workspace: rft.Workspace, value: dict):
    dataset = sqlite_workspace.create("memory")
    with pytest.raises(InvalidArgument, match="Record 2"):
        dataset.add_records([chat_line(FIRST), chat_line(LAST), chat_line(ODD) | value])
    assert dataset.count() == 0


# -- random input ----------------------------------------------------------------------------------


def is_safe(line: bytes) -> bool:
    """An independent, slow judge: strict JSON, keys once, finite numbers, whole characters."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    def refuse_constant(name: str) -> None:
        raise AssertionError(name)

    try:
        value = json.loads(line.decode(), object_pairs_hook=unique, parse_constant=refuse_constant)
        flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
        flat.encode()
    except (ValueError, AssertionError, RecursionError):
        return False
    return "\\u0000" not in json.dumps(_strings(value))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value.replace("\\", "")]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    if isinstance(value, dict):
        return [text for pair in value.items() for inner in pair for text in _strings(inner)]
    return []


VALID_LINES = [
    _GOOD_FIRST,
    dump(chat_line(ODD, "An answer", topic="a/b", metadata={"k": [1, {"z": None}]}, extra=1.5)),
    chat(
        b'"tools":[{"type":"function","function":{"name":"f","parameters":{"a":{"type":"string"}}}}]'
    ),
    one(
        b'{"role":"user","content":[{"type":"text","text":"\\ud83d\\ude00 \\"a\\":1"}]},{"role":'
        b'"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f",'
        b'"arguments":"{\\"a\\": [1, 2e3]}"}}]},{"role":"tool","tool_call_id":"1","content":"x"}'
    ),
    record_line(
        b'"output":{"messages":[{"role":"assistant","content":"a"}],"finish_reason":"stop"},'
        b'"span_id":"s","topic_confidence":0.5'
    ),
    b'{"data":{' + MESSAGES + b',"x":{"y":[true,false,null]}},"topic":"t"}',
    chat(b'"rft_widgets":{"span_id":"a","output_messages":0}'),
]

PIECES = [
    b'"',
    b"\\",
    b'\\"',
    b":",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b" ",
    b"\t",
    b"\r",
    b"\x00",
    b"\xff",
    b"\\u0000",
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"-",
    b"0",
    b'"x":1',
    b'"x":1,"x":2',
    b'"role":"user"',
    b'"messages":[]',
    b"null",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b'"a\\\\":',
    b'"content":null',
]


@st.composite
def mutated_lines(draw: st.DrawFn) -> bytes:
    line = bytearray(draw(st.sampled_from(VALID_LINES)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(line)))
        end = min(len(line), start + draw(st.integers(0, 12)))
        piece = draw(
            st.sampled_from(PIECES) | st.binary(max_size=3) | st.just(bytes(line[start:end]))
        )
        kind = draw(st.sampled_from(["insert", "replace", "delete"]))
        line[start : start if kind == "insert" else end] = b"" if kind == "delete" else piece
    return bytes(line).replace(b"\n", b" ")


KEYS = ["a", "b", "\\u0061", "a\\\\", 'a\\"', '\\"', "", '\\\\\\"', ":", '\\":', "text", "type"]
GAPS = ["", "", "", " ", "\t", "\r"]


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON written in unusual ways, sometimes with a key twice."""
    kind = draw(
        st.sampled_from(["text", "number", "list", "object", "object"] if depth else ["text"])
    )
    if kind == "text":
        return '"' + draw(st.sampled_from([*KEYS, '\\"a\\":1', '\\\\\\"a\\\\\\":1'])) + '"'
    if kind == "number":
        return draw(st.sampled_from(["1", "-0", "1.5e3", "null", "true", "1e999", "NaN"]))
    size = draw(st.integers(0, 3))
    inner = [draw(json_texts(depth - 1)) for _ in range(size)]
    if kind == "list":
        return "[" + ",".join(inner) + "]"
    keys = [draw(st.sampled_from(KEYS)) for _ in range(size)]
    gaps = [draw(st.sampled_from(GAPS)) for _ in range(size)]
    pairs = zip(keys, gaps, inner, strict=True)
    return "{" + ",".join(f'"{key}"{gap}:{value}' for key, gap, value in pairs) + "}"


@st.composite
def odd_lines(draw: st.DrawFn) -> bytes:
    value = draw(json_texts()).encode()
    place = draw(st.sampled_from(["top", "metadata", "part", "parameters", "message", "wrapped"]))
    if place == "top":
        return chat(b'"x":' + value)
    if place == "metadata":
        return chat(b'"metadata":{"x":' + value + b"}")
    if place == "part":
        return one(b'{"role":"user","content":[{"type":"text","text":"hi","x":' + value + b"}]}")
    if place == "parameters":
        return chat(b'"tools":[{"type":"function","function":{"name":"f","parameters":{"x":'
                    + value + b"}}}]")  # fmt: skip
    if place == "message":
        return one(b'{"role":"user","content":"hello","x":' + value + b"}")
    return b'{"data":{' + MESSAGES + b',"x":' + value + b"}}"


fuzz = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def import_bytes(workspace: rft.Workspace, folder: Path, data: bytes) -> rft.OptimizationDataset:
    path = folder / f"{uuid.uuid4().hex}.jsonl"
    path.write_bytes(data)
    dataset = workspace.create("fuzz")
    try:
        result = dataset.import_records(path)
    except RftError:
        assert dataset.count() == 0
        return dataset
    finally:
        path.unlink()
    sums(result)
    assert result.imported == dataset.count() == len(list(dataset.iterate()))
    assert len({error.line for error in result.errors}) == result.refused
    return dataset


@fuzz
@given(st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_random_bytes_do_no_harm(sqlite_workspace: rft.Workspace, tmp_path: Path, data: bytes):
    for file in (data, gzip.compress(data), b"\x1f\x8b" + data, b"[" + data + b"]"):
        import_bytes(sqlite_workspace, tmp_path, file)


@fuzz
@given(st.lists(mutated_lines(), min_size=1, max_size=40))
def test_mutated_lines_do_no_harm(
    sqlite_workspace: rft.Workspace, tmp_path: Path, lines: list[bytes]
):
    judge(sqlite_workspace, tmp_path, lines)


@fuzz
@given(st.lists(odd_lines(), min_size=1, max_size=40))
def test_unusual_json_is_judged_like_strict_json(
    sqlite_workspace: rft.Workspace, tmp_path: Path, lines: list[bytes]
):
    judge(sqlite_workspace, tmp_path, lines)


def judge(workspace: rft.Workspace, folder: Path, lines: list[bytes]) -> None:
    """Import lines; what is refused as bad JSON is exactly what the slow judge calls bad JSON."""
    path = write_jsonl(folder, [_GOOD_FIRST, *lines], f"{uuid.uuid4().hex}.jsonl")
    dataset = workspace.create("fuzz")
    result = dataset.import_records(path)
    path.unlink()
    sums(result)
    assert result.imported == len(list(dataset.iterate()))
    shape = {"invalid_data_structure", "missing_input", "missing_messages"}
    refused = {error.line: error.code for error in result.errors}
    for number, line in enumerate(lines, 2):
        if not line.strip(b" \t\r\x0b\x0c"):
            continue
        if is_safe(line):
            assert refused.get(number) in {None, *shape}, line
        else:
            assert number in refused, line
