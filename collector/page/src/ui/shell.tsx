// The frame around every page: navigation, project, look, help.
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { boundKeys, useKey } from "../lib/keys";
import { useLoaded } from "../lib/load";
import { addressOf, go, place, project } from "../lib/router";
import { isLockedOut, key, nextTheme, signOut, theme } from "../lib/session";
import { askRows } from "../lib/sql";
import { PAGES, type Page } from "../pages";
import { Button, Dialog, Empty, ErrorBox, Menu, MenuItem, Spinner, Toasts } from "./basics";
import { FirstSteps } from "./firststeps";
import { Icon } from "./icons";
import { Login } from "./login";

const PROJECTS = "SELECT project FROM logs GROUP BY project ORDER BY count() DESC LIMIT 500";

export function Shell() {
  const isHelpOpen = useSignal(false);
  useKey("?", "Keyboard shortcuts", () => (isHelpOpen.value = !isHelpOpen.value));
  useKey("g t", "Light, dark or as the system", nextTheme);
  if (isLockedOut.value) return <Login />;
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <div class="shell">
        <Navigation onHelp={() => (isHelpOpen.value = true)} />
        <main id="main">
          <Current />
        </main>
      </div>
      {isHelpOpen.value && <Help onClose={() => (isHelpOpen.value = false)} />}
      <Toasts />
    </>
  );
}

function Navigation({ onHelp }: { onHelp: () => void }) {
  const at = place.value;
  // On a phone the pages scroll beside each other.
  useEffect(() => document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [at.page]);
  const themeIcon = theme.value === "system" ? "system" : theme.value === "light" ? "sun" : "moon";
  return (
    <nav aria-label="Pages">
      <div class="brand">
        <img src="/page/icon.svg" alt="" width={22} height={22} />
        <span>spanloop</span>
      </div>
      <ProjectMenu />
      <div class="nav-pages">
        {PAGES.map((page) => (
          <NavLink key={page.id} page={page} isCurrent={page.id === at.page} />
        ))}
      </div>
      <div class="nav-foot">
        <Button kind="quiet" icon={themeIcon} label={`Look: ${theme.value}`} onClick={nextTheme} />
        <Button kind="quiet" icon="help" label="Keyboard shortcuts (?)" onClick={onHelp} />
        {key.value && <Button kind="quiet" icon="key" label="Sign out" onClick={() => signOut()} />}
      </div>
    </nav>
  );
}

function NavLink({ page, isCurrent }: { page: Page; isCurrent: boolean }) {
  const open = () => go(addressOf(page.id));
  useKey(`g ${page.key}`, page.title, open, Boolean(project.value));
  return (
    <a href={addressOf(page.id)} aria-current={isCurrent ? "page" : undefined} title={`${page.title} (g ${page.key})`}>
      <Icon name={page.icon} />
      <span>{page.title}</span>
    </a>
  );
}

function ProjectMenu() {
  const isOpen = useSignal(false);
  const projects = useLoaded(isOpen.value ? "projects" : null, (signal) => askRows<{ project: string }>(PROJECTS, { signal }));
  const name = project.value || "…";
  return (
    <Menu kind="project" label={`Project ${name}`} button={<><span class="project-sign" aria-hidden="true">{name.slice(0, 1).toUpperCase()}</span><span class="ellipsis grow">{name}</span><Icon name="down" size={12} /></>}>
      {(close) => (
        <div ref={(element) => void (element && (isOpen.value = true))}>
          {projects.isLoading && <div class="menu-note"><Spinner /></div>}
          {projects.error !== undefined && <ErrorBox error={projects.error} />}
          {projects.data?.map((row) => (
            <MenuItem key={row.project} isOn={row.project === project.value} onClick={() => (go(addressOf(place.value.page || "logs", {}, row.project)), close())}>
              {row.project}
            </MenuItem>
          ))}
          {projects.data?.length === 0 && <div class="menu-note">No project has rows yet.</div>}
        </div>
      )}
    </Menu>
  );
}

function Current() {
  const { page, project: name } = place.value;
  if (!name) return <Start />;
  const found = PAGES.find((one) => one.id === page);
  if (!found) return page ? <NoSuchPage /> : <Redirect to={addressOf("logs")} />;
  return <LoadedPage key={`${found.id} ${name}`} page={found} />;
}

function Redirect({ to }: { to: string }) {
  useEffect(() => go(to, { replace: true }), [to]);
  return null;
}

function NoSuchPage() {
  return (
    <Empty icon="search" title="There is no such page">
      <p>Perhaps the address was cut. <a href={addressOf("logs")}>Look at the logs</a> instead.</p>
    </Empty>
  );
}

function LoadedPage({ page }: { page: Page }) {
  const code = useLoaded(page.id, () => page.load());
  useEffect(() => void (document.title = `${page.title} · ${project.value} · spanloop`), [page]);
  if (code.error) return <ErrorBox what={`${page.title} could not be loaded`} error={code.error} onRetry={() => location.reload()} />;
  const Component: ComponentType | undefined = code.data?.default;
  return Component ? <Component /> : <div class="page-loading"><Spinner /></div>;
}

/** The way in without a project: the one with the most rows, or how to get the first. */
function Start() {
  const projects = useLoaded("projects", (signal) => askRows<{ project: string }>(PROJECTS, { signal }));
  const first = projects.data?.[0];
  useEffect(() => {
    if (first) go(addressOf("logs", {}, first.project), { replace: true });
  }, [first]);
  useEffect(() => {
    if (!projects.data || first) return;
    const again = setTimeout(projects.reload, 2000);
    return () => clearTimeout(again);
  }, [projects.data]);
  if (projects.error) return <ErrorBox what="The projects could not be read" error={projects.error} onRetry={projects.reload} />;
  if (!projects.data || first) return <div class="page-loading"><Spinner /></div>;
  return <FirstSteps />;
}

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {boundKeys().map(({ keys, label }) => (
          <div key={keys}>
            <dt>{label}</dt>
            <dd>{keys.split(", ").map((one) => <kbd key={one}>{one.replace("Mod", "Ctrl")}</kbd>)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
