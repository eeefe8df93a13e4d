// Shortcuts, and the dialog of an incident that is declared. What a key does is said by what it belongs to (`data-hotkey`); rows of a list have theirs here.
// Silent while somebody types, and off for whoever does not want them.
const all = (q) => [...document.querySelectorAll(q)];
const OFF = "no-shortcuts", isOff = () => localStorage.getItem(OFF);
const types = (e) => e.isContentEditable || e.matches?.("textarea, select, input:not([type=checkbox])");
let before = "", forget;

// Every row of the list has a link; the one with the focus is where somebody is.
function move(by) {
  const rows = all("#main tr[data-key] .title");
  const at = rows.findIndex((e) => e.closest("tr").contains(document.activeElement));
  const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by;
  rows[to]?.focus();
  rows[to]?.closest("tr").scrollIntoView({ block: "nearest" });
  return rows.length > 0;
}

function tick() {
  const row = document.activeElement.closest?.("tr[data-key]"), box = row?.querySelector(".pick input");
  box?.click();
  return box;
}

// Whom it is given to is chosen on its page.
function assign() {
  const link = document.activeElement.closest?.("tr[data-key]")?.querySelector(".title");
  if (link) location.href = link.href + "#assign";
  return link;
}

function use(e) {
  if (e.matches("input, textarea")) return e.focus(), e.select();
  e.click();
  if (e.matches("summary")) e.parentElement.querySelector("textarea, select, input:not([type=hidden])")?.focus();
}

document.addEventListener("keydown", (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  // Some keyboards have brackets on a key of the third level.
  const isChord = (ctrlKey || metaKey || altKey) && !event.getModifierState("AltGraph");
  if (isChord || event.isComposing || event.defaultPrevented) return;
  const menu = target.closest?.("details.menu[open]");
  if (menu && key === "Escape") {
    menu.open = false;
    return menu.firstElementChild.focus();
  }
  if (types(target)) return key === "Escape" && target.blur();
  if (key === "Escape" && document.querySelector("dialog[open], :popover-open")) return;
  if (isOff() || target.closest?.(".hit") && !"?t[]".includes(key)) return;
  clearTimeout(forget);
  const keys = before + key.toLowerCase(), found = all("[data-hotkey]").filter((e) => e.dataset.hotkey === keys).at(-1);
  before = "";
  if (found) use(found);
  else if (keys === "g") {
    before = "g ";
    forget = setTimeout(() => { before = ""; }, 1500);
  } else if (!{ j: () => move(1), k: () => move(-1), x: tick, i: assign }[keys]?.()) return;
  event.preventDefault();
});

// A click beside an open menu closes it.
document.addEventListener("click", ({ target }) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});

// A form is sent by one press. Its button says so until the answer is there, or does not come.
const sending = new Map();
const free = () => {
  for (const [form, [button, ...words]] of sending) {
    button.disabled = false;
    button.replaceChildren(...words);
    sending.delete(form);
  }
};
document.addEventListener("submit", (event) => {
  const { target, submitter } = event;
  if (event.defaultPrevented || target.method !== "post" || !submitter) return;
  if (sending.has(target)) return event.preventDefault();
  sending.set(target, [submitter, ...submitter.childNodes]);
  // A button that is off sends no value of its own.
  setTimeout(() => { submitter.disabled = true; submitter.textContent = "Sending…"; });
  setTimeout(free, 15000);
});
addEventListener("pageshow", free);

// Where the same page of other filters, another range or the next rows takes its time, what is there becomes the shape
// of what comes. Other pages have another shape.
const SLOW = 150, GIVEN_UP = 15000;
let waits = [];
const settle = () => {
  for (const wait of waits.splice(0)) clearTimeout(wait);
  document.querySelector("#main").removeAttribute("aria-busy");
};
const leave = (url) => {
  if (url.origin + url.pathname !== location.origin + location.pathname || url.search === location.search) return;
  settle();
  waits = [setTimeout(() => document.querySelector("#main").setAttribute("aria-busy", "true"), SLOW), setTimeout(settle, GIVEN_UP)];
};
addEventListener("click", (event) => {
  const link = event.target.closest?.("#main a[href]");
  const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (link && !elsewhere && !event.defaultPrevented) leave(new URL(link.href));
});
addEventListener("submit", ({ target, defaultPrevented }) => {
  if (defaultPrevented || target.method !== "get") return;
  const url = new URL(target.action);
  url.search = new URLSearchParams(new FormData(target));
  leave(url);
});
addEventListener("pageshow", settle);

const choice = document.querySelector("#keys input");
if (choice) {
  choice.parentElement.hidden = false;
  choice.checked = !isOff();
  choice.onchange = () => choice.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1");
}

// A link to the search is one to write in it, and one to whom an incident is given to chooses there.
const seek = () => ({ "#search": ["#search"], "#assign": ["[data-hotkey=i]"] }[location.hash] ?? []).flatMap(all).forEach(use);
addEventListener("hashchange", seek);
seek();

// Whoever asked for other filters chooses there.
document.querySelector("#main form.choose")?.querySelector("select, input:not([type=hidden])").focus();

// An incident is declared from wherever somebody is: the form of its page, in a dialog. What was typed stays until it is sent.
// Without this, or where there is no answer, the link leads to the page.
const DECLARE = "/declare", dialog = document.createElement("dialog");
dialog.className = "declare entry";
dialog.setAttribute("aria-label", "Declare an incident");

async function declare() {
  if (dialog.open) return;
  if (!dialog.isConnected) {
    const answer = await fetch(DECLARE);
    if (answer.redirected || !answer.ok) throw answer;
    // The form comes first; PagerDuty may take a while to say who is on call.
    const parts = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "", page;
    const more = async () => {
      const { done, value } = await parts.read();
      text += value ?? "";
      page = new DOMParser().parseFromString(text, "text/html");
      return !done;
    };
    while (await more() && !page.querySelector("#main [data-cancel]"));
    const close = document.createElement("button");
    close.className = "quietly";
    close.textContent = "Close";
    close.onclick = () => dialog.close();
    const head = document.createElement("header");
    head.append(page.querySelector("#main h1"), close);
    dialog.append(head, page.querySelector("#main .entry form"));
    const whom = page.querySelector("#main .whom");
    if (whom) dialog.append(whom);
    const rest = async () => { while (await more()); whom?.replaceWith(page.querySelector("#main .whom")); };
    rest().catch(() => whom?.remove());
    dialog.querySelector("[data-cancel]").onclick = (event) => { event.preventDefault(); dialog.close(); };
    document.body.append(dialog);
  }
  dialog.showModal();
  dialog.querySelector("[name=title]").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(`a[href="${DECLARE}"]`);
  const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || elsewhere || location.pathname === DECLARE) return;
  event.preventDefault();
  declare().catch(() => { location.href = DECLARE; });
});
