// The tray: files dragged, pasted, chosen or photographed go to the server one after another, each with its own line,
// and are sent again by themselves when the line was lost. Around forms that work without this.

const composing = (event) => event.isComposing || event.keyCode === 229;
const keysOff = () => { try { return localStorage.getItem("hoso.keys") === "off"; } catch { return false; } };
const typing = (target) => target?.closest?.("input:not([type=file], [type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]");
const ACCEPT = "application/pdf,image/jpeg,image/png,image/webp,image/tiff";
const PHOTO = "image/jpeg,image/png,image/webp"; // "image/*" would let an iPhone send HEIC
const GONE_AFTER_MS = 5000;

// What somebody has opened stays open when the piece is laid over itself.
window.htmx?.registerExtension("stays-open", {
  htmx_before_morph_attr: (element, detail) => !(detail.attrName === "open" && element.matches("details")),
});

const PART_BYTES = 4 * 1024 * 1024;
const KEPT = "hoso.parcel:";
const KEPT_FOR_MS = 6 * 24 * 3600 * 1000; // the server forgets after seven days

// A browser may refuse to keep anything; then a file begins again, and nothing worse.
function allowed(act) { try { return act(); } catch { return null; } }
function keep(name, place) { allowed(() => localStorage.setItem(name, JSON.stringify(place))); }
function kept(name) { return allowed(() => JSON.parse(localStorage.getItem(name))); }
function keptFor(head) {
  const names = allowed(() => Object.keys(localStorage).filter((name) => name.startsWith(head))) ?? [];
  return names.map((name) => [name, kept(name)]).filter(([, place]) => place);
}

function said(size) {
  return size < 1e6 ? `${Math.max(1, Math.round(size / 1000))} kB` : `${(size / 1e6).toFixed(1).replace(".", ",")} MB`;
}

class Tray extends HTMLElement {
  connectedCallback() {
    if (this.items) return;
    this.items = [];
    this.words = JSON.parse(this.dataset.words);
    this.reasons = JSON.parse(this.dataset.reasons);
    this.list = this.querySelector("[data-sending]");
    this.live = this.querySelector("[data-said]");
    this.template = this.querySelector("template[data-item]");
    this.quarter = 0;
    this.step = this.papers.dataset.step;
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("submit", (event) => this.sent(event), true);
    this.addEventListener("dragover", (event) => this.over(event));
    this.addEventListener("dragleave", (event) => { if (!this.contains(event.relatedTarget)) this.mark(null); });
    this.addEventListener("drop", (event) => this.dropped(event));
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
    document.addEventListener("paste", (event) => this.pasted(event));
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("htmx:after:swap", () => this.refreshed());
    document.addEventListener("htmx:after:request", (event) => { if ((event.detail?.ctx?.response?.status ?? 0) < 500) this.lineIsBack(); });
    addEventListener("online", () => this.lineIsBack());
    addEventListener("offline", () => this.lineIsGone());
    addEventListener("beforeunload", (event) => { if (this.items.some((item) => !item.over)) event.preventDefault(); });
    // The browser itself goes to "#papers" once everything is loaded; only then is it our turn.
    const begin = () => setTimeout(() => { if (location.hash === "#papers") this.nextOpen()?.focus(); });
    if (document.readyState === "complete") begin(); else addEventListener("load", begin, { once: true });
    const again = new URLSearchParams(location.search).get("thay");
    this.leftOver();
    if (again) this.scanAgain(document.getElementById(`again-${again}`));
  }

  get papers() { return this.querySelector("#papers"); }
  get rows() { return [...this.querySelectorAll(".kind[data-kind]")]; }
  get takes() { return Boolean(this.querySelector("form.add")); }

  nextOpen() { return this.querySelector(".kind.open [data-choose]") ?? this.querySelector("#receive"); }

  scanAgain(details) {
    if (!details) return;
    details.open = true;
    details.querySelector("[data-choose]").focus();
  }

  // --- Where files come from ------------------------------------------------------------------------------------------
  clicked(event) {
    const button = event.target.closest("[data-choose], [data-photo], [data-cancel], [data-again], [data-give]");
    if (!button) return;
    if (button.matches("[data-choose], [data-photo]")) return this.choose(button.closest("form"), button.matches("[data-photo]"));
    const item = this.items.find((one) => one.li.contains(button));
    if (!item) return;
    if (button.matches("[data-cancel]")) this.drop(item);
    else if (button.matches("[data-again]")) { this.wait(item); this.pump(); }
    else this.give(item, button.dataset.give);
  }

  sent(event) {
    if (!event.target.matches("form.add")) return;
    event.preventDefault(); // Enter in a small field means: now the file
    event.stopPropagation();
    this.choose(event.target, false);
  }

  choose(form, photo) {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept: photo ? PHOTO : ACCEPT, multiple: !photo && !form.elements.namedItem("replaces"), hidden: true });
    if (photo) input.setAttribute("capture", "environment");
    const done = () => input.remove();
    input.addEventListener("cancel", done);
    input.addEventListener("change", () => { this.take([...input.files], this.about(form)); done(); });
    this.append(input);
    input.click();
  }

  // What a row's form says of the files that are chosen for it.
  about(form) {
    const value = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
    const about = { kind: value("kind"), replaces: value("replaces"), name: value("name"), counted: value("pages_declared"), from: form.closest(".kind")?.id };
    for (const name of ["pages_declared", "name"]) { const field = form.elements.namedItem(name); if (field) field.value = ""; }
    return about;
  }

  over(event) {
    if (!this.takes || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.mark(event.target.closest(".kind[data-kind]") ?? this);
  }

  mark(place) {
    for (const one of [this, ...this.rows]) one.classList.toggle("over", one === place);
  }

  dropped(event) {
    this.mark(null);
    if (!this.takes || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    const folders = new Set([...event.dataTransfer.items].map((one) => one.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory).map((entry) => entry.name));
    const form = event.target.closest(".kind[data-kind]")?.querySelector("form.add");
    this.take([...event.dataTransfer.files], form ? this.about(form) : null, folders);
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !this.takes) return;
    event.preventDefault();
    const form = document.activeElement?.closest?.(".kind[data-kind]")?.querySelector("form.add");
    const named = files.map((file, at) => new File([file], `${this.words.page_name}-${Date.now() % 1e6 + at}.${file.type.split("/")[1] || "png"}`, { type: file.type }));
    this.take(named, form ? this.about(form) : null);
  }

  pressed(event) {
    if (composing(event) || event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keysOff() || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.code === "KeyU" && !event.shiftKey && this.takes) {
      const row = document.activeElement?.closest?.(".kind[data-kind]") ?? this.querySelector(".kind.open") ?? this.rows[0];
      event.preventDefault();
      this.choose(row.querySelector("form.add"), false);
    }
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    const item = digit && this.items.find((one) => one.li.contains(document.activeElement));
    const row = digit && this.rows.find((one) => one.dataset.number === digit);
    if (!row) return;
    event.preventDefault();
    if (item?.state === "which") this.give(item, row.dataset.kind);
    else row.querySelector("[data-choose]")?.focus();
  }

  // --- Files on their way ---------------------------------------------------------------------------------------------
  // A file is "which" until somebody says which paper it is, then "waiting", "sending", perhaps "held" while the line is
  // lost, and over when it is "received" or "refused".
  take(files, about, folders = new Set()) {
    const items = files.map((file) => this.item(file, about));
    for (const item of items) {
      if (folders.has(item.file.name)) this.refuse(item, this.words.folder);
      else if (item.file.size > Number(this.dataset.mostBytes)) this.refuse(item, this.words.too_large);
      else if (item.file.size === 0) this.refuse(item, this.words.too_small);
      else if (about) this.wait(item);
      else this.ask(item);
    }
    items.find((item) => item.state === "which")?.li.focus();
    this.pump();
  }

  item(file, about) {
    const li = this.template.content.cloneNode(true).firstElementChild;
    const item = { file, li, kind: about?.kind ?? "", replaces: about?.replaces ?? "", name: about?.name ?? "", counted: about?.counted ?? "", from: about?.from, tries: 0, over: false };
    li.querySelector("[data-name]").textContent = file.name;
    li.querySelector("[data-size]").textContent = said(file.size);
    this.items.push(item);
    this.querySelectorAll(".left-over").forEach((line) => { if (line.dataset.key === this.fingerprint(item)) line.remove(); });
    this.list.append(li);
    this.list.hidden = false;
    return item;
  }

  say(item, state, text, { tone = "", again = false, percent = null } = {}) {
    item.state = state;
    item.over = ["received", "refused"].includes(state);
    const line = item.li.querySelector("[data-state]");
    line.textContent = text;
    item.li.className = `item ${tone}`;
    item.li.querySelector("[data-again]").hidden = !again;
    item.li.querySelector("[data-kinds]").hidden = state !== "which";
    item.li.querySelector("[data-cancel]").hidden = state === "received";
    const bar = item.li.querySelector("progress");
    bar.hidden = percent === null;
    if (percent !== null) bar.value = percent;
    if (item.over || state === "held") this.tell(`${item.file.name}: ${text}`);
  }

  tell(text) { this.live.textContent = text; }

  ask(item) {
    const kinds = item.li.querySelector("[data-kinds]");
    kinds.replaceChildren(...this.rows.map((row) => {
      const button = document.createElement("button");
      const key = document.createElement("kbd");
      key.textContent = row.dataset.number;
      Object.assign(button, { type: "button", className: "second" });
      button.dataset.give = row.dataset.kind;
      button.append(key, ` ${row.dataset.kindName}`);
      return button;
    }));
    this.say(item, "which", this.words.which);
  }

  give(item, kind) {
    item.kind = kind;
    item.from = this.rows.find((row) => row.dataset.kind === kind)?.id;
    this.wait(item);
    (this.items.find((one) => one.state === "which")?.li ?? document.getElementById(item.from)?.querySelector("[data-choose]"))?.focus();
    this.pump();
  }

  wait(item) { this.say(item, "waiting", this.words.waiting); }

  refuse(item, text) { this.say(item, "refused", `⚠ ${this.words.refused}: ${text}`, { tone: "bad", again: item.file.size > 0 && text === this.words.signed_out }); }

  drop(item) {
    clearTimeout(item.timer);
    item.over = true;
    item.parcel?.stop();
    if (item.parcel?.place && item.state !== "received") {
      allowed(() => localStorage.removeItem(this.fingerprint(item)));
      fetch(item.parcel.place, { method: "DELETE", headers: { "tus-resumable": "1.0.0" } }).catch(() => {});
    }
    item.li.remove();
    this.items.splice(this.items.indexOf(item), 1);
    this.list.hidden = !this.items.length;
    if (this.active === item) this.active = null;
    this.pump();
  }

  async pump() {
    if (this.active) return;
    const item = this.items.find((one) => one.state === "waiting");
    if (!item) return;
    this.active = item;
    try {
      await item.file.slice(0, 1).arrayBuffer();
    } catch {
      this.refuse(item, this.words.unreadable);
    }
    if (item.state === "waiting") await this.send(item);
    if (this.active === item) this.active = null;
    this.pump();
  }

  // Where a file goes up (parcel.js) is kept in this browser: after a lost line, a closed tab or a server started anew, choosing the same file goes on there.
  async send(item) {
    this.say(item, "sending", this.words.sending.replace("{n}", 0), { percent: 0 });
    let answer;
    try {
      answer = await this.carry(item);
    } catch {
      answer = { status: 0, body: {} };
    }
    if (!item.over) this.answered(item, answer);
  }

  async carry(item) {
    const { file } = item;
    item.sha256 ??= await sha256(file);
    const known = kept(this.fingerprint(item));
    item.parcel = new Parcel(file, {
      to: this.dataset.to,
      place: known?.said === this.address(item) ? known.url : null,
      partBytes: PART_BYTES,
      goneBy: [404, 410],
      placed: (url) => keep(this.fingerprint(item), { url, said: this.address(item), name: file.name, at: Date.now() }),
      progress: (bytes) => this.goesOut(item, bytes),
    });
    return item.parcel.carry({ sha256: item.sha256, dossier: this.dataset.dossier, kind: item.kind, name: item.name, pages_declared: item.counted, replaces: item.replaces });
  }

  goesOut(item, bytes) {
    if (item.state !== "sending" || !navigator.onLine) return;
    const percent = Math.floor(100 * bytes / item.file.size);
    this.say(item, "sending", percent < 100 ? this.words.sending.replace("{n}", percent) : this.words.sent, { percent });
  }

  fingerprint(item) { return `${KEPT}${this.dataset.dossier}:${item.file.size}:${item.file.lastModified}:${item.file.name}`; }
  address(item) { return [item.kind, item.name, item.counted, item.replaces].join("|"); }

  answered(item, { status, body }) {
    const forget = () => allowed(() => localStorage.removeItem(this.fingerprint(item)));
    if (status === 200 && body.state?.code === "taken") {
      forget();
      const receipt = `${this.words.received} · ${body.pages} ${this.words.pages} · SHA-256 ${body.sha256.slice(0, 16)}…`;
      if (body.trouble === "duplicate") this.arrived(item, this.whereItIs(body.ordinal), item.tries > 0);
      else this.arrived(item, receipt);
    } else if (status === 200 && body.state?.code === "refused") { forget(); this.refuse(item, this.reasons[body.trouble] ?? body.trouble); }
    else if (status === 401) this.refuse(item, this.words.signed_out);
    else if (status < 300 || status >= 500 || [412, 429, 460].includes(status) || ["part_out_of_place", "parcel_spoiled"].includes(body.code)) this.hold(item, status === 0);
    else { forget(); this.refuse(item, this.reasons[body.reason] ?? [body.title, body.next].filter(Boolean).join(" ")); }
  }

  // What was going up when this page was closed: the browser doesn't let us open it again, so a person has to.
  leftOver() {
    for (const [name, place] of keptFor(`${KEPT}${this.dataset.dossier}:`)) {
      if (Date.now() - place.at > KEPT_FOR_MS) { allowed(() => localStorage.removeItem(name)); continue; }
      const line = document.createElement("p");
      line.className = "small left-over";
      line.textContent = `⚠ ${this.words.left_over.replace("{name}", () => place.name)}`;
      line.dataset.key = name;
      this.list.before(line);
    }
  }

  whereItIs(ordinal) {
    const row = this.querySelector(`.paper[data-ordinal="${ordinal}"]`)?.closest(".kind")?.dataset;
    return row ? this.words.there_in.replace("{n}", row.number).replace("{row}", () => row.kindName) : this.words.there.replace("{n}", ordinal);
  }

  arrived(item, text, expected = true) {
    const name = item.from;
    this.say(item, "received", `✓ ${text}`, { tone: expected ? "good" : "warn" });
    item.timer = setTimeout(() => this.drop(item), expected ? GONE_AFTER_MS : 4 * GONE_AFTER_MS);
    this.papers.dispatchEvent(new CustomEvent("papers-changed"));
    this.moveOnFrom = name;
  }

  hold(item, lineIsLost) {
    item.lineIsLost = lineIsLost;
    const seconds = WAITS_S[Math.min(item.tries++, WAITS_S.length - 1)];
    this.say(item, "held", `⚠ ${this.words.held.replace("{n}", seconds)}`, { tone: "warn", again: true });
    item.timer = setTimeout(() => { if (item.state === "held") { this.wait(item); this.pump(); } }, seconds * 1000);
  }

  // What is on its way says so at once; it is held when the request ends, and goes again by itself.
  lineIsGone() {
    for (const item of this.items) if (item.state === "sending") { this.say(item, "sending", `⚠ ${this.words.offline}`, { tone: "warn" }); this.tell(`${item.file.name}: ${this.words.offline}`); }
  }

  lineIsBack() {
    for (const item of this.items) if (item.state === "held" && item.lineIsLost) { clearTimeout(item.timer); this.wait(item); }
    this.pump();
  }

  // --- After each refresh -----------------------------------------------------------------------------------------------
  refreshed() {
    const { done, total, step } = this.papers.dataset;
    const quarter = Number(total) ? Math.floor(4 * Number(done) / Number(total)) : 0;
    if (quarter > this.quarter) this.tell(this.words.read.replace("{n}", done).replace("{m}", total));
    this.quarter = quarter;
    const row = this.moveOnFrom && document.getElementById(this.moveOnFrom);
    if (row && !this.items.some((item) => !item.over) && (row.contains(document.activeElement) || document.activeElement === document.body)) this.nextOpen()?.focus();
    this.moveOnFrom = null;
    if (step !== this.step) this.nextStepChanged();
    this.step = step;
  }

  // The page around the tray says who acts next; it is asked for again when that has changed.
  nextStepChanged() {
    for (const part of [".next", ".head"]) {
      if (document.querySelector(`main ${part}`)) window.htmx.ajax("GET", location.pathname, { target: `main ${part}`, select: `main ${part}`, swap: "outerMorph" });
    }
  }
}
// Where the other script didn't come, the forms alone do the work.
if (typeof Parcel === "function") customElements.define("hs-tray", Tray);
