// Buttons, tabs, menus, messages: the small parts that every page is made of.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { errorReason } from "../lib/sql";
import { Icon, type IconName } from "./icons";

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  label?: string;
  onClick?: (event: MouseEvent) => void;
  kind?: "plain" | "primary" | "quiet" | "danger";
  isOn?: boolean;
  disabled?: boolean;
  type?: "button" | "submit";
}

/** A button; with an icon alone, `label` is what it is called. */
export function Button({ children, icon, label, onClick, kind = "plain", isOn, disabled, type = "button" }: ButtonProps) {
  const isIconOnly = icon !== undefined && children === undefined;
  return (
    <button type={type} class={`button ${kind}${isIconOnly ? " icon-only" : ""}${isOn ? " on" : ""}`} aria-label={label} aria-pressed={isOn} title={label} disabled={disabled} onClick={onClick}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  options: readonly (readonly [T, ComponentChildren])[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few values. */
export function Segmented<T extends string>({ label, options, value: chosen, onChange }: ChoiceProps<T>) {
  return (
    <div class="segmented" role="radiogroup" aria-label={label}>
      {options.map(([value, name]) => <button type="button" role="radio" aria-checked={value === chosen} key={value} onClick={() => onChange(value)}>{name}</button>)}
    </div>
  );
}

/** One of a few parts of a page. */
export function Tabs<T extends string>({ label, options, value: chosen, onChange }: ChoiceProps<T>) {
  return (
    <div class="tabs" role="tablist" aria-label={label}>
      {options.map(([value, name]) => <button type="button" role="tab" aria-selected={value === chosen} key={value} onClick={() => onChange(value)}>{name}</button>)}
    </div>
  );
}

/** A button that opens a small panel beneath it; Escape and a click elsewhere close it. */
export function Menu(props: { button: ComponentChildren; label?: string; children: (close: () => void) => ComponentChildren; align?: "left" | "right"; kind?: string }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => setOpen(false);
  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => root.current?.contains(event.target as Node) || close();
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
      root.current?.querySelector("button")?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", escape, true);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", escape, true);
    };
  }, [isOpen]);
  return (
    <div class="menu" ref={root}>
      <button type="button" class={`button ${props.kind ?? "plain"}`} aria-haspopup="true" aria-expanded={isOpen} aria-controls={id} aria-label={props.label} title={props.label} onClick={() => setOpen(!isOpen)}>
        {props.button}
      </button>
      {isOpen && <MenuPanel id={id} align={props.align ?? "left"}>{props.children(close)}</MenuPanel>}
    </div>
  );
}

function MenuPanel(props: { id: string; align: "left" | "right"; children: ComponentChildren }) {
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = panel.current!;
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth - 8) element.style.translate = `${innerWidth - 8 - box.right}px 0`;
    if (box.left < 8) element.style.translate = `${8 - box.left}px 0`;
    element.style.maxHeight = `${Math.max(160, innerHeight - box.top - 12)}px`;
    element.querySelector<HTMLElement>("input, button")?.focus();
  }, []);
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const items = [...panel.current!.querySelectorAll<HTMLElement>("input, button")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
  };
  return (
    <div class={`menu-panel ${props.align}`} id={props.id} ref={panel} onKeyDown={move}>
      {props.children}
    </div>
  );
}

export function MenuItem(props: { children: ComponentChildren; onClick: () => void; isOn?: boolean; icon?: IconName; hint?: string }) {
  return (
    <button type="button" class="menu-item" aria-pressed={props.isOn} onClick={props.onClick}>
      <span class="menu-check">{props.isOn ? <Icon name="check" size={14} /> : props.icon ? <Icon name={props.icon} size={14} /> : null}</span>
      <span class="grow">{props.children}</span>
      {props.hint && <span class="hint">{props.hint}</span>}
    </button>
  );
}

export function Spinner({ label = "Loading" }: { label?: string }) {
  return <span class="spinner" role="status" aria-label={label} />;
}

/** What went wrong, what to do, and a way to try again. */
export function ErrorBox(props: { error: unknown; what?: string; onRetry?: () => void }) {
  return (
    <div class="error-box" role="alert">
      <Icon name="alert" />
      <div class="grow">
        {props.what && <strong>{props.what}</strong>}
        <p>{errorReason(props.error)}</p>
      </div>
      {props.onRetry && <Button onClick={props.onRetry}>Try again</Button>}
    </div>
  );
}

/** An empty place that says what belongs there and how it gets there. */
export function Empty(props: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon"><Icon name={props.icon} size={22} /></span>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

export function CopyButton({ text, label = "Copy", icon = "copy" }: { text: () => string; label?: string; icon?: IconName }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setDone(true);
      setTimeout(() => setDone(false), 1200);
    } catch {
      toast("The browser does not let this page use the clipboard.", "bad");
    }
  };
  return <Button kind="quiet" icon={isDone ? "check" : icon} label={isDone ? "Copied" : label} onClick={copy} />;
}

/** A window above the page that takes the focus until it is closed. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const outside = (event: MouseEvent) => event.target === dialog.current && props.onClose();
  return (
    <dialog ref={dialog} class={props.wide ? "wide" : ""} aria-label={props.title} onCancel={(event) => (event.preventDefault(), props.onClose())} onMouseDown={outside}>
      <header>
        <h2>{props.title}</h2>
        <Button kind="quiet" icon="close" label="Close" onClick={props.onClose} />
      </header>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}

interface Toast {
  id: number;
  text: string;
  kind: "good" | "bad";
}

const toasts = signal<Toast[]>([]);
let lastToast = 0;

/** A short message at the edge of the page. */
export function toast(text: string, kind: "good" | "bad" = "good"): void {
  const id = ++lastToast;
  toasts.value = [...toasts.value.slice(-3), { id, text, kind }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), kind === "bad" ? 9000 : 3500);
}

export function toastError(what: string, error: unknown): void {
  toast(`${what}: ${errorReason(error)}`, "bad");
}

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast ${one.kind}`}>
          <Icon name={one.kind === "good" ? "check" : "alert"} />
          <span>{one.text}</span>
        </div>
      ))}
    </div>
  );
}

export function Field(props: { label: string; hint?: ComponentChildren; children: (id: string) => JSX.Element }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children(id)}
      {props.hint && <p class="hint">{props.hint}</p>}
    </div>
  );
}
