// Charts by keyboard: one tab stop each, arrows move. Without it each bucket is a stop of its own.
const hits = (e) => [...e.closest(".hits").children];

function settle() {
  for (const row of document.querySelectorAll(".hits")) {
    const all = [...row.children];
    all.forEach((e, i) => { e.tabIndex = i + 1 === all.length ? 0 : -1; });
  }
}

document.addEventListener("keydown", (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey) return;
  const hit = target.closest?.(".hit");
  if (hit) {
    const all = hits(hit), at = all.indexOf(hit);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[key];
    if (key === "Escape") return hit.blur();
    if (!all[to]) return;
    event.preventDefault();
    hit.tabIndex = -1;
    all[to].tabIndex = 0;
    return all[to].focus();
  }
});

// The chart as a picture: what is computed of its style goes into the drawing, which then needs no other file.
const LOOKS = ["overflow", "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "vector-effect", "paint-order", "font-family", "font-size", "font-weight", "text-anchor", "display", "text-transform"];
const SVG = "http://www.w3.org/2000/svg";

function drawn(chart) {
  const box = chart.getBoundingClientRect(), all = document.createElementNS(SVG, "svg"), head = 36;
  const add = (name, attributes, text) => {
    const e = all.appendChild(document.createElementNS(SVG, name));
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    if (text) e.textContent = text;
  };
  const ground = getComputedStyle(document.body), size = { width: Math.ceil(box.width), height: Math.ceil(box.height) + head };
  for (const key in size) all.setAttribute(key, size[key]);
  add("rect", { ...size, fill: ground.backgroundColor });
  const title = [document.querySelector("h1").textContent, document.querySelector(".filters summary b")?.textContent].filter(Boolean);
  add("text", { x: 12, y: 22, fill: ground.color, "font-family": ground.fontFamily, "font-size": 14, "font-weight": 600 }, title.join(", "));
  for (const part of chart.querySelectorAll(":scope > svg, .plot > svg")) {
    if (getComputedStyle(part).display === "none") continue;
    const copy = part.cloneNode(true), at = part.getBoundingClientRect();
    const from = [part, ...part.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
    from.forEach((e, i) => {
      const looks = getComputedStyle(e);
      for (const name of LOOKS) to[i].setAttribute(name, looks.getPropertyValue(name));
    });
    const place = { x: at.x - box.x, y: at.y - box.y + head, width: at.width, height: at.height };
    for (const key in place) copy.setAttribute(key, place[key]);
    all.append(copy);
  }
  return [new XMLSerializer().serializeToString(all), size];
}

document.addEventListener("click", async ({ target }) => {
  const name = target.dataset?.picture;
  if (!name) return;
  target.closest("details").open = false;
  const [xml, { width, height }] = drawn(document.querySelector(".chart"));
  const image = new Image(), canvas = document.createElement("canvas"), sharp = 2;
  image.src = "data:image/svg+xml," + encodeURIComponent(xml);
  await image.decode();
  Object.assign(canvas, { width: width * sharp, height: height * sharp });
  canvas.getContext("2d").drawImage(image, 0, 0, width * sharp, height * sharp);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name + ".png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
});

function offer() {
  for (const e of document.querySelectorAll("[data-picture]")) e.parentElement.hidden = !document.querySelector(".chart");
}

for (const ready of [settle, offer]) {
  document.addEventListener("renewed", ready);
  ready();
}
