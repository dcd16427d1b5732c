// A score given by a person: its name and its value.
import { useId, useState } from "preact/hooks";
import { Button } from "./basics";

interface Props {
  /** Names to offer. */
  known: string[];
  onScore: (name: string, value: number) => void;
}

export function ScoreForm({ known, onScore }: Props) {
  const [name, setName] = useState("");
  const [percent, setPercent] = useState(100);
  const list = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    onScore(name.trim(), percent / 100);
  };
  return (
    <form class="menu-form" onSubmit={submit}>
      <label>Name <input value={name} list={list} placeholder="helpfulness" onInput={(event) => setName(event.currentTarget.value)} /></label>
      <datalist id={list}>{known.map((one) => <option key={one} value={one} />)}</datalist>
      <label>{percent}% <input type="range" min={0} max={100} step={5} value={percent} onInput={(event) => setPercent(Number(event.currentTarget.value))} /></label>
      <Button type="submit" kind="primary" disabled={!name.trim()}>Save</Button>
    </form>
  );
}
