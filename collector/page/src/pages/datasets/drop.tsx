// A part of the page that takes a file dropped on it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export function DropZone(props: { class: string; what: string; onFile: (file: File) => void; children: ComponentChildren }) {
  const [isOver, setOver] = useState(false);
  const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const over = (event: DragEvent) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file) props.onFile(file);
  };
  const leave = (event: DragEvent) => {
    if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) setOver(false);
  };
  return (
    <div class={`${props.class} column`} onDragOver={over} onDragLeave={leave} onDrop={drop}>
      {props.children}
      {isOver && <div class="drop-hint">Drop it for {props.what}: CSV, JSON or JSON lines</div>}
    </div>
  );
}
