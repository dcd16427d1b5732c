// Sends one trace with OpenTelemetry's exporter of that name: node send.cjs http http://127.0.0.1:4318/v1/traces
const { createRequire } = require("node:module");

const [kind, url] = process.argv.slice(2);
// Packages lie outside the repository.
const load = createRequire(`${process.env.PACKAGES}/package.json`);
const { TracerProvider, SimpleSpanProcessor } = load("@opentelemetry/sdk-trace");
const { trace, ROOT_CONTEXT } = load("@opentelemetry/api");
const { OTLPTraceExporter } = load(`@opentelemetry/exporter-trace-otlp-${kind}`);

const exporter = new OTLPTraceExporter({ url });
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer = provider.getTracer("javascript");
const root = tracer.startSpan("root", { attributes: { "user.id": "ada 🍀", count: 3, ratio: 0.5, tags: ["a", "b"] } });
tracer.startSpan("child", {}, trace.setSpan(ROOT_CONTEXT, root)).addEvent("happened", { why: "because" }).end();
root.end();
provider.shutdown();
