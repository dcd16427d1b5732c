// Chooses the range of time.
import { useState } from "preact/hooks";
import { moment } from "../lib/format";
import { CHOICES, DEFAULT_RANGE, type Range, readRange, writeRange } from "../lib/range";
import { Button, Menu, MenuItem } from "./basics";
import { Icon } from "./icons";

export function TimeRange({ value, onChange }: { value: string | null; onChange: (value: string | null) => void }) {
  const range = readRange(value);
  const label = range.isRelative ? (CHOICES.find(([id]) => id === range.label)?.[1] ?? `Last ${range.label}`) : `${moment(range.from)} – ${moment(range.to)}`;
  return (
    <Menu align="right" label="Range of time" button={<><Icon name="clock" /><span class="ellipsis">{label}</span></>}>
      {(close) => (
        <>
          {CHOICES.map(([id, name]) => (
            <MenuItem key={id} isOn={range.isRelative && range.label === id} onClick={() => (onChange(id === DEFAULT_RANGE ? null : id), close())}>
              {name}
            </MenuItem>
          ))}
          <Exact range={range} onChange={(text) => (onChange(text), close())} />
        </>
      )}
    </Menu>
  );
}

function Exact({ range, onChange }: { range: Range; onChange: (text: string) => void }) {
  const [from, setFrom] = useState(local(range.from));
  const [to, setTo] = useState(local(range.to));
  const isRight = Date.parse(from) < Date.parse(to);
  return (
    <form class="menu-form" onSubmit={(event) => (event.preventDefault(), isRight && onChange(writeRange(Date.parse(from), Date.parse(to))))}>
      <label>From <input type="datetime-local" step="1" value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
      <label>To <input type="datetime-local" step="1" value={to} onInput={(event) => setTo(event.currentTarget.value)} /></label>
      <Button type="submit" disabled={!isRight}>Use these times</Button>
    </form>
  );
}

function local(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
