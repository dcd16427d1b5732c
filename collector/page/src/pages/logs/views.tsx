// Saved views: the page's address under a name, shared with everyone who sees the project.
import { useState } from "preact/hooks";
import { go, place } from "../../lib/router";
import { key } from "../../lib/session";
import { chooseView, deleteView, saveView, type View } from "../../lib/views";
import { Button, ErrorBox, Menu, MenuItem, Spinner } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { useSavedViews } from "../../ui/savedviews";
import { TRACE_QUERY } from "../trace/panel";

export function ViewsMenu({ page }: { page: string }) {
  const { project, query } = place.value;
  const { views, whileOpen, run } = useSavedViews(project, page);
  const current = views.data?.find((view) => sameQuery(view, query));
  return (
    <Menu label="Saved views" button={<><Icon name="save" /><span class="ellipsis wide-only">{current?.name ?? "Views"}</span></>}>
      {(close) => (
        <div class="views-menu" ref={whileOpen}>
          <MenuItem onClick={() => (go(location.pathname), close())}>All rows</MenuItem>
          {views.isLoading && <div class="menu-note"><Spinner /></div>}
          {views.error !== undefined && <ErrorBox error={views.error} />}
          {views.data?.map((view) => (
            <ViewLine key={view.id} view={view} isCurrent={view === current} onOpen={() => (go(`${location.pathname}?${addressQuery(view)}`), close())} run={run} />
          ))}
          {views.data && views.data.length > 0 && <div class="menu-note">{key.value && <p><Icon name="pin" size={12} /> opens this page with it for you</p>}<p><Icon name="check" size={12} /> opens this page with it for everyone</p></div>}
          {views.data?.length === 0 && <div class="menu-note">Save filters, columns and range of time under a name, for everyone in this project.</div>}
          <SaveForm page={page} run={run} />
        </div>
      )}
    </Menu>
  );
}

type Run = ReturnType<typeof useSavedViews>["run"];

function ViewLine({ view, isCurrent, onOpen, run }: { view: View; isCurrent: boolean; onOpen: () => void; run: Run }) {
  const isOwn = view.is_own_default;
  return (
    <div class="view-line">
      <MenuItem isOn={isCurrent} onClick={onOpen} hint={isOwn ? "your default" : view.is_default ? "default" : ""}>{view.name}</MenuItem>
      {key.value && <Button kind="quiet" icon="pin" isOn={isOwn} label="Open this page with it, for you" onClick={() => run(chooseView(view, !isOwn), isOwn ? "No default of your own" : "Your default")} />}
      <Button kind="quiet" icon="check" isOn={view.is_default} label="Open this page with it, for everyone" onClick={() => run(saveView({ ...view, is_default: !view.is_default }), view.is_default ? "No default for everyone" : "Default for everyone")} />
      <Button kind="quiet" icon="trash" label={`Delete the view ${view.name}`} onClick={() => run(deleteView(view), "View deleted")} />
    </div>
  );
}

function SaveForm({ page, run }: { page: string; run: Run }) {
  const [name, setName] = useState("");
  const save = (event: Event) => {
    event.preventDefault();
    void run(saveView({ id: "", project: place.value.project, page, name: name.trim(), definition: { query: viewQuery(place.value.query) }, is_default: false }), `Saved the view ${name.trim()}`);
    setName("");
  };
  return (
    <form class="menu-form row-between" onSubmit={save}>
      <input aria-label="Name of the new view" placeholder="Save as…" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <Button type="submit" disabled={!name.trim()}>Save</Button>
    </form>
  );
}

/** The part of the address that belongs to the view: not the open trace. */
function viewQuery(query: URLSearchParams): string {
  const kept = new URLSearchParams(query);
  for (const name of [...TRACE_QUERY, "live"]) kept.delete(name);
  return kept.toString();
}

export function addressQuery(view: View): string {
  return typeof view.definition["query"] === "string" ? view.definition["query"] : "";
}

function sameQuery(view: View, query: URLSearchParams): boolean {
  return addressQuery(view) === viewQuery(query) && viewQuery(query) !== "";
}
