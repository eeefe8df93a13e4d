// What a person sees of a page and does with it, by words. Each is null until it is possible.
const plain = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();
const shows = (text) => document.body && plain(document.body.innerText).includes(plain(text));
const isSeen = (e) => e.checkVisibility({ visibilityProperty: true });
const names = (e) => plain(e.ariaLabel || e.innerText || e.value || "");
// Where to press, once nothing covers it.
const place = (e) => {
  if (!e) return null;
  e.scrollIntoView({ block: "center", behavior: "instant" });
  const [box] = e.getClientRects(), x = box && box.x + box.width / 2, y = box && box.y + box.height / 2;
  const hit = box && document.elementFromPoint(x, y);
  return hit && (e.contains(hit) || hit.control === e) ? { x, y } : null;
};
const pressed = (name) => {
  const all = [...document.querySelectorAll("a, button, summary, label, svg a")].filter(isSeen);
  const wanted = plain(name);
  return place(all.find((e) => names(e) === wanted) ?? all.find((e) => names(e).startsWith(wanted)));
};
const field = (label) => {
  const wanted = plain(label), fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const called = (e) => plain(e.ariaLabel || e.labels[0]?.innerText || e.placeholder || "");
  return fields.filter(isSeen).find((e) => called(e).startsWith(wanted));
};
const selected = (label) => {
  const e = field(label);
  e?.focus();
  e?.select();
  return !!e;
};
const chosen = (label, words) => {
  const e = field(label), option = e && [...e.options].find((one) => plain(one.text).startsWith(plain(words)));
  if (!option) return false;
  e.value = option.value;
  for (const kind of ["input", "change"]) e.dispatchEvent(new Event(kind, { bubbles: true }));
  return true;
};
const until = (is, patience) => new Promise((end) => {
  const last = performance.now() + patience;
  const look = () => {
    const found = is();
    if (found) end({ found });
    else if (performance.now() > last) end({ late: `${location.href}\n${document.body.innerText}` });
    else setTimeout(look, 15);
  };
  look();
});
