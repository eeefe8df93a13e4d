// What helps on a page and asks the server nothing.
const all = (q) => [...document.querySelectorAll(q)];

// How many rows of a list are ticked, and an end to it. Rows come and go while the page renews itself.
const ticked = () => all("#main .pick :checked");
function count() {
  const said = document.querySelector(".how-many"), words = `${ticked().length} selected`;
  if (said && said.textContent !== words) said.textContent = words;
}
function clear() {
  const boxes = ticked();
  for (const box of boxes) box.checked = false;
  boxes[0]?.focus();
  count();
}
document.addEventListener("change", count);
addEventListener("pageshow", count);
new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
document.addEventListener("keydown", ({ key, target, defaultPrevented }) => {
  // What is open, and what somebody writes, has this key for itself.
  const isTaken = defaultPrevented || target.closest?.("details, dialog, [popover], textarea, select, input:not([type=checkbox])");
  if (key === "Escape" && !isTaken) clear();
});

document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-clear]")) clear();
});
