// Keeps an open page current. Without it a page is as old as it says.
const $ = (q, root = document) => root.querySelector(q), main = () => $("#main");
const all = (q, root) => [...root.querySelectorAll(q)], still = { preventScroll: true };
const keyed = (root) => new Map(all("[data-key]", root).map((e) => [e.dataset.key, e]));
const isList = () => main().dataset.live === "list";
const chooses = () => $("#main :is(details[open], form:focus-within, form.choose)");
const figures = () => main().dataset.live === "figures";
// What is ticked stays so.
const keep = (next, root) => all("input:checked", root).forEach((e) => {
  const same = $(`[value="${e.value}"]`, next);
  if (same) same.checked = true;
});
// Of a row that is as it was comes its place alone.
const fill = (next, old) => all("[data-same]", next).forEach((place) => {
  const row = old.get(place.dataset.key).cloneNode(true);
  row.classList.remove("changed");
  all("input", row).forEach((e) => { e.checked = false; });
  place.replaceWith(row);
});
const height = (e) => e.getBoundingClientRect().top, { body } = document;
// A few looks at once, then one a second; figures cost more than rows.
const pause = () => figures() ? 4000 : 1000;
let busy, late, doubt, newest, waits, pressed, isOut, spare = 4;

// What differs from how it was shown.
const typed = (e) => e.options ? e.selectedIndex !== Math.max(0, [...e.options].findIndex((o) => o.defaultSelected))
  : e.matches("textarea, input:not([type=hidden])") && (e.checked !== e.defaultChecked
    // Browsers leave out seconds that are zero.
    || ![e.value, e.value + ":00"].includes(e.defaultValue));
// What nobody takes from a person: the menu that is open, and the form that somebody is in or has written in.
const held = () => all("details.menu[open], form", main()).filter((e) => e.open || e.matches(".choose, :focus-within")
  || e.localName === "form" && [...e.elements].some(typed));
// By this an element is known again.
const mark = (e) => [e.localName, e.id, e.className, e.getAttribute?.("aria-labelledby"), e.dataset?.key,
  e.localName === "form" ? e.getAttribute("action") : e.localName === "details" && $("summary", e)?.textContent].join();

function say(text, act = "") {
  const news = $("#news"), show = $("#show");
  if (news.textContent !== text) news.textContent = text;
  show.textContent = act;
  show.hidden = !act;
}

// What is typed stays on the page until somebody goes to sign in.
function signedOut() {
  isOut = true;
  say("Signed out, data from " + $("#asof").dataset.at, "Sign in");
  body.className = "lost";
}

function lost() {
  if (isOut) return;
  say("Connection lost, data from " + $("#asof").dataset.at);
  body.className = "lost";
}

// Everything of `next` but the counterparts of what stays. That is not moved, since it would lose the focus.
function around(old, next, stays) {
  for (const { name, value } of next.attributes) old.setAttribute(name, value);
  const rest = [...next.childNodes];
  for (const child of [...old.childNodes]) {
    if (!stays.some((e) => child.contains(e))) {
      child.remove();
      continue;
    }
    const at = rest.findIndex((e) => mark(e) === mark(child));
    if (at < 0) continue;
    const [twin] = rest.splice(at, 1);
    child.before(...rest.splice(0, at));
    if (!stays.includes(child)) around(child, twin, stays);
  }
  old.append(...rest);
}

// Everything new; focus, what is open, what is typed and what is on the screen stay.
function whole(next) {
  const old = main(), stays = isList() ? [] : held(), at = document.activeElement;
  const [key, first] = [...keyed(old)].find(([, e]) => scrollY > 80 && height(e) > 48) || [];
  const anchor = stays[0] ?? first, was = anchor && height(anchor);
  keep(next, old);
  for (const e of all("details[open]", old)) {
    const same = all("details", next).find((other) => mark(other) === mark(e));
    if (same) same.open = true;
  }
  if (stays.length) around(old, next, stays);
  else old.replaceWith(next);
  waits = stays.some((e) => !e.matches(".choose"));
  document.dispatchEvent(new Event("renewed"));
  if (!at.isConnected) {
    all(at.localName, main()).find((e) => at.href ? e.href === at.href : e.textContent === at.textContent)?.focus(still);
  }
  const same = stays[0] ?? keyed(main()).get(key);
  if (same) scrollBy(0, height(same) - was);
  say("");
}

// What was held back comes as soon as it is left; not between the two halves of a click.
const leave = () => setTimeout(() => waits && !pressed && look());

// Rows change in place; what would move them waits for a click.
function rows(next) {
  const old = keyed(main()), fresh = keyed(next), keys = [...fresh.keys()];
  if (!chooses() && (!old.size || document.hidden)) return whole(next);
  for (const [key, row] of old) {
    const e = fresh.get(key)?.cloneNode(true);
    if (!e || e.isEqualNode(row)) continue;
    if (e.dataset.row !== row.dataset.row) e.classList.add("changed");
    const at = $(":focus", row);
    keep(e, row);
    row.replaceWith(e);
    if (at) $(at.localName, e).focus(still);
  }
  main().dataset.version = next.dataset.version;
  const n = keys.filter((key) => !old.has(key)).length;
  newest = next;
  if (n) say(`${n} new incident${n > 1 ? "s" : ""} since you opened this list`, "Show");
  else if (keys + "" === [...old.keys()] + "") say("");
  else say("The order has changed", "Sort again");
}

async function look() {
  // A page that is being left is the shape of the next one.
  if (busy || main().ariaBusy) return late = true;
  busy = true;
  try {
    const old = keyed(main()), marks = [...old.values()].map((e) => e.dataset.mark ?? "").join(" ");
    const answer = await fetch("", isList() ? { headers: { "im-has": marks } } : {});
    if (answer.redirected || answer.status === 401) return signedOut();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html"), next = $("[data-live]", page);
    if (!next) throw next;
    isOut = false;
    fill(next, old);
    for (const q of [".count", ".sync", "#asof"]) $(q).replaceWith($(q, page));
    document.title = page.title;
    body.className = "";
    if (isList()) $(".became")?.replaceWith($(".became", page) ?? "");
    (isList() ? rows : whole)(next);
  } catch { lost(); }
  finally {
    setTimeout(() => { busy = false; if (late) look(late = false); }, spare ? 0 : pause());
    spare = Math.max(spare - 1, 0);
  }
}

function listen() {
  const source = new EventSource("/live");
  source.onmessage = ({ data }) => {
    clearTimeout(doubt);
    if (body.className || data !== main().dataset.version) look();
  };
  // A browser has few connections, and one may keep a page that was left.
  onpagehide = () => source.close();
  source.onerror = () => {
    clearTimeout(doubt);
    doubt = setTimeout(lost, 2000);
    if (source.readyState === 2) look(), setTimeout(listen, 5000);
  };
}

$("#show").onclick = () => {
  if (isOut) return location.reload();
  whole(newest);
  newest.focus(still);
};
for (const event of ["focusout", "toggle"]) document.addEventListener(event, leave, true);
for (const event of ["pointerdown", "pointerup", "pointercancel"]) {
  document.addEventListener(event, () => { pressed = event === "pointerdown", leave(); }, true);
}
listen();
onpageshow = ({ persisted }) => persisted && listen();
setInterval(() => document.hidden || look(), 60000);
setInterval(() => { spare = Math.min(spare + 1, 4); }, pause());
// An import.
setInterval(() => document.hidden || !$("[data-again]") || look(), 2000);
