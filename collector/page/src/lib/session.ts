// What this browser remembers: the key for this tab, the look, small habits.
import { effect, signal, type Signal } from "@preact/signals";

const KEY = "spanloop.key";

/** The API key; in the tab's own storage, never in an address. */
export const key = signal(sessionStorage.getItem(KEY) ?? "");
/** True when the collector asked for a key that we do not have, or refused ours. */
export const isLockedOut = signal(false);
export const lockReason = signal("");

export function signIn(text: string): void {
  sessionStorage.setItem(KEY, text);
  key.value = text;
  isLockedOut.value = false;
}

export function signOut(reason = ""): void {
  sessionStorage.removeItem(KEY);
  key.value = "";
  lockReason.value = reason;
  isLockedOut.value = true;
}

/** A value that survives reloads in this browser. */
export function remembered<T>(name: string, initial: T): Signal<T> {
  const stored = localStorage.getItem(`spanloop.${name}`);
  const value = signal<T>(parse(stored, initial));
  effect(() => localStorage.setItem(`spanloop.${name}`, JSON.stringify(value.value)));
  return value;
}

function parse<T>(text: string | null, otherwise: T): T {
  try {
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export type Theme = "system" | "light" | "dark";

export const theme = remembered<Theme>("theme", "system");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener("change", () => (systemIsDark.value = prefersDark.matches));

effect(() => {
  const isDark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
});

export function nextTheme(): void {
  theme.value = theme.value === "system" ? "light" : theme.value === "light" ? "dark" : "system";
}
