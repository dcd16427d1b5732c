// Controls and pictures that a screen reader could not name.
() =>
  [...document.querySelectorAll("button, a[href], input, select, textarea, [role=img], dialog")]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
      const named = element.getAttribute("aria-label") || element.getAttribute("title") || element.textContent.trim();
      return !named && !element.labels?.length;
    })
    .map((element) => element.outerHTML.slice(0, 160))
