// Saved views and saved queries of a project.
import { call } from "./api";

export interface View {
  id: string;
  project: string;
  /** The page it belongs to. */
  page: string;
  name: string;
  definition: Record<string, unknown>;
  /** True for the view that the page opens with, for everyone. */
  is_default: boolean;
  /** True for the view that the page opens with, for this key. */
  is_own_default: boolean;
}

export async function listViews(project: string, page: string): Promise<View[]> {
  const query = new URLSearchParams({ project, page });
  return (await call<{ views: View[] }>("GET", `/v1/views?${query}`)).views;
}

export async function saveView(view: Omit<View, "is_own_default">): Promise<View> {
  const { id, project, page, name, definition, is_default } = view;
  return (await call<{ view: View }>("POST", "/v1/views", { view: { id, project, page, name, definition, is_default } })).view;
}

/** Opens the view's page with it, for this key; or no longer. */
export async function chooseView({ project, page, id }: View, isChosen: boolean): Promise<void> {
  await call("POST", "/v1/views/choose", { project, page, id: isChosen ? id : "" });
}

export async function deleteView(view: View): Promise<void> {
  await call("DELETE", `/v1/views/${encodeURIComponent(view.id)}?project=${encodeURIComponent(view.project)}`);
}
