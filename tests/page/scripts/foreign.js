// Elements and attributes that the page itself never makes: they could only come out of a span.
() => {
  const never = ["IFRAME", "OBJECT", "EMBED", "BASE"];
  const isOurScript = (element) => element.getAttribute("src")?.startsWith("/page/");
  const isAddress = (name) => ["href", "src", "action"].includes(name);
  const isForeign = (element) =>
    never.includes(element.tagName) ||
    (element.tagName === "SCRIPT" && !isOurScript(element)) ||
    (element.tagName === "FORM" && element.hasAttribute("action")) ||
    (element.tagName === "IMG" && !/^(blob:|data:image|\/page\/)/.test(element.getAttribute("src") ?? "")) ||
    [...element.attributes].some(
      ({ name, value }) =>
        name.startsWith("on") || name === "srcdoc" || (isAddress(name) && /^\s*(javascript|vbscript|data:text)/i.test(value)),
    );
  return [...document.querySelectorAll("*")].filter(isForeign).map((element) => element.outerHTML.slice(0, 200));
}
