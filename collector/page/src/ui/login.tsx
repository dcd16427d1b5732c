// Asks for the key of a collector that requires one.
import { useState } from "preact/hooks";
import { lockReason, signIn } from "../lib/session";
import { errorReason } from "../lib/sql";
import { Button, Field } from "./basics";

export function Login() {
  const [text, setText] = useState("");
  const [reason, setReason] = useState(lockReason.value);
  const [isTrying, setTrying] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setTrying(true);
    try {
      await check(text.trim());
      signIn(text.trim());
    } catch (error) {
      setReason(errorReason(error));
    } finally {
      setTrying(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <img src="/page/icon.svg" alt="" width={40} height={40} />
        <h1>spanloop</h1>
        <p>This collector asks for an API key. It stays in this tab and is forgotten when the tab is closed.</p>
        <Field label="API key" hint={<><code>spanloop keys create NAME --scope read</code> makes one; the collector's own is in <code>admin.key</code> of its data folder.</>}>
          {(id) => <input id={id} type="password" autocomplete="off" autofocus spellcheck={false} placeholder="sl_…" value={text} onInput={(event) => setText(event.currentTarget.value)} />}
        </Field>
        {reason && <p class="bad" role="alert">{reason}</p>}
        <Button type="submit" kind="primary" disabled={!text.trim() || isTrying}>{isTrying ? "Checking…" : "Sign in"}</Button>
      </form>
    </main>
  );
}

async function check(key: string): Promise<void> {
  const answer = await fetch("/v1/status", { credentials: "omit", headers: { authorization: `Bearer ${key}` } });
  if (answer.ok) return;
  if (answer.status === 401) throw new Error("The collector does not know this API key. It may have been cut while copying, or revoked.");
  const body = await answer.json().catch(() => null);
  throw new Error(body?.error?.message ?? `The collector answered ${answer.status}.`);
}
