// Datasets: all of the project, or one by its name in the address.
import { place } from "../../lib/router";
import { OneDataset } from "./one";
import { DatasetList } from "./list";

export default function Datasets() {
  const [named] = place.value.rest;
  return named ? <OneDataset key={named} named={named} /> : <DatasetList />;
}
