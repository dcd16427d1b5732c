"""SQL fragments that statements and views share, and `render`, which puts them into a text.

A text holds `{name}` or `{name:argument}`. This keeps the statements readable top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.resources import files

from spanloop_collector.schema import any_value, attributes

TEXT_MAP = "Map(LowCardinality(String), String)"
NUMBER_MAP = "Map(LowCardinality(String), Float64)"

HAS_ENDED = "toUnixTimestamp64Nano(end_time) > 0"
"""SQL for whether a row has `metrics.end`."""

ROW_ID = "if(empty(id), span_id, id)"
"""SQL for a row's id, from `spans`. The index `by_id` is one of this very expression."""

SENDERS = {
    "flat_input": {
        "gen_ai.system.message": "system",
        "gen_ai.user.message": "user",
        "gen_ai.tool.message": "tool",
        "gen_ai.content.prompt": "user",
    },
    "flat_output": {
        "gen_ai.assistant.message": "assistant",
        "gen_ai.choice": "assistant",
        "gen_ai.content.completion": "assistant",
    },
}
"""Span events that carry messages, by the role of their sender; from before messages were attributes.

For inputs and for outputs, each named by the target of the numbered attributes that may stand for them as well.
"""


FAMILY_ARRAYS = ("keys", "kinds", "texts")
"""Columns of a span's attributes that the messages of numbered attributes are made of."""


def sql_text(text: str) -> str:
    """The text as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def settings_clause(settings: Mapping[str, str]) -> str:
    """The settings as part of a statement, with which they end.

    Given beside it, the embedded engine spends a statement on each of them, and they stay with the connection.
    """
    return "SETTINGS " + ", ".join(f"{name} = {_setting(value)}" for name, value in settings.items())


def _setting(value: str) -> str:
    is_map = value.startswith("{")
    return value if is_map else sql_text(value)


def sql_array(items: list[str]) -> str:
    """The texts as a ClickHouse array literal."""
    return "[" + ", ".join(sql_text(item) for item in items) + "]"


def sql_codes(codes: list[int]) -> str:
    """The codes as an array literal. Small numbers are UInt8 without a cast, which costs analysis time each."""
    return "[" + ", ".join(str(code) for code in codes) + "]"


def field(path: str) -> str:
    """SQL for a field of nested tuples (`span.status.code`).

    Written with tupleElement: for a dotted name ClickHouse lists every subcolumn of the whole nested type, which
    takes longer than all the rest of an insert's analysis.
    """
    column, *names = path.split(".")
    for name in names:
        column = f"tupleElement({column}, '{name}')"
    return column


def attribute_map(path: str) -> str:
    """SQL for attributes as a map of texts."""
    return f"CAST(({field(path + '.key')}, {any_value.texts(field(path + '.value'))}), '{TEXT_MAP}')"


def string_of(target: str) -> str:
    """SQL for the text of the target's attribute, '' where the span has none."""
    return f"texts[indexOf(codes, {attributes.code_of(target)})]"


def object_pairs(text: str) -> str:
    """SQL for a JSON object's members as (key, text, is_json); a text that is no object is one member, itself."""
    return (
        f"arrayMap(pair -> (pair.1, if(startsWith(pair.2, '\"'), JSONExtractString(pair.2), pair.2), "
        f"NOT startsWith(pair.2, '\"')), if(JSONType({text}) = 'Object', JSONExtractKeysAndValuesRaw({text}), "
        f"[('{text.removesuffix('_object')}', toJSONString({text}))]))"
    )


def number_map(text: str) -> str:
    """SQL for the numeric members of a JSON object as a map; true is 1, false 0, and null no member."""
    numbers = "arrayMap(text -> toFloat64OrNull(multiIf(text = 'true', '1', text = 'false', '0', text)), pairs.2)"
    of_pairs = let("numbers", numbers, number_map_of("pairs.1", "numbers"))
    return let("pairs", f"JSONExtractKeysAndValuesRaw({text})", of_pairs)


def number_map_of(names: str, numbers: str) -> str:
    """SQL for a map of the numbers that are not NULL."""
    present = f"arrayFilter((name, number) -> isNotNull(number), {names}, {numbers})"
    values = f"arrayMap(number -> assumeNotNull(number), arrayFilter(number -> isNotNull(number), {numbers}))"
    return f"CAST(({present}, {values}), '{NUMBER_MAP}')"


def first_of(target: str) -> str:
    """SQL for the code of the span's attribute that comes first in the target's list; 255 where it has none."""
    codes = attributes.codes_of(target)
    return f"arrayMin(arrayMap(code -> if(code BETWEEN {codes[0]} AND {codes[-1]}, code, 255), codes))"


def is_ordered(code: str) -> str:
    """SQL for whether a code is that of an input, output or expected."""
    ranges = [attributes.codes_of(target) for target in attributes.ORDERED_TARGETS]
    return "(" + " OR ".join(f"{code} BETWEEN {codes[0]} AND {codes[-1]}" for codes in ranges) + ")"


def is_metric(code: str) -> str:
    """SQL for whether a code is that of a metric."""
    codes = attributes.metric_codes().values()
    return f"{code} BETWEEN {min(codes)} AND {max(codes)}"


def let(name: str, value: str, body: str) -> str:
    """SQL for the body, in which `name` stands for the value: written, and so analysed, once."""
    return f"arrayMap({name} -> {body}, [{value}])[1]"


def scattered_messages() -> str:
    """SQL for an array of two: the JSON lists of messages that a span spreads over its attributes or its events.

    First inputs, then outputs; '' where there are none. One expression for both, since ClickHouse takes longer to
    analyse it at every insert than to run it for the few spans that need it.
    """
    sides = ", ".join(
        f"({attributes.code_of(target)}, {sql_array(list(roles))}, {sql_array(list(roles.values()))})"
        for target, roles in SENDERS.items()
    )
    return f"arrayMap(side -> if(has(codes, side.1), {_flat_messages()}, {_messages_of_events()}), [{sides}])"


def _messages_of_events() -> str:
    """The messages among a span's events; `side` holds the names of their events and the roles."""
    # The map of texts no longer says what was JSON; `content` is a text unless it is a list or an object.
    is_json = "isValidJSON(value) AND (key != 'content' OR match(value, '^[\\[{{]'))"
    member = f"concat(',', toJSONString(key), ':', if({is_json}, value, toJSONString(value)))"
    members = f"arrayMap((key, value) -> if(key = 'role', '', {member}), mapKeys(event.3), mapValues(event.3))"
    role = "side.3[indexOf(side.2, event.2)]"
    message = f"concat('{{\"role\":', toJSONString({role}), arrayStringConcat({members}), '}}')"
    messages = f"concat('[', arrayStringConcat(arrayMap(event -> {message}, found), ','), ']')"
    found = "arrayFilter(event -> has(side.2, event.2), events)"
    return let("found", found, f"if(empty(found), '', {messages})")


def _flat_messages() -> str:
    """The messages in numbered attributes, whose code `side` holds.

    `llm.input_messages.0.message.role` becomes `[{"role": …}]`; lists further down become objects keyed by number.
    """
    is_json = f"kind IN ({any_value.TAGS['int']}, {any_value.TAGS['bool']}, {any_value.TAGS['json']})"
    name = "replaceRegexpOne(key, '^[a-z_]+\\.[a-z_]+\\.[0-9]+\\.(message\\.)?', '')"
    member = f"concat(toJSONString({name}), ':', if({is_json}, text, toJSONString(text)))"
    # (number of the message, its member as JSON) for each attribute of the family
    parts = (
        f"arrayMap((key, kind, text) -> (toUInt32OrZero(splitByChar('.', toString(key))[3]), {member}), "
        + ", ".join(f"arrayFilter((x, code) -> code = side.1, {array}, codes)" for array in FAMILY_ARRAYS)
        + ")"
    )
    members = "arrayStringConcat(arrayMap(part -> part.2, arrayFilter(part -> part.1 = n, parts)), ',')"
    message = f"toString(CAST(concat('{{', {members}, '}}'), 'JSON'))"
    messages = f"arrayMap(n -> {message}, arraySort(arrayDistinct(parts.1)))"
    return let("parts", parts, f"concat('[', arrayStringConcat({messages}, ','), ']')")


def exception_text(events: str) -> str:
    """SQL for `Type: message` of the last exception among a span's events, '' where there is none."""
    found = f"arrayLast(event -> event.2 = 'exception', {events}).3"
    parts = [f"{found}[{sql_text(name)}]" for name in ("exception.type", "exception.message")]
    return f"arrayStringConcat(arrayFilter(part -> part != '', [{', '.join(parts)}]), ': ')"


def code_of_key(key: str) -> str:
    """SQL for the code of an attribute name, 0 where the table does not have it."""
    table = attributes.codes()
    known = f"transform({key}, {sql_array(list(table))}, {sql_codes(list(table.values()))}, 0)"
    # A sum, since no name is known both ways: what stands inside a choice would get its own copy of the names.
    families = "".join(
        f" + {attributes.code_of(target)} * startsWith({key}, {sql_text(prefix)})"
        for prefix, target in attributes.prefixes().items()
    )
    return f"toUInt8({known}{families})"


def rename(key: str) -> str:
    """SQL for an attribute's name in metadata."""
    table = attributes.renames()
    known = f"transform({key}, {sql_array(list(table))}, {sql_array(list(table.values()))}, {key})"
    is_request = f"(startsWith({key}, 'gen_ai.request.') AND {key} != 'gen_ai.request.model')"
    is_braintrust = f"startsWith({key}, 'braintrust.metadata.')"
    # Reckoned for the same reason as the codes.
    cut = f"{len('gen_ai.request.')} * {is_request} + {len('braintrust.metadata.')} * {is_braintrust}"
    return f"substring({known}, 1 + {cut})"


def time_of(nanoseconds: str) -> str:
    """SQL for a time; later than 2262-04-11 becomes that day, which is as far as the type goes."""
    return f"fromUnixTimestamp64Nano(toInt64(least({nanoseconds}, 9223372036854775807)), 'UTC')"


def seconds_of(nanoseconds: str) -> str:
    """SQL for Unix seconds as a number; whole seconds apart, since 19 digits do not fit a Float64."""
    return f"intDiv({nanoseconds}, 1000000000) + ({nanoseconds} % 1000000000) / 1e9"


def week_of(time: str) -> str:
    """SQL for the partition of a time: its week, so that retention drops whole parts.

    Times no clock shows share one partition, so that nonsense cannot make thousands.
    """
    sane = f"{time} BETWEEN toDateTime64('2020-01-01', 9, 'UTC') AND toDateTime64('2100-01-01', 9, 'UTC')"
    return f"if({sane}, toMonday({time}), toDate('1970-01-05'))"


def row_columns() -> str:
    """SQL for the columns of a row, from `spans`: the one list behind `logs` and `eval_rows`."""
    return render((files(__package__) / "row_columns.sql").read_text().strip(), {})


def metrics_of_columns() -> str:
    """SQL for what a row's metrics are told by its columns; a span that runs has no end."""
    start, end = (seconds_of(f"toUnixTimestamp64Nano({column})") for column in ("created", "end_time"))
    given = [
        f"[('start', {start})]",
        f"if({HAS_ENDED}, [('end', {end})], [])",
        *(f"if({column} != 0, [('{column}', {column})], [])" for column in ("tokens", "cost")),
    ]
    return f"CAST(arrayConcat({', '.join(given)}), '{NUMBER_MAP}')"


FRAGMENTS: dict[str, Callable[..., str]] = {
    "row_columns": row_columns,
    "metrics_of_columns": metrics_of_columns,
    "row_id": lambda: ROW_ID,
    "events": lambda: f"Array(Tuple(time DateTime64(9, 'UTC'), name LowCardinality(String), attributes {TEXT_MAP}))",
    "links": lambda: f"Array(Tuple(trace_id String, span_id String, trace_state String, attributes {TEXT_MAP}))",
    "heads": any_value.heads,
    "kinds": any_value.kinds,
    "varints": any_value.varints,
    "strings": lambda values, heads, codes: any_value.strings(values, heads, codes, unless=is_ordered("code")),
    "texts_of_parts": any_value.texts_of_parts,
    "content": any_value.content,
    "json_kinds": lambda: ", ".join(str(any_value.TAGS[kind]) for kind in ("int", "double", "bool", "json")),
    "json": lambda text: f"if(isValidJSON({text}), {text}, toJSONString({text}))",
    "attribute_code": lambda name: str(attributes.codes()[name]),
    "code": lambda target: str(attributes.code_of(target)),
    "first_of": first_of,
    "last_kept_code": lambda: str(attributes.LAST_KEPT_CODE),
    "is_metric": is_metric,
    "metric_codes": lambda: sql_codes(list(attributes.metric_codes().values())),
    "metric_names": lambda: sql_array(list(attributes.metric_codes())),
    "string": string_of,
    "time": time_of,
    "event_time": lambda: time_of(field("event.time_unix_nano")),
    "week_of": week_of,
    "field": field,
    "map": attribute_map,
    "texts": any_value.texts,
    "object_pairs": object_pairs,
    "number_map": number_map,
    "number_map_of": number_map_of,
    "scattered_messages": scattered_messages,
    "exception_text": exception_text,
    "code_of_key": code_of_key,
    "rename": rename,
    "operations": lambda: sql_array(list(attributes.SPAN_TYPES["operation"])),
    "operation_types": lambda: sql_array(list(attributes.SPAN_TYPES["operation"].values())),
    "openinference_kinds": lambda: sql_array(list(attributes.SPAN_TYPES["openinference_kind"])),
    "openinference_types": lambda: sql_array(list(attributes.SPAN_TYPES["openinference_kind"].values())),
    "traceloop_kinds": lambda: sql_array(list(attributes.SPAN_TYPES["traceloop_kind"])),
    "traceloop_types": lambda: sql_array(list(attributes.SPAN_TYPES["traceloop_kind"].values())),
}

_PLACEHOLDER = re.compile(r"\{(\w+)((?::[\w.\[\]]+)*)\}")


def render(text: str, names: dict[str, str]) -> str:
    """The SQL with every placeholder replaced, by `names` first, then by FRAGMENTS.

    Raises KeyError for a placeholder that neither knows.
    """

    def replace(match: re.Match[str]) -> str:
        name, arguments = match.group(1), match.group(2).split(":")[1:]
        return names[name] if name in names else FRAGMENTS[name](*arguments)

    return _PLACEHOLDER.sub(replace, text)
