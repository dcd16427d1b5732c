// Rules: all that score rows of the project, one by its name in the address, or the form for it.
import { place } from "../../lib/router";
import { EditRule, NewRule } from "./form";
import { RuleList } from "./list";
import { OneRule } from "./one";

export default function Rules() {
  const { rest, query } = place.value;
  const [named] = rest;
  if (!named) return query.has("new") ? <NewRule key="new" /> : <RuleList />;
  const key = `${named} ${query.get("every")}`;
  return query.has("edit") ? <EditRule key={key} named={named} /> : <OneRule key={key} named={named} />;
}
