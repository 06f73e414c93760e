// Manners that every page shares: keys, forms sent once, a line that was lost. Pages work without it.

const typing = (target) => target.closest?.("input:not([type=checkbox],[type=radio],[type=button],[type=submit]), textarea, select, [contenteditable]");

// --- Keys -----------------------------------------------------------------------------------------------------------
// An element says its key: data-key="KeyN", "Ctrl+Enter", "Slash". The physical key counts (event.code), since Telex
// and VNI turn letters and digits into others; single keys are silent while somebody types, and can be switched off.
const keysOff = () => { try { return localStorage.getItem("hoso.keys") === "off"; } catch { return false; } };

function pressed(event) {
  const held = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.altKey ? "Alt+" : "") + (event.shiftKey ? "Shift+" : "");
  return held + event.code.replace("NumpadEnter", "Enter");
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || event.repeat || event.defaultPrevented) return;
  const key = pressed(event);
  const single = !event.ctrlKey && !event.metaKey && !event.altKey && !/^(Shift\+)?F\d+$/.test(key);
  if (single && (keysOff() || typing(event.target))) return;
  if (key === "Shift+Slash" || key === "F1") { event.preventDefault(); return showKeys(); }
  if (document.querySelector("dialog[open]")) return;
  if (single && moveRow(key, event)) return;
  const element = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key && e.getClientRects().length > 0 && !e.disabled);
  if (!element) return;
  event.preventDefault();
  if (element.matches("input:not([type=submit], [type=checkbox], [type=radio]), textarea, select")) { element.focus(); element.select?.(); }
  else {
    element.click();
    if (element.matches("summary") && element.parentElement.open) element.parentElement.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  }
});

// Lists walked by j and k, opened by Enter: [data-walk] holds rows whose first link is where they lead.
function moveRow(key, event) {
  if (key !== "KeyJ" && key !== "KeyK") return false;
  const links = [...document.querySelectorAll("[data-walk] [data-row] a[href]:first-of-type, [data-walk] [data-row] a.main")].filter((l, i, all) => all.findIndex((o) => o.closest("[data-row]") === l.closest("[data-row]")) === i);
  if (!links.length) return false;
  const at = links.findIndex((l) => l.closest("[data-row]").contains(document.activeElement));
  const next = key === "KeyJ" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
  links[next].focus();
  event.preventDefault();
  return true;
}

function nameOf(key) {
  return key.replace(/Key([A-Z])/, "$1").replace(/Digit(\d)/, "$1").replace("Slash", "/").replace("Escape", "Esc");
}

function wordsOf(element) {
  const copy = element.cloneNode(true);
  for (const key of copy.querySelectorAll("kbd")) key.remove();
  return element.dataset.keyName || element.getAttribute("aria-label") || copy.textContent.trim();
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog || dialog.open) return;
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  const rows = [...document.querySelectorAll("[data-key]")].filter((e) => e.getClientRects().length > 0).map((e) => [nameOf(e.dataset.key), wordsOf(e)]);
  if (document.querySelector("main [data-walk]")) rows.unshift(["J / K", list.dataset.walk]);
  rows.push(...[...document.querySelectorAll("[data-keys-also]")].flatMap((e) => e.dataset.keysAlso.split(";").map((pair) => pair.split("=").map((s) => s.trim()))));
  const once = new Map();
  for (const [key, what] of [...rows, ["? / F1", list.dataset.help]]) if (!once.has(key)) once.set(key, what);
  for (const [key, what] of once) {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    term.append(kbd);
    const meaning = document.createElement("dd");
    meaning.textContent = what.replace(/\s+/g, " ");
    row.append(term, meaning);
    list.append(row);
  }
  const off = dialog.querySelector("input[type=checkbox]");
  off.checked = keysOff();
  off.onchange = () => { try { localStorage.setItem("hoso.keys", off.checked ? "off" : "on"); } catch { /* private window: for this page only */ } };
  dialog.showModal();
}
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-show-keys]")) showKeys(); });

// --- Forms are sent once --------------------------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (!navigator.onLine) { // the browser's own error page would take the place of what was typed
    event.preventDefault();
    lost(true);
    document.getElementById("line")?.scrollIntoView({ block: "nearest" });
    return;
  }
  form.dataset.sent = "yes";
  (event.submitter ?? form.querySelector("button:not([type=button])"))?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
});

// --- A lost line ----------------------------------------------------------------------------------------------------
const line = document.getElementById("line");
let signedOut = false;
export function lost(is, out = false) {
  if (!line) return;
  signedOut = out;
  line.hidden = !is;
  line.querySelector("[data-lost]").hidden = out;
  line.querySelector("[data-signed-out]").hidden = !out;
}
document.addEventListener("htmx:error", () => { if (!signedOut) lost(true); });
document.addEventListener("htmx:after:request", (event) => {
  const status = event.detail?.ctx?.response?.status ?? 0;
  if (status) lost(status >= 500 || status === 401, status === 401);
});
addEventListener("offline", () => lost(true));
addEventListener("online", () => lost(false));

// --- Small things ---------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) print(); });
// An error summary is read first; a link in it leads to its field.
document.querySelector(".trouble[tabindex]")?.focus();
