// Experiments: all of the project, one or several side by side, or the trees of variants.
import { place, setQuery } from "../../lib/router";
import { Segmented } from "../../ui/basics";
import { ComparePage } from "./compare";
import { ExperimentList } from "./list";
import { VariantTrees } from "./variants";

export default function Experiments() {
  const { rest, query } = place.value;
  if (rest[0]) return <ComparePage key={rest[0]} />;
  return query.get("tab") === "variants" ? <VariantTrees tabs={<Tabs />} /> : <ExperimentList tabs={<Tabs />} />;
}

function Tabs() {
  const tab = place.value.query.get("tab") === "variants" ? "variants" : "runs";
  return <Segmented label="Show" value={tab} onChange={(next) => setQuery({ tab: next === "runs" ? null : next, v: null })} options={[["runs", "Runs"], ["variants", "Variants"]]} />;
}
