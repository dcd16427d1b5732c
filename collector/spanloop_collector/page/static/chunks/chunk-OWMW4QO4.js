import{E as r}from"./chunk-DDLFPAJ5.js";async function u(i,s,a,d){let p=(await r(i,{method:"POST",body:JSON.stringify(s),headers:{"content-type":"application/json"},signal:a})).body.pipeThrough(new TextDecoderStream).getReader(),e="";for(;;){let{done:n,value:c}=await p.read(),o=(e+(c??"")).split(`
`);e=n?"":o.pop();for(let t of o)t&&d(JSON.parse(t));if(n)return}}export{u as a};
