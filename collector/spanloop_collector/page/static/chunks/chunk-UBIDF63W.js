import{d as e,l as o,n as p}from"./chunk-DT3DGU4S.js";function n(){return e(p,{icon:"llm",title:"Waiting for the first span",children:[e("p",{children:"Trace a call, and it shows here a moment later."}),e("pre",{class:"code",children:`import openai, spanloop

spanloop.init(project="support")
client = spanloop.wrap_openai(openai.OpenAI())
client.chat.completions.create(model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}])`}),e("p",{children:["Any OpenTelemetry SDK works as well: ",e("code",{children:"export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317"})]}),e("p",{class:"hint",children:[e(o,{label:"Watching"})," This page opens the project as soon as it has rows."]})]})}export{n as a};
