// Walking along a chart with the keyboard. To a screen reader it is a slider, whose value is what stands at a point.

interface Walk {
  label: string;
  /** Points to walk along. */
  count: number;
  at: number | null;
  /** What stands there, in words. */
  words: string;
  /** `isLonger` with Shift: the way there is meant, not the place. */
  onStep: (at: number, isLonger: boolean) => void;
  /** Up and down, where there are several lines. */
  onLine?: ((step: number) => void) | undefined;
  onPick?: (() => void) | undefined;
  onLeave: () => void;
}

/** What the drawing needs to be one. */
export function walked({ label, count, at, words, onStep, onLine, onPick, onLeave }: Walk) {
  const here = at ?? -1;
  const places: Record<string, number> = { ArrowRight: here + 1, ArrowLeft: at === null ? count - 1 : here - 1, PageDown: here + 10, PageUp: here - 10, Home: 0, End: count - 1 };
  const press = (event: KeyboardEvent) => {
    const place = places[event.key];
    if (place !== undefined && count > 0) onStep(Math.max(0, Math.min(count - 1, place)), event.shiftKey);
    else if (onLine && (event.key === "ArrowUp" || event.key === "ArrowDown")) onLine(event.key === "ArrowUp" ? -1 : 1);
    else if (onPick && at !== null && (event.key === "Enter" || event.key === " ")) onPick();
    else if (event.key === "Escape" && at !== null) onLeave();
    else return;
    event.preventDefault();
  };
  return {
    role: "slider" as const,
    tabIndex: 0,
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": Math.max(0, count - 1),
    "aria-valuenow": Math.max(0, here),
    "aria-valuetext": words,
    onKeyDown: press,
    onBlur: onLeave,
  };
}
