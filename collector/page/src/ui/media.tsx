// Images, sounds and documents inside of values: data that came with the span, and attachments kept by the collector.
// Nothing is ever fetched from anywhere else.
import { useEffect, useState } from "preact/hooks";
import { request } from "../lib/api";
import { bytes } from "../lib/format";
import { project } from "../lib/router";
import { saveFile } from "../lib/save";
import { Button, ErrorBox, Spinner } from "./basics";
import { OutsideLink } from "./markdown";

export interface Attachment {
  type: "attachment" | "external_attachment" | "braintrust_attachment";
  filename?: string;
  content_type?: string;
  key?: string;
  url?: string;
}

const SHOWN_TYPES = /^(image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)|audio\/[\w.+-]+|video\/[\w.+-]+|application\/pdf)$/;
const DATA_URI = /^data:((?:image|audio|video)\/[\w.+-]+|application\/pdf);base64,([A-Za-z0-9+/=\s]+)$/;
const MAX_DATA = 20_000_000;

export function isAttachment(value: unknown): value is Attachment {
  if (typeof value !== "object" || value === null) return false;
  const { type, key, url } = value as Record<string, unknown>;
  return typeof type === "string" && /^(spanloop_|braintrust_|external_)?attachment$/.test(type) && typeof (key ?? url) === "string";
}

/** True for a text that holds a picture, a sound or a document. */
export function isDataUri(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("data:") && value.length < MAX_DATA && DATA_URI.test(value.slice(0, 200).replace(/,.*$/s, ",A"));
}

export function AttachmentView({ value }: { value: Attachment }) {
  const name = value.filename || value.key || "attachment";
  if (!value.key) return <OutsideLink address={value.url ?? ""} label={`${name} (elsewhere, not loaded)`} />;
  return <Loaded name={name} type={value.content_type ?? ""} load={() => loadAttachment(value.key!)} of={value.key} />;
}

export function DataView({ uri, name = "" }: { uri: string; name?: string }) {
  const type = uri.slice(5, uri.indexOf(";"));
  return <Loaded name={name || type} type={type} of={uri.slice(0, 100) + uri.length} load={async () => new Blob([decode(uri)], { type })} />;
}

async function loadAttachment(key: string): Promise<Blob> {
  return (await request(`/v1/attachments/${encodeURIComponent(key)}?${new URLSearchParams({ project: project.value })}`)).blob();
}

function decode(uri: string): Uint8Array<ArrayBuffer> {
  const binary = atob(uri.slice(uri.indexOf(",") + 1).replace(/\s/g, ""));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Fetched, and shown as what it says it is: never as a document that could run anything. */
function Loaded(props: { name: string; type: string; of: string; load: () => Promise<Blob> }) {
  const [state, setState] = useState<{ address?: string; blob?: Blob; error?: unknown }>({});
  useEffect(() => {
    let address = "";
    let isGone = false;
    props.load().then(
      (blob) => {
        if (isGone) return;
        const type = SHOWN_TYPES.test(props.type) ? props.type : "application/octet-stream";
        address = URL.createObjectURL(new Blob([blob], { type }));
        setState({ address, blob });
      },
      (error) => isGone || setState({ error }),
    );
    return () => {
      isGone = true;
      if (address) URL.revokeObjectURL(address);
    };
  }, [props.of]);
  if (state.error) return <ErrorBox what={props.name} error={state.error} />;
  if (!state.address || !state.blob) return <Spinner label={`Loading ${props.name}`} />;
  return (
    <figure class="media">
      <Player address={state.address} type={props.type} name={props.name} />
      <figcaption>
        <span class="grow">{props.name} · {bytes(state.blob.size)}</span>
        <Button kind="quiet" icon="download" label={`Save ${props.name}`} onClick={() => saveFile(state.blob!, props.name)} />
      </figcaption>
    </figure>
  );
}

function Player({ address, type, name }: { address: string; type: string; name: string }) {
  if (!SHOWN_TYPES.test(type)) return null;
  if (type.startsWith("image/")) return <img src={address} alt={name} />;
  if (type.startsWith("audio/")) return <audio src={address} controls aria-label={name} />;
  if (type.startsWith("video/")) return <video src={address} controls aria-label={name} />;
  return <iframe src={address} title={name} />;
}
