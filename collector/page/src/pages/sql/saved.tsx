// Saved queries: shared by everyone who sees the project.
import { useState } from "preact/hooks";
import { place } from "../../lib/router";
import { deleteView, saveView } from "../../lib/views";
import { Button, ErrorBox, Menu, MenuItem, Spinner } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { useSavedViews } from "../../ui/savedviews";

const PAGE = "sql";

export function SavedQueries({ text, onOpen }: { text: string; onOpen: (sql: string) => void }) {
  const [name, setName] = useState("");
  const { project } = place.value;
  const { views: saved, whileOpen, run } = useSavedViews(project, PAGE);
  const save = (event: Event) => {
    event.preventDefault();
    void run(saveView({ id: "", project, page: PAGE, name: name.trim(), definition: { sql: text }, is_default: false }), `Saved ${name.trim()}`);
    setName("");
  };
  return (
    <Menu label="Saved queries" button={<><Icon name="save" /> Saved</>}>
      {(close) => (
        <div class="views-menu" ref={whileOpen}>
          {saved.isLoading && <div class="menu-note"><Spinner /></div>}
          {saved.error !== undefined && <ErrorBox error={saved.error} />}
          {saved.data?.length === 0 && <div class="menu-note">Save a question under a name, for everyone in this project.</div>}
          {saved.data?.map((view) => (
            <div class="view-line" key={view.id}>
              <MenuItem icon="sql" onClick={() => (onOpen(String(view.definition["sql"] ?? "")), close())}>{view.name}</MenuItem>
              <Button kind="quiet" icon="trash" label={`Delete ${view.name}`} onClick={() => run(deleteView(view), "Deleted")} />
            </div>
          ))}
          <form class="menu-form row-between" onSubmit={save}>
            <input aria-label="Name of the query" placeholder="Save as…" value={name} onInput={(event) => setName(event.currentTarget.value)} />
            <Button type="submit" disabled={!name.trim() || !text.trim()}>Save</Button>
          </form>
        </div>
      )}
    </Menu>
  );
}
