// A menu of files to save; while one is made, the way to stop it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { isAbort } from "../lib/api";
import { saveFile } from "../lib/save";
import { download } from "../lib/sql";
import { Button, Menu, MenuItem, toast, toastError } from "./basics";
import { Icon } from "./icons";

export interface FileChoice {
  title: string;
  hint?: string;
  /** Name of the file. */
  name: string;
  load: (signal: AbortSignal) => Promise<Blob>;
}

export function ExportMenu({ label, files, children }: { label: string; files: FileChoice[]; children?: ComponentChildren }) {
  const [running, setRunning] = useState<AbortController | null>(null);
  const save = async ({ name, load }: FileChoice) => {
    const mine = new AbortController();
    setRunning(mine);
    try {
      saveFile(await load(mine.signal), name);
      toast(`Saved ${name}`);
    } catch (error) {
      if (!isAbort(error)) toastError("The export did not work", error);
    } finally {
      setRunning(null);
    }
  };
  if (running) return <Button icon="stop" label="Stop the export" onClick={() => running.abort()}>Exporting…</Button>;
  return (
    <Menu align="right" label={label} button={<><Icon name="download" />{children}</>}>
      {(close) => files.map((file) => <MenuItem key={file.name} hint={file.hint ?? ""} onClick={() => (void save(file), close())}>{file.title}</MenuItem>)}
    </Menu>
  );
}

const FORMATS = [["CSV", "CSVWithNames", "csv"], ["JSON lines", "JSONEachRow", "jsonl"], ["Parquet", "Parquet", "parquet"]] as const;

/** The result of a statement in every format. */
export function resultFiles(sql: string, name: string): FileChoice[] {
  return FORMATS.map(([title, format, extension]) => ({ title, name: `${name}.${extension}`, load: (signal) => download(sql, format, { signal }) }));
}
