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

document.addEventListener("renewed", settle);
settle();
