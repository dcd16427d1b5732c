"""SQL fragments that the views share, and `render`, which puts them into a view's text.

A view's text holds `{name}` or `{name:argument}`. This keeps the views readable top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from spanloop_collector.schema import attributes

VALUE_KINDS = {
    "absent": 0,
    "string_value": 1,
    "bool_value": 2,
    "int_value": 3,
    "double_value": 4,
    "bytes_value": 7,
    "json_value": 100,
}
"""Field numbers of OTLP's AnyValue; `json_value` is ours and carries nested values as JSON text."""

VALUE_TYPE = (
    "Tuple(string_value String, bool_value Bool, int_value Int64, double_value Float64, bytes_value String, "
    "json_value String, value Enum8("
    + ", ".join(f"'{kind}' = {number}" for kind, number in VALUE_KINDS.items())
    + "))"
)

TEXT_MAP = "Map(LowCardinality(String), String)"
NUMBER_MAP = "Map(LowCardinality(String), Float64)"

EVENT_ROLES = {
    "input_event_names": {
        "gen_ai.system.message": "system",
        "gen_ai.user.message": "user",
        "gen_ai.tool.message": "tool",
        "gen_ai.content.prompt": "user",
    },
    "output_event_names": {
        "gen_ai.assistant.message": "assistant",
        "gen_ai.choice": "assistant",
        "gen_ai.content.completion": "assistant",
    },
}
"""Span events that carry messages, by the role of their sender; from before messages were attributes."""


def sql_text(text: str) -> str:
    """The text as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def sql_array(items: list[str]) -> str:
    """The texts as a ClickHouse array literal."""
    return "[" + ", ".join(sql_text(item) for item in items) + "]"


def sql_codes(codes: list[int]) -> str:
    """The codes as an array literal of the type that `codes` has in the views."""
    return "[" + ", ".join(f"toUInt16({code})" for code in codes) + "]"


def value_text(value: str) -> str:
    """SQL for the text of one AnyValue: numbers in decimal, bytes in base64, nested values as JSON."""
    return (
        f"multiIf({value}.value = 'string_value', {value}.string_value, "
        f"{value}.value = 'int_value', toString({value}.int_value), "
        f"{value}.value = 'double_value', toString({value}.double_value), "
        f"{value}.value = 'bool_value', if({value}.bool_value, 'true', 'false'), "
        f"{value}.value = 'json_value', {value}.json_value, "
        f"{value}.value = 'bytes_value', base64Encode({value}.bytes_value), '')"
    )


def value_json(value: str) -> str:
    """SQL for one AnyValue as JSON text."""
    return (
        f"if({value}.value IN ('int_value', 'bool_value', 'json_value') "
        f"OR ({value}.value = 'double_value' AND isFinite({value}.double_value)), "
        f"{value_text(value)}, toJSONString({value_text(value)}))"
    )


def string_of(target: str) -> str:
    """SQL for the string of the target's attribute, '' where the span has none or it is no string."""
    return f"strings[indexOf(codes, {attributes.code_of(target)})]"


def attribute_map(path: str) -> str:
    """SQL for attributes as a map of texts."""
    return f"CAST(({path}.key, arrayMap(value -> {value_text('value')}, {path}.value)), '{TEXT_MAP}')"


def object_pairs(target: str) -> str:
    """SQL for a JSON object's members as (key, text, is_json); a text that is no object is one member, itself."""
    text = string_of(target)
    return (
        f"arrayMap(pair -> (pair.1, if(startsWith(pair.2, '\"'), JSONExtractString(pair.2), pair.2), "
        f"NOT startsWith(pair.2, '\"')), if(JSONType({text}) = 'Object', JSONExtractKeysAndValuesRaw({text}), "
        f"[('{target.removesuffix('_object')}', toJSONString({text}))]))"
    )


def object_numbers(target: str) -> str:
    """SQL for the numeric members of a JSON object as (name, Nullable number); true is 1 and false 0."""
    return (
        "arrayMap(pair -> (pair.1, multiIf(pair.2 = 'true', 1, pair.2 = 'false', 0, toFloat64OrNull(pair.2))), "
        f"JSONExtractKeysAndValuesRaw({string_of(target)}))"
    )


def number_map(pairs: str) -> str:
    """SQL for (name, Nullable number) pairs as a map without the NULLs."""
    present = f"arrayFilter(pair -> isNotNull(pair.2), {pairs})"
    return f"CAST((({present}).1, ({present}).2), '{NUMBER_MAP}')"


def messages_of_events(roles_name: str) -> str:
    """SQL for the JSON list of the messages among a span's events, '' where there are none."""
    roles = EVENT_ROLES[roles_name]
    names, senders = sql_array(list(roles)), sql_array(list(roles.values()))
    member = f"(key, value) -> concat(toJSONString(key), ':', {value_json('value')})"
    message = (
        f"concat('{{\"role\":\"', transform(event.name, {names}, {senders}, ''), '\"', "
        f"arrayStringConcat(arrayMap(m -> concat(',', m), arrayMap({member}, "
        f"arrayFilter(key -> key != 'role', event.attributes.key), "
        f"arrayFilter((value, key) -> key != 'role', event.attributes.value, event.attributes.key)))), '}}')"
    )
    found = f"arrayFilter(event -> event.name IN ({', '.join(sql_text(n) for n in roles)}), span.events)"
    return f"if(empty({found}), '', concat('[', arrayStringConcat(arrayMap(event -> {message}, {found}), ','), ']'))"


def flat_messages(target: str) -> str:
    """SQL for the JSON list of messages that a span spreads over numbered attributes.

    `llm.input_messages.0.message.role` becomes `[{"role": …}]`; lists further down become objects keyed by number.
    """
    code = attributes.code_of(target)
    keys = (
        f"arrayMap(key -> replaceRegexpOne(key, '^[a-z_]+\\\\.[a-z_]+\\\\.', ''), "
        f"arrayFilter((key, code) -> code = {code}, keys, codes))"
    )
    members = f"arrayMap(value -> {value_json('value')}, arrayFilter((value, code) -> code = {code}, values, codes))"
    number = "toUInt32OrZero(splitByChar('.', key)[1])"
    name = "replaceRegexpOne(key, '^[0-9]+\\\\.(message\\\\.)?', '')"
    numbers = f"arraySort(arrayDistinct(arrayMap(key -> {number}, {keys})))"
    fields = (
        f"arrayMap((key, member) -> concat(toJSONString({name}), ':', member), "
        f"arrayFilter(key -> {number} = n, {keys}), "
        f"arrayFilter((member, key) -> {number} = n, {members}, {keys}))"
    )
    message = f"toString(CAST(concat('{{', arrayStringConcat({fields}, ','), '}}'), 'JSON'))"
    return f"concat('[', arrayStringConcat(arrayMap(n -> {message}, {numbers}), ','), ']')"


def exception_text(event: str) -> str:
    """SQL for `Type: message` of an exception event."""
    found = f"{event}.attributes.value.string_value[indexOf({event}.attributes.key, '{{}}')]"
    kind, message = found.format("exception.type"), found.format("exception.message")
    return f"concat({kind}, if({kind} != '' AND {message} != '', ': ', ''), {message})"


def code_of_key(key: str) -> str:
    """SQL for the code of an attribute name, 0 where the table does not have it."""
    prefixes = "".join(
        f"startsWith({key}, {sql_text(prefix)}), toUInt16({attributes.code_of(target)}), "
        for prefix, target in attributes.prefixes().items()
    )
    table = attributes.codes()
    known = f"transform({key}, {sql_array(list(table))}, {sql_codes(list(table.values()))}, toUInt16(0))"
    return f"multiIf({prefixes}{known})"


def rename(key: str) -> str:
    """SQL for an attribute's name in metadata."""
    table = attributes.renames()
    return (
        f"multiIf(startsWith({key}, 'gen_ai.request.') AND {key} != 'gen_ai.request.model', substring({key}, 16), "
        f"startsWith({key}, 'braintrust.metadata.'), substring({key}, 21), "
        f"transform({key}, {sql_array(list(table))}, {sql_array(list(table.values()))}, toString({key})))"
    )


def time_of(nanoseconds: str) -> str:
    """SQL for a time; later than 2262-04-11 becomes that day, which is as far as the type goes."""
    return f"fromUnixTimestamp64Nano(toInt64(least({nanoseconds}, 9223372036854775807)), 'UTC')"


def week_of(time: str) -> str:
    """SQL for the partition of a time: its week, so that retention drops whole parts.

    Times no clock shows share one partition, so that nonsense cannot make thousands.
    """
    sane = f"{time} BETWEEN toDateTime64('2020-01-01', 9, 'UTC') AND toDateTime64('2100-01-01', 9, 'UTC')"
    return f"if({sane}, toMonday({time}), toDate('1970-01-05'))"


FRAGMENTS: dict[str, Callable[[str], str]] = {
    "attributes": lambda _: f"Array(Tuple(key LowCardinality(String), value {VALUE_TYPE}))",
    "any_value": lambda _: VALUE_TYPE,
    "stamp": lambda _: (
        "Tuple(project LowCardinality(String), received_unix_nano UInt64, default_project LowCardinality(String))"
    ),
    "attribute_code": lambda name: str(attributes.codes()[name]),
    "code": lambda target: str(attributes.code_of(target)),
    "code_first": lambda target: str(attributes.codes_of(target)[0]),
    "code_last": lambda target: str(attributes.codes_of(target)[-1]),
    "last_kept_code": lambda _: str(attributes.LAST_KEPT_CODE),
    "first_metric_code": lambda _: str(min(attributes.metric_codes().values())),
    "last_metric_code": lambda _: str(max(attributes.metric_codes().values())),
    "metric_codes": lambda _: sql_codes(list(attributes.metric_codes().values())),
    "metric_names": lambda _: sql_array(list(attributes.metric_codes())),
    "string": string_of,
    "time": time_of,
    "week_of": week_of,
    "map": attribute_map,
    "value_text": value_text,
    "value_json": value_json,
    "object_pairs": object_pairs,
    "object_numbers": object_numbers,
    "number_map": number_map,
    "messages_of_events": messages_of_events,
    "flat_messages": flat_messages,
    "exception_text": exception_text,
    "code_of_key": code_of_key,
    "rename": rename,
    "operations": lambda _: sql_array(list(attributes.SPAN_TYPES["operation"])),
    "operation_types": lambda _: sql_array(list(attributes.SPAN_TYPES["operation"].values())),
    "openinference_kinds": lambda _: sql_array(list(attributes.SPAN_TYPES["openinference_kind"])),
    "openinference_types": lambda _: sql_array(list(attributes.SPAN_TYPES["openinference_kind"].values())),
    "traceloop_kinds": lambda _: sql_array(list(attributes.SPAN_TYPES["traceloop_kind"])),
    "traceloop_types": lambda _: sql_array(list(attributes.SPAN_TYPES["traceloop_kind"].values())),
}

_PLACEHOLDER = re.compile(r"\{(\w+)(?::([\w.]+))?\}")


def render(text: str, names: dict[str, str]) -> str:
    """The SQL with every placeholder replaced, by `names` first, then by FRAGMENTS.

    Raises KeyError for a placeholder that neither knows.
    """

    def replace(match: re.Match[str]) -> str:
        name, argument = match.group(1), match.group(2) or ""
        return names[name] if name in names else FRAGMENTS[name](argument)

    return _PLACEHOLDER.sub(replace, text)
