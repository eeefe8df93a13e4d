// Sends forms without leaving the page, and keeps what is marked as live current.
const all = (q, root = document) => [...root.querySelectorAll(q)];
const said = document.querySelector("#said");
let hush, busy, again;

function say(text, tone) {
  said.textContent = text;
  said.className = tone;
  clearTimeout(hush);
  if (tone === "good") hush = setTimeout(() => { said.textContent = ""; }, 6000);
}

// What somebody is filling in stays as it is.
const inUse = (e) => e.contains(document.activeElement) && document.activeElement.matches("input,select,textarea");
const name = (e) => e && [e.form?.action, e.formAction, e.href, e.value, e.textContent].join();

async function look() {
  if (busy) return again = true;
  busy = true;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    for (const old of all("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (!fresh || fresh.isEqualNode(old) || inUse(old)) continue;
      const at = old.contains(document.activeElement) && name(document.activeElement);
      old.replaceWith(fresh);
      if (at) all("a,button", fresh).find((e) => name(e) === at)?.focus({ preventScroll: true });
    }
    document.title = page.title;
    if (said.className === "lost") say("", "");
  } catch { say("The stand-in does not answer.", "lost"); }
  busy = false;
  if (again) look(again = false);
}

document.addEventListener("submit", async (event) => {
  const form = event.target, by = event.submitter;
  if (form.method !== "post") return;
  event.preventDefault();
  const action = by?.getAttribute("formaction") || form.getAttribute("action");
  try {
    const body = new URLSearchParams(new FormData(form, by));
    const answer = await fetch(action, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json();
    say(answer.ok ? told.said : `Not done: ${told.detail}. ${told.hint ?? ""}`, answer.ok ? "good" : "bad");
    if (answer.ok && "once" in form.dataset) form.reset();
  } catch { say("The stand-in does not answer.", "lost"); }
  look();
});

document.body.classList.add("scripted");
for (const select of all("[data-submit]")) select.onchange = () => select.form.submit();
setInterval(() => document.hidden || look(), 1500);
