// How the first row gets here.
import { project } from "../lib/router";
import { Empty, Spinner } from "./basics";

export function FirstSteps() {
  return (
    <Empty icon="llm" title="Waiting for the first span">
      <p>Trace a call, and it shows here a moment later.</p>
      <pre class="code">{`import openai, spanloop

spanloop.init(project=${JSON.stringify(project.value || "support")})
client = spanloop.wrap_openai(openai.OpenAI())
client.chat.completions.create(model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}])`}</pre>
      <p>Any OpenTelemetry SDK works as well: <code>export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317</code></p>
      <p class="hint"><Spinner label="Watching" /> This page opens the project as soon as it has rows.</p>
    </Empty>
  );
}
