import{I as s,K as i,l as m,q as r}from"./chunk-DDLFPAJ5.js";var l=m({relations:{},keys:[]}),c=["metadata","scores","metrics"],y=null;async function g(){if(y!==r.value){y=r.value;try{let e=await s("SELECT table, name, type FROM system.columns WHERE database != 'system' ORDER BY table, position"),a={};for(let{table:o,name:t,type:n}of e)(a[o]??=[]).push({name:t,type:n});l.value={relations:a,keys:l.value.keys},l.value={relations:a,keys:await u()}}catch{y=null}}}async function u(){let e=c.map(t=>`arraySort(groupUniqArrayArray(200)(mapKeys(${t}))) AS ${t}_keys`),a=`SELECT ${c.join(", ")} FROM logs WHERE project = ${i(r.value)} AND created > now() - INTERVAL 1 DAY LIMIT 20000`,[o]=await s(`SELECT ${e.join(", ")} FROM (${a})`);return c.flatMap(t=>(o?.[`${t}_keys`]??[]).map(n=>`${t}[${i(n)}]`))}var O=`count sum avg min max any uniq uniqExact median quantile quantiles quantileExact topK countIf sumIf avgIf
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
formatReadableQuantity`.split(/\s+/);export{l as a,g as b,O as c};
