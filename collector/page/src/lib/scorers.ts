// The scorers that the collector knows by name.
import { call } from "./api";

export interface KnownScorer {
  use: string;
  description: string;
}

export const AUTOEVALS = "autoevals.";

export async function listScorers(signal: AbortSignal): Promise<KnownScorer[]> {
  const { scorers } = await call<{ scorers: KnownScorer[] }>("GET", "/v1/scorers", undefined, signal);
  return scorers.map(({ use, description }) => ({ use, description: description.replaceAll("`", "") }));
}
