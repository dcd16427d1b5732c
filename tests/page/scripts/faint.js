// Texts with less contrast than 4.5 to 1, which WCAG AA asks for at this size.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) known.set(colour, drawn(colour));
    return known.get(colour);
  };
  const drawn = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => below.map((value, at) => top[at] * top[3] + value * (1 - top[3]));

  const grounds = new Map([[null, [255, 255, 255]]]);
  const ground = (element) => {
    if (!grounds.has(element)) {
      const layer = rgba(getComputedStyle(element).backgroundColor);
      grounds.set(element, over(layer, ground(element.parentElement)));
    }
    return grounds.get(element);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const behind = ground(element);
    const style = getComputedStyle(element);
    const text = over(rgba(element instanceof SVGElement ? style.fill : style.color), behind);
    const [high, low] = [luminance(text), luminance(behind)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };

  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const isShown = (element) => element.checkVisibility({ opacityProperty: true });
  const found = new Map();
  for (const element of document.querySelectorAll("body *")) {
    // Text on a bar has the bar behind it, which is no parent; disabled controls may be faint.
    if (!hasText(element) || !isShown(element) || element.closest(":disabled, .span-duration.inside")) continue;
    const ratio = contrast(element);
    const name = element.className.baseVal ?? element.className;
    if (ratio < 4.5) found.set(name, `${name || element.tagName}: ${element.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...found.values()];
}
