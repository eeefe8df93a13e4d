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

// A text goes to the clipboard. Where a browser does not give it, the text is selected to be copied by hand. The older way
// comes first: the newer one is for encrypted pages alone.
async function copy(button) {
  const text = button.parentElement.querySelector("pre"), [shape, said] = [button.querySelector("use"), button.querySelector("span")];
  const was = [shape.getAttribute("href"), said.textContent];
  getSelection().selectAllChildren(text);
  const done = document.execCommand("copy") || await navigator.clipboard?.writeText(text.textContent).then(() => true, () => false);
  if (button.dataset.copy) return;
  button.dataset.copy = said.textContent = done ? "Copied" : "Press Ctrl+C to copy";
  if (done) shape.setAttribute("href", "#i-check");
  setTimeout(() => {
    button.dataset.copy = "";
    shape.setAttribute("href", was[0]);
    said.textContent = was[1];
  }, 3000);
}

// A secret is seen while it is typed, and hidden again before it is sent: browsers remember what was plain.
const field = (button) => button.parentElement.querySelector("input");
function show(button, isShown) {
  field(button).type = isShown ? "text" : "password";
  button.textContent = isShown ? "Hide" : "Show";
}
document.addEventListener("submit", ({ target }) => {
  for (const button of all("[data-show]")) if (target.contains(button)) show(button, false);
}, true);

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button");
  if (button?.matches("[data-clear]")) clear();
  else if (button?.matches("[data-copy]")) copy(button);
  else if (button?.matches("[data-show]")) show(button, field(button).type === "password");
});
