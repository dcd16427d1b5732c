// What there is to ask about: relations with their columns, and the keys that rows have in their maps.
import { signal } from "@preact/signals";
import { project } from "./router";
import { askRows, text } from "./sql";

export interface Known {
  relations: Record<string, { name: string; type: string }[]>;
  /** `metadata['user_id']` and the like, of recent rows. */
  keys: string[];
}

export const schema = signal<Known>({ relations: {}, keys: [] });

const MAPS = ["metadata", "scores", "metrics"];
let loadedFor: string | null = null;

/** Loads what completion offers, once for each project. */
export async function loadSchema(): Promise<void> {
  if (loadedFor === project.value) return;
  loadedFor = project.value;
  try {
    const columns = await askRows<{ table: string; name: string; type: string }>("SELECT table, name, type FROM system.columns WHERE database != 'system' ORDER BY table, position");
    const relations: Known["relations"] = {};
    for (const { table, name, type } of columns) (relations[table] ??= []).push({ name, type });
    schema.value = { relations, keys: schema.value.keys };
    schema.value = { relations, keys: await recentKeys() };
  } catch {
    loadedFor = null;
  }
}

async function recentKeys(): Promise<string[]> {
  const lists = MAPS.map((map) => `arraySort(groupUniqArrayArray(200)(mapKeys(${map}))) AS ${map}_keys`);
  const sample = `SELECT ${MAPS.join(", ")} FROM logs WHERE project = ${text(project.value)} AND created > now() - INTERVAL 1 DAY LIMIT 20000`;
  const [found] = await askRows<Record<string, string[]>>(`SELECT ${lists.join(", ")} FROM (${sample})`);
  return MAPS.flatMap((map) => (found?.[`${map}_keys`] ?? []).map((key) => `${map}[${text(key)}]`));
}

export const FUNCTIONS = `count sum avg min max any uniq uniqExact median quantile quantiles quantileExact topK countIf sumIf avgIf
minIf maxIf anyIf argMin argMax groupArray groupUniqArray stddevPop stddevSamp varPop corr toStartOfMinute toStartOfFiveMinutes
toStartOfTenMinutes toStartOfFifteenMinutes toStartOfHour toStartOfDay toStartOfWeek toStartOfMonth toStartOfInterval toDate
toDateTime toDateTime64 now today yesterday dateDiff formatDateTime toUnixTimestamp toYYYYMMDD toHour toDayOfWeek if multiIf
coalesce ifNull nullIf isNull isNotNull greatest least round floor ceil abs log2 log10 sqrt pow toString toFloat64 toInt64
toUInt64 toFloat64OrNull toInt64OrNull length lengthUTF8 lower upper lowerUTF8 trim substring substringUTF8 position
positionCaseInsensitive startsWith endsWith match extract extractAll replaceAll replaceRegexpAll splitByChar splitByString
concat format has hasAny hasAll hasToken arrayMap arrayFilter arrayExists arrayAll arraySum arrayAvg arrayMax arrayMin arraySort
arrayDistinct arrayJoin arrayElement arraySlice arrayStringConcat indexOf mapKeys mapValues mapContains mapFilter JSONHas
JSONExtract JSONExtractString JSONExtractInt JSONExtractFloat JSONExtractBool JSONExtractRaw JSONExtractArrayRaw
JSONExtractKeys JSONLength JSONType isValidJSON simpleJSONExtractString rowNumberInAllBlocks cityHash64 bar formatReadableSize
formatReadableQuantity`.split(/\s+/);
