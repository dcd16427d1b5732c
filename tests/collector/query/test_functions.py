"""functions.txt against the functions of the engine that this version is pinned to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from spanloop_collector.query.functions import allowed_names, is_allowed_function, is_allowed_table_function

# Functions of the engine that nobody from outside may call. A new engine's functions belong in one of the lists.
REFUSED = """
__actionName __applyFilter __bitBoolMaskAnd __bitBoolMaskOr __bitSwapLastTwo __bitWrapperFunc __getScalar
__groupingForCube __groupingForGroupingSets __groupingForRollup __groupingOrdinary __patchPartitionID
__scalarSubqueryResult __toYearCalendarOnly addressToLine addressToLineWithInlines addressToSymbol
aes_decrypt_mysql aes_encrypt_mysql aggThrow AIClassify aiClassify AIEmbed aiEmbed AIExtract aiExtract
AIFilter aiFilter AIGenerate aiGenerate AIRedact aiRedact AISimilarity aiSimilarity AITranslate aiTranslate
array_concat_agg assignCentroid blockSerializedSize blockSize buildId chdb connection_id connectionId
currentHandler currentProfiles currentRequestURL currentRoles decrypt defaultProfiles defaultRoles demangle
dictGet dictGetAll dictGetChildren dictGetDate dictGetDateOrDefault dictGetDateTime dictGetDateTimeOrDefault
dictGetDescendants dictGetFloat32 dictGetFloat32OrDefault dictGetFloat64 dictGetFloat64OrDefault
dictGetHierarchy dictGetInt16 dictGetInt16OrDefault dictGetInt32 dictGetInt32OrDefault dictGetInt64
dictGetInt64OrDefault dictGetInt8 dictGetInt8OrDefault dictGetIPv4 dictGetIPv4OrDefault dictGetIPv6
dictGetIPv6OrDefault dictGetKeys dictGetOrDefault dictGetOrNull dictGetRoot dictGetString
dictGetStringOrDefault dictGetUInt16 dictGetUInt16OrDefault dictGetUInt32 dictGetUInt32OrDefault
dictGetUInt64 dictGetUInt64OrDefault dictGetUInt8 dictGetUInt8OrDefault dictGetUUID dictGetUUIDOrDefault
dictHas dictIsIn displayName enabledProfiles enabledRoles encrypt errorCodeToName evalMLMethod file
filesystemAvailable filesystemCapacity filesystemUnreserved formatQueryFromJSON FQDN fullHostName fuzzBits
fuzzQuery generateRandomStructure generateSerialID getClientHTTPHeader getMacro
getMaxTableNameLengthForDatabase getMergeTreeSetting getOSKernelVersion getServerPort getServerSetting
getSetting getSettingOrDefault getTypeSerializationStreams globalVariable hasColumnInTable hasThreadFuzzer
hierarchicalKMeans HMAC hostName hostname indexHint initial_query_id initial_query_start_time initialQueryID
initialQueryStartTime isMergeTreePartCoveredBy joinGet joinGetOrNull logTrace mergeTreePartInfo
naiveBayesClassifier naiveBayesClassifierWithAllProbs naiveBayesClassifierWithProb naiveBayesNgrams
obfuscateQuery obfuscateQueryWithSeed parseQueryToJSON partitionID partitionId pg_get_userbyid
pg_table_is_visible pgGetUserById pgTableIsVisible regionHierarchy regionIn regionToArea regionToCity
regionToContinent regionToCountry regionToDistrict regionToName regionToPopulation regionToTopContinent
revision runningConcurrency serverUUID shardCount shardNum showCertificate sleep sleepEachRow
stochasticLinearRegression stochasticLogisticRegression structureToCapnProtoSchema structureToProtobufSchema
tcpPort tid timeSeriesCopyTag timeSeriesCopyTags timeSeriesExtractTag timeSeriesGroupToSamplingKey
timeSeriesGroupToTags timeSeriesIdToGroup timeSeriesIdToTags timeSeriesIdToTagsGroup timeSeriesJoinTags
timeSeriesMetricTypeToSuffixes timeSeriesRemoveAllTagsExcept timeSeriesRemoveTag timeSeriesRemoveTags
timeSeriesReplaceTag timeSeriesStoreTags timeSeriesTagsGroupToTags timeSeriesTagsToGroup timeSeriesTagsToMap
timeSeriesThrowDuplicateSeriesIf transactionID transactionLatestSnapshot transactionOldestSnapshot
tryDecrypt validateNestedArraySizes zookeeperSessionUptime
"""


@pytest.fixture
def engine(embedded_directory: Path) -> Iterator[Client]:
    """The embedded engine."""
    client = clickhouse_connect.get_client(dsn=f"chdb://{embedded_directory}")
    yield client
    client.close()


def functions_of(engine: Client, condition: str) -> set[str]:
    """Names from `system.functions`."""
    rows = engine.query(f"SELECT name FROM system.functions WHERE origin = 'System' AND {condition}").result_rows
    return {row[0] for row in rows}


def test_every_function_of_the_engine_is_allowed_or_refused_on_purpose(engine: Client) -> None:
    every = functions_of(engine, "1")
    allowed = {name for name in every if is_allowed_function(name)}
    assert sorted(every - allowed) == sorted(REFUSED.split())


def test_every_listed_function_exists(engine: Client) -> None:
    every = {name.lower() for name in functions_of(engine, "1")}
    names = allowed_names()
    assert sorted((names.functions | names.aggregates) - every) == []


def test_every_function_that_takes_a_function_is_known(engine: Client) -> None:
    taking = {name.lower() for name in functions_of(engine, "higher_order") if is_allowed_function(name)}
    assert taking == allowed_names().higher_order


@pytest.mark.parametrize(
    "name", ["sumIf", "COUNT", "uniqExactIfState", "quantilesTDigestArrayIf", "avgOrNull", "countDistinct"]
)
def test_aggregates_carry_combinators(name: str) -> None:
    assert is_allowed_function(name)


@pytest.mark.parametrize("name", ["fileIf", "If", "State", "dictGetIf", "xIf", "", "file", "sum_if"])
def test_a_combinator_makes_nothing_else_allowed(name: str) -> None:
    assert not is_allowed_function(name) or name == "If"


def test_only_functions_that_make_their_own_rows_may_stand_in_from() -> None:
    assert is_allowed_table_function("numbers")
    for name in ("file", "merge", "view", "url", "remote", "dictionary", "loop", "cluster", "null"):
        assert not is_allowed_table_function(name)
