"""A promotion as SQL: a SELECT over the source, made of what the caller wrote, and what we put around it.

The inner SELECT holds every word of the caller's and passes the guard of SQL from outside. The outer ones turn its
columns into those of a dataset row; they are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from spanloop_collector.promote.expressions import gives_json, is_plain_column, mentions_trace
from spanloop_collector.promote.sources import CORRECTIONS, SOURCES, TRACE_MAPS, Source
from spanloop_collector.promote.spec import PromoteSpec
from spanloop_collector.schema.fragments import TEXT_MAP, sql_text

TEXT_TYPES = "('String', 'LowCardinality(String)', 'Nullable(String)', 'LowCardinality(Nullable(String))')"
TEXTS = "Array(LowCardinality(String))"

HASH_RANGE = 2**64


def source_select(spec: PromoteSpec, *, with_facts: bool = False) -> str:
    """The SELECT to be checked: one row per promoted row, its columns still the caller's values.

    `with_facts` adds what a transform sees beside the mapped fields.
    """
    source = SOURCES[spec.source]
    columns = _given_columns(spec, source)
    if with_facts:
        columns |= {f"fact_{name}": sql for name, sql in source.columns.items()}
    conditions = _conditions(spec, source)
    if spec.is_sampled:
        conditions.append(f"{source.key} IN ({_sample(spec, source)})")
    return _select(columns, _from(spec, source), conditions)


def count_select(spec: PromoteSpec) -> str:
    """The SELECT to be checked for how many rows the source has before anything is left out."""
    source = SOURCES[spec.source]
    if spec.is_sampled:
        return f"SELECT count() FROM ({_sample(spec, source)})"
    return _select({"n": "count()"}, _from(spec, source), _conditions(spec, source))


def row_select(spec: PromoteSpec, checked: str, *, with_facts: bool = False) -> str:
    """Columns of a dataset row from the checked SELECT's."""
    source = SOURCES[spec.source]
    given = spec.fields
    columns = {
        "input": _json_value("given_input", given.get("input", "input")),
        "expected": _json_value("given_expected", given.get("expected", source.expected)),
        "metadata": _metadata(spec),
        "metadata_json": _metadata_json(spec),
        "tags": f"CAST(given_tags, '{TEXTS}')",
        "origin": _origin(source),
        "origin_id": "source_id",
        "origin_hash": f"cityHash64({sql_text(source.object_type)}, source_object_id, source_id)",
        "row_id": "given_id" if "id" in given else _default_id(spec, source),
    }
    if with_facts:
        columns |= {name: f"fact_{name}" for name in source.columns}
    # A level of its own for what other columns are made of.
    text = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"SELECT {text} FROM ({checked})"


def _given_columns(spec: PromoteSpec, source: Source) -> dict[str, str]:
    columns = {
        "source_id": f"toString({source.id})",
        "source_object_id": f"toString({source.object_id})",
        "given_input": spec.fields.get("input", "input"),
        "given_expected": spec.fields.get("expected", source.expected),
        "given_metadata": spec.fields.get("metadata", "metadata"),
        "given_metadata_json": "metadata_json",
        "given_tags": spec.fields.get("tags", "tags"),
    }
    columns |= {f"origin_{name}": sql for name, sql in source.origin_facts.items()}
    columns |= {f"given_key_{number}": sql for number, sql in enumerate(spec.metadata_keys.values())}
    if "id" in spec.fields:
        columns["given_id"] = f"toString(\n{spec.fields['id']}\n)"
    return columns


def _select(columns: Mapping[str, str], source: str, conditions: list[str]) -> str:
    # Each on a line of its own: a comment at the end of one must not swallow the next.
    names = ",\n".join(f"(\n{sql}\n) AS {name}" for name, sql in columns.items())
    return f"SELECT\n{names}\nFROM {source}\nWHERE " + "\nAND ".join(conditions)


def _conditions(spec: PromoteSpec, source: Source) -> list[str]:
    conditions = [f"project = {sql_text(spec.project)}"]
    if spec.is_root_only and source.has_roots:
        conditions.append("is_root")
    if spec.where:
        conditions.append(f"(\n{spec.where}\n)")
    return conditions


def _from(spec: PromoteSpec, source: Source) -> str:
    """The view, with what reviewers said, and the maps of its traces where they are asked for."""
    view = f"{source.view} AS promoted"
    if source.has_corrections:
        view += (
            f" ANY LEFT JOIN ({CORRECTIONS.format(view=source.view)}) AS corrected "
            f"ON corrected_object_id = promoted.{source.object_id} AND corrected_id = promoted.id"
        )
    words = (spec.where, spec.group_by, *spec.fields.values())
    if not (source.always_joined or (source.has_roots and mentions_trace(*words))):
        return view
    conditions = _conditions(spec, source)
    joined_view = "logs" if source.view == "traces" else source.view
    condition = f"project = {sql_text(spec.project)}"
    if not mentions_trace(spec.where):
        condition += f" AND trace_id IN (SELECT trace_id FROM {source.view} WHERE {' AND '.join(conditions)})"
    maps = TRACE_MAPS.format(view=joined_view, condition=condition)
    if not source.always_joined:
        # The row has these itself.
        maps = f"SELECT joined_trace_id, outputs, inputs FROM ({maps})"
    return f"{view} ANY LEFT JOIN ({maps}) AS joined ON joined_trace_id = promoted.trace_id"


def _sample(spec: PromoteSpec, source: Source) -> str:
    """Keys of the chosen rows. Chosen by hash, so that the same promotion again chooses the same."""
    place = f"cityHash64({sql_text(spec.seed)}, {source.key})"
    columns = {"sample_key": source.key, "sample_place": place}
    if spec.group_by:
        columns["sample_group"] = spec.group_by
    conditions = _conditions(spec, source)
    if spec.sample_rate < 1:
        conditions.append(f"{place} < {int(spec.sample_rate * HASH_RANGE)}")
    text = f"SELECT sample_key FROM ({_select(columns, _from(spec, source), conditions)})"
    if spec.limit or spec.per_group:
        text += " ORDER BY sample_place, sample_key"
    if spec.per_group:
        text += f" LIMIT {spec.per_group} BY sample_group"
    if spec.limit:
        text += f" LIMIT {spec.limit}"
    return text


def _json_value(name: str, expression: str) -> str:
    """SQL for the JSON text of a value that the caller's expression gave; '' for none."""
    if is_plain_column(expression) or any(expression == source.expected for source in SOURCES.values()):
        return name
    if gives_json(expression):
        text = f"ifNull({name}, '')"
        return f"multiIf({text} = '', '', isValidJSON({text}), {text}, toJSONString({name}))"
    return f"if(isNull({name}), '', toJSONString({name}))"


def _metadata(spec: PromoteSpec) -> str:
    expression = spec.fields.get("metadata", "metadata")
    if gives_json(expression):
        pairs = "JSONExtractKeysAndValuesRaw(ifNull(given_metadata, ''))"
        text = "if(startsWith(pair.2, '\"'), JSONExtractString(pair.2), pair.2)"
        whole = f"CAST(arrayMap(pair -> (pair.1, {text}), {pairs}), '{TEXT_MAP}')"
    else:
        whole = f"CAST(given_metadata, '{TEXT_MAP}')"
    if not spec.metadata_keys:
        return whole
    members = ", ".join(
        f"{sql_text(key)}, {_key_text(number, expression)}"
        for number, (key, expression) in enumerate(spec.metadata_keys.items())
    )
    return f"CAST(mapUpdate(CAST({whole}, 'Map(String, String)'), map({members})), '{TEXT_MAP}')"


def _key_text(number: int, expression: str) -> str:
    """SQL for the text of one key of metadata."""
    name = f"given_key_{number}"
    if gives_json(expression):
        return f"if(startsWith(ifNull({name}, ''), '\"'), JSONExtractString(ifNull({name}, '')), ifNull({name}, ''))"
    return f"ifNull(if({_is_text(name)}, toString({name}), toJSONString({name})), '')"


def _key_is_text(number: int, expression: str) -> str:
    """SQL for whether that text is a string, and not JSON."""
    name = f"given_key_{number}"
    if gives_json(expression):
        return f"(ifNull({name}, '') = '' OR startsWith(ifNull({name}, ''), '\"'))"
    return _is_text(name)


def _is_text(name: str) -> str:
    return f"toTypeName({name}) IN {TEXT_TYPES}"


def _metadata_json(spec: PromoteSpec) -> str:
    """Keys whose values are more than strings."""
    expression = spec.fields.get("metadata", "metadata")
    if gives_json(expression):
        pairs = "JSONExtractKeysAndValuesRaw(ifNull(given_metadata, ''))"
        keys = f"arrayMap(pair -> pair.1, arrayFilter(pair -> NOT startsWith(pair.2, '\"'), {pairs}))"
    elif "metadata" not in spec.fields:
        keys = "given_metadata_json"
    else:
        # The caller's own map may leave keys out, or bring new ones.
        keys = "arrayFilter(key -> mapContains(given_metadata, key), given_metadata_json)"
    if not spec.metadata_keys:
        return f"CAST({keys}, '{TEXTS}')"
    names = ", ".join(sql_text(key) for key in spec.metadata_keys)
    added = ", ".join(
        f"if({_key_is_text(number, expression)}, '', {sql_text(key)})"
        for number, (key, expression) in enumerate(spec.metadata_keys.items())
    )
    kept = f"arrayFilter(key -> toString(key) NOT IN ({names}), {keys})"
    return f"CAST(arrayConcat(CAST({kept}, 'Array(String)'), arrayFilter(key -> key != '', [{added}])), '{TEXTS}')"


def _origin(source: Source) -> str:
    members = {"object_type": sql_text(source.object_type), "object_id": "source_object_id", "id": "source_id"}
    members |= {name: f"origin_{name}" for name in source.origin_facts}
    parts = [
        f"'{',' if number else '{'}\"{name}\":', toJSONString({sql})"
        for number, (name, sql) in enumerate(members.items())
    ]
    return f"concat({', '.join(parts)}, '}}')"


def _default_id(spec: PromoteSpec, source: Source) -> str:
    """SQL for an id that follows from what makes a row the same row."""
    if spec.deduplicate == "input":
        return "lower(hex(sipHash128(input)))"
    return f"lower(hex(sipHash128({sql_text(source.object_type)}, source_object_id, source_id)))"
