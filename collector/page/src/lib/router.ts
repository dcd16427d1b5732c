// Where we are: everything the page shows follows from its address, `/p/<project>/<page>/<more>?<query>`.
import { computed, signal } from "@preact/signals";

export interface Place {
  project: string;
  page: string;
  rest: string[];
  query: URLSearchParams;
}

export type QueryChanges = Record<string, string | string[] | null | undefined>;

function read(): Place {
  const [prefix, project = "", page = "", ...rest] = location.pathname.split("/").slice(1).map(decode);
  const query = new URLSearchParams(location.search);
  return prefix === "p" ? { project, page, rest, query } : { project: "", page: "", rest: [], query };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = signal<Place>(read());
export const project = computed(() => place.value.project);

addEventListener("popstate", () => (place.value = read()));

/** The address of a page of a project. */
export function addressOf(page: string, query: QueryChanges = {}, inProject = project.value): string {
  const search = changed(new URLSearchParams(), query).toString();
  const path = ["", "p", inProject, ...page.split("/")].map(encodeURIComponent).join("/");
  return search ? `${path}?${search}` : path;
}

export function go(address: string, options: { replace?: boolean } = {}): void {
  if (address === location.pathname + location.search) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", address);
  place.value = read();
}

/** Changes parts of the query and keeps the rest; null removes. */
export function setQuery(changes: QueryChanges, options: { replace?: boolean } = {}): void {
  const search = changed(place.value.query, changes).toString();
  go(location.pathname + (search ? `?${search}` : ""), options);
}

function changed(query: URLSearchParams, changes: QueryChanges): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && item !== undefined && item !== "") next.append(name, item);
    }
  }
  return next;
}

/** Follows plain clicks on links of this page without loading it again. */
export function followLinks(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.("a");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !/^\/(p\/|$)/.test(link.pathname)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
