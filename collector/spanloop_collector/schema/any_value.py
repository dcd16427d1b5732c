"""SQL that reads OTLP's AnyValue from the bytes it is made of.

    0a 05 h e l l o     tag of `string_value`, length, content
    18 96 01            tag of `int_value`, varint

ClickHouse could parse it into a column for each kind; reading the one column that is needed takes half as long.
The first eight bytes of a value, as one number (its *head*), say its kind and either its length or all of it.
Arrays are worked on whole, one simple step each: ClickHouse analyses an expression at every insert, and once for each
time it is written, and runs what stands inside an `if` on copies of the values it needs.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

TAGS = {"string": 10, "bool": 16, "int": 24, "double": 33, "bytes": 58, "json": 122}
"""First byte of a value, by its kind; `json` is ours and carries nested values as JSON text."""

IS_TEXT = f"IN ({TAGS['string']}, {TAGS['json']})"

# `substring` from here is empty, whatever the value.
NOWHERE = 2**32 - 1


def heads(values: str) -> str:
    """The first eight bytes of each value, the first of them lowest."""
    return f"arrayMap(value -> reinterpretAsUInt64(value), {values})"


def kinds(heads: str) -> str:
    """The tag of each value, 0 for an empty one."""
    return f"arrayMap(head -> toUInt8(head), {heads})"


def varints(heads: str) -> str:
    """The first 49 bits of the varint in each value: its groups of 7 bits, moved together by halves."""
    numbers = f"arrayMap(head -> bitShiftRight(head, 8), {heads})"
    for low, high, shift in (
        (0x007F007F007F007F, 0x7F007F007F007F00, 1),
        (0x00003FFF00003FFF, 0x3FFF00003FFF0000, 2),
        (0x000000000FFFFFFF, 0x0FFFFFFF00000000, 4),
    ):
        numbers = f"arrayMap(x -> bitOr(bitAnd(x, {low}), bitShiftRight(bitAnd(x, {high}), {shift})), {numbers})"
    return numbers


def content(value: str, head: str, *, wanted: str = "") -> str:
    """What a string or JSON value holds, '' for other kinds and where it is not wanted."""
    is_wanted = f"toUInt8({head}) {IS_TEXT}" + (f" AND {wanted}" if wanted else "")
    return f"substring({value}, if({is_wanted}, {_content_at(head)}, {NOWHERE}))"


def strings(values: str, heads: str, codes: str, *, unless: str) -> str:
    """The content of each string and JSON value, '' for the others and where its `code` is one of `unless`."""
    one = content("value", "head", wanted=f"NOT {unless}")
    return f"arrayMap((value, head, code) -> {one}, {values}, {heads}, {codes})"


def texts_of_parts(heads: str, kinds: str, strings: str, varints: str, values: str) -> str:
    """The text of each value: numbers in decimal, bytes in base64, nested values as JSON.

    What few spans have, bytes and integers that do not end within their head, is looked for once a span: an expression
    inside a condition is handed every column it names, row by row, even where no row needs it.
    """
    is_rare = f"kind = {TAGS['bytes']} OR (kind = {TAGS['int']} AND head >= {1 << 63})"
    has_rare = f"arrayExists((kind, head) -> {is_rare}, {kinds}, {heads})"
    parts = f"(kind, string, varint, value) -> {{}}, {kinds}, {strings}, {varints}, {values}"
    common = _text_of({"int": _integer("varint")} | _common_texts("string"))
    every = _text_of(_every_text("string"))
    return f"if({has_rare}, arrayMap({parts.format(every)}), arrayMap({parts.format(common)}))"


def texts(values: str) -> str:
    """The same in one go, for the few values of events, links and resources."""
    all_heads = heads(values)
    text = _text_of(_every_text(content("value", "head")), kind="toUInt8(head)")
    return f"arrayMap((value, head, varint) -> {text}, {values}, {all_heads}, {varints(all_heads)})"


def _text_of(by_kind: dict[str, str], *, kind: str = "kind") -> str:
    """One flat choice: for each one inside another, what it chooses from would be copied once more."""
    choices = ", ".join(f"{kind} = {TAGS[name]}, {text}" for name, text in by_kind.items())
    return f"multiIf({choices}, '')"


def _common_texts(string: str) -> dict[str, str]:
    """By kind, from a lambda's `varint` and `value`."""
    return {
        "string": string,
        "json": string,
        "double": "toString(reinterpretAsFloat64(substring(value, 2)))",
        "bool": "if(varint = 0, 'false', 'true')",
    }


def _every_text(string: str) -> dict[str, str]:
    # A varint of more than 49 bits goes on in the ninth byte of its value, with two groups of 7 bits and the last bit.
    more = "reinterpretAsUInt32(substring(value, 9))"
    groups = ((0x7F, 0), (0x7F00, 1), (0x10000, 2))
    rest = " + ".join(f"bitShiftRight(bitAnd({more}, {mask}), {shift})" for mask, shift in groups)
    return _common_texts(string) | {
        "int": _integer(f"bitOr(varint, bitShiftLeft(toUInt64({rest}), 49))"),
        "bytes": f"base64Encode(substring(value, {_content_at('reinterpretAsUInt64(value)')}))",
    }


def _integer(varint: str) -> str:
    return f"toString(reinterpretAsInt64({varint}))"


def _content_at(head: str) -> str:
    """Where content begins: behind the tag and the length, a varint whose last byte has no high bit."""
    ends = ", ".join(f"bitAnd({head}, {0x80 << 8 * byte}) = 0, {byte + 2}" for byte in (1, 2, 3))
    return f"multiIf({ends}, 6)"
