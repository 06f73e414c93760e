// A paper beside what was read of it: the picture follows the field, and each field is kept when it is left.
// The page is a form that works without this; no key here is a letter, so that Telex and VNI can't press one.

const CLOCK = new Intl.DateTimeFormat("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });
const SVG = "http://www.w3.org/2000/svg";
const MOST_AT_ONCE = 100;
const PAGES_READ_AHEAD = 40;
const WORDS_AROUND = 4;
const LETTER_HEIGHT_PX = 34; // how large a line of print becomes when a field is looked at

const svg = (name, attributes) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const tidy = (text) => text.normalize("NFC").trim();
const fill = (sentence, value) => sentence.replace("{}", value);
const spaced = (text) => tidy(text).replace(/\s+/g, " ");
const numbers = (text) => (text ? text.split(" ").map(Number) : null);

// --- The picture ----------------------------------------------------------------------------------------------------
class View {
  constructor(root, review) {
    this.root = root;
    this.review = review;
    this.stage = root.querySelector("[data-stage]");
    this.links = new Map([...root.querySelectorAll("[data-page-link]")].map((link) => [Number(link.dataset.pageLink), link]));
    this.page = Number(review.dataset.page);
    this.at = { scale: 1, x: 0, y: 0 };
    this.box = null;
    this.whole = true;
    const picture = this.stage.querySelector("[data-picture]");
    if (!picture) return;
    this.picture = picture;
    this.sheet = document.createElement("div");
    this.sheet.className = "sheet-of-paper";
    this.marks = svg("svg", { "aria-hidden": "true" });
    picture.replaceWith(this.sheet);
    this.sheet.append(picture, this.marks);
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "group");
    this.stage.classList.add("alive");
    picture.addEventListener("load", () => this.settle());
    queueMicrotask(() => { if (picture.complete) this.settle(); });
    new ResizeObserver(() => this.place()).observe(this.stage);
    this.follow();
  }

  get pages() { return [...this.links.keys()]; }

  source(page) {
    const version = this.links.get(page)?.dataset.picture;
    return version && `${this.review.dataset.files}/pages/${page}/picture?v=${version}`;
  }

  // Show a page, and on it a place; without a place the whole page.
  show(page, box) {
    this.box = box ?? null;
    this.whole = !box;
    if (page !== this.page && this.source(page)) {
      this.page = page;
      if (this.picture) {
        this.sheet.classList.add("coming");
        this.ready = 0;
        this.picture.src = this.source(page);
        this.picture.alt = fill(this.review.says.picture, page);
      }
      for (const [number, link] of this.links) {
        if (number === page) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      this.links.get(page).scrollIntoView({ block: "nearest", inline: "nearest" });
      this.review.turned(page);
    }
    this.place();
    this.mark();
  }

  settle() {
    if (!this.picture.naturalWidth) return;
    this.width = this.picture.naturalWidth;
    this.height = this.picture.naturalHeight;
    this.marks.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.sheet.style.width = `${this.width}px`;
    this.sheet.style.height = `${this.height}px`;
    this.sheet.classList.remove("coming");
    this.ready = this.page;
    if (this.review.current) this.review.drawStrip(this.review.current);
    this.stage.setAttribute("aria-label", this.picture.alt);
    this.place();
    this.mark();
  }

  place() {
    if (!this.width) return;
    const { clientWidth: width, clientHeight: height } = this.stage;
    const fit = Math.min((width - 16) / this.width, (height - 16) / this.height);
    if (this.whole || !this.box) return this.move(fit, this.width / 2, this.height / 2);
    const [left, top, right, bottom] = this.box;
    // As large as a line is read with ease, but never so large that the place itself is cut off.
    const scale = Math.min(LETTER_HEIGHT_PX / Math.min(bottom - top, 60), (width * 0.92) / (right - left), (height * 0.8) / (bottom - top));
    this.move(Math.max(fit, scale), (left + right) / 2, (top + bottom) / 2);
  }

  move(scale, x, y) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const held = (middle, size, room) => {
      const half = room / 2 / scale;
      return size <= 2 * half ? size / 2 : Math.min(Math.max(middle, half), size - half);
    };
    this.at = { scale, x: held(x, this.width, width), y: held(y, this.height, height) };
    this.sheet.style.transform = `translate(${width / 2 - this.at.x * scale}px, ${height / 2 - this.at.y * scale}px) scale(${scale})`;
    this.marks.style.setProperty("--line", `${(scale < 0.4 ? 1.5 : 2.5) / scale}px`);
    this.marks.style.setProperty("--dash", `${(scale < 0.4 ? 4 : 7) / scale}px ${(scale < 0.4 ? 2 : 5) / scale}px`);
  }

  zoom(by) { if (this.width) this.move(Math.min(Math.max(this.at.scale * by, 0.05), 4), this.at.x, this.at.y); }

  toggle() {
    this.whole = !this.whole || !this.box;
    this.place();
  }

  mark() {
    if (!this.marks) return;
    this.marks.replaceChildren();
    const { page, box } = this.review.found ?? {};
    if (box && page === this.page) this.marks.append(svg("rect", { x: box[0] - 5, y: box[1] - 5, width: box[2] - box[0] + 10, height: box[3] - box[1] + 10, rx: 3, class: "now found" }));
    if (!this.review.editable && this.box) {
      const [left, top, right, bottom] = this.box;
      this.marks.append(svg("rect", { x: left - 4, y: top - 4, width: right - left + 8, height: bottom - top + 8, rx: 3, class: "now found" }));
    }
    for (const item of this.review.items) {
      if (item.page !== this.page || !item.box) continue;
      const [left, top, right, bottom] = item.box;
      const now = item === this.review.current;
      if (!now && !item.doubtful && !item.done) continue;
      if (item.line && !now) {
        for (const [x, y, right, bottom] of item.doubts) this.marks.append(svg("rect", { x: x - 4, y: y - 4, width: right - x + 8, height: bottom - y + 8, rx: 3, class: "doubt" }));
        continue;
      }
      const pad = 4;
      const mark = svg("rect", { x: left - pad, y: top - pad, width: right - left + 2 * pad, height: bottom - top + 2 * pad, rx: 3 });
      mark.setAttribute("class", [item.doubtful ? "doubt" : "done", now ? "now" : ""].join(" "));
      this.marks.append(mark);
    }
  }

  // Dragging, ctrl + wheel, and the arrow keys while the picture has the focus; a press on a word opens it, any other
  // press moves that place into the middle.
  follow() {
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = { x: event.clientX, y: event.clientY, at: this.at, moved: false };
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (!from || !this.width) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      from.moved ||= Math.hypot(dx, dy) > 4;
      if (from.moved) this.move(this.at.scale, from.at.x - dx / this.at.scale, from.at.y - dy / this.at.scale);
    });
    this.stage.addEventListener("pointerup", (event) => {
      if (from && !from.moved && this.width) {
        const { left, top } = this.stage.getBoundingClientRect();
        const { scale, x, y } = this.at;
        const place = [(event.clientX - left - this.stage.clientWidth / 2) / scale + x, (event.clientY - top - this.stage.clientHeight / 2) / scale + y];
        this.review.pressed(this.page, ...place);
      }
      from = null;
    });
    this.stage.addEventListener("pointercancel", () => { from = null; });
    this.stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
    this.stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey || !this.width) return;
      event.preventDefault();
      const far = 80 / this.at.scale;
      this.move(this.at.scale, this.at.x + step[0] * far, this.at.y + step[1] * far);
    });
  }
}

// --- A field, a word or a line ----------------------------------------------------------------------------------------
class Item {
  constructor(row, review) {
    this.row = row;
    this.review = review;
    this.input = row.querySelector("input:not([type=hidden]), textarea");
    this.stood = row.querySelector("input[type=hidden]");
    this.key = row.dataset.keyOf ?? null;
    this.page = Number(row.dataset.page);
    this.index = this.key === null ? Number(row.dataset.index) : -1;
    this.box = numbers(row.dataset.box);
    this.line = row.hasAttribute("data-line"); // a whole line, to be gone over by a person; `index` is its first word's
    this.doubts = [...(this.line ? row.querySelectorAll("rect.doubt") : [])].map((r) => {
      const [x, y, width, height] = ["x", "y", "width", "height"].map((side) => Number(r.getAttribute(side)));
      return [x, y, x + width, y + height];
    });
    this.shown = tidy(this.stood && this.key === null ? this.stood.value : this.input.defaultValue);
    this.keptAt = row.querySelector(".kept");
    this.saidAt = row.querySelector(".said");
    this.clash = null;
    review.byInput.set(this.input, this);
  }

  get seen() { return this.stood?.value ?? ""; }
  get value() { return (this.line ? spaced : tidy)(this.input.value); }
  get changed() { return this.value !== this.shown; }
  get doubtful() { return this.row.hasAttribute("data-doubt"); }
  get done() { return this.row.classList.contains("done"); }
  get name() { return this.key ?? `${this.line ? "l-" : ""}${this.page}-${this.index}`; }

  // What accepting it would tell the office that it doesn't know yet.
  get unsettled() { return this.changed || (this.key === null ? !this.done : this.value !== "" && !this.done); }

  say(state, ...more) {
    this.row.dataset.kept = state;
    this.keptAt.replaceChildren(...more);
  }
}

// --- Keeping --------------------------------------------------------------------------------------------------------
class Keeper {
  constructor(review) {
    this.review = review;
    this.waiting = new Set();
    this.going = new Set();
    this.tries = 0;
    this.over = false;
    addEventListener("online", () => this.again());
  }

  put(...items) {
    for (const item of items) {
      if (this.going.has(item) && item.sent === item.value) continue; // on its way: Enter sent it, and so does leaving
      this.waiting.add(item);
      item.say("saving", this.review.says.saving);
    }
    return this.flush();
  }

  again() {
    clearTimeout(this.timer);
    this.timer = 0;
    return this.flush();
  }

  // One request at a time, so that what was seen is always what the last one left.
  flush() {
    if (!this.running) this.running = this.#run().finally(() => { this.running = null; });
    return this.running;
  }

  async #run() {
    while (this.waiting.size && !this.over && !this.timer) {
      const batch = [...this.waiting].slice(0, this.alone ? 1 : MOST_AT_ONCE);
      for (const item of batch) {
        this.waiting.delete(item);
        this.going.add(item);
        item.sent = item.value;
        item.say("saving", this.review.says.saving);
      }
      try {
        await this.#send(batch);
      } finally {
        this.going.clear();
      }
    }
    this.review.told();
  }

  async #send(batch) {
    const body = {
      fields: batch.filter((i) => i.key !== null).map((i) => ({ key: i.key, value: i.sent, seen: i.seen })),
      words: batch.filter((i) => i.key === null && !i.line).map((i) => ({ page: i.page, index: i.index, text: i.sent, seen: i.seen })),
      lines: batch.filter((i) => i.line).map((i) => ({ page: i.page, line: i.index, text: i.sent, seen: i.seen })),
    };
    let answer;
    try {
      answer = await fetch(`${this.review.dataset.files}/corrections`, {
        method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(20000),
      });
    } catch {
      return this.#later(batch, this.review.says.failed);
    }
    this.#line(answer.status < 500);
    if (answer.ok) return this.#kept(batch);
    if (answer.status === 412) return this.#overtaken(batch, (await answer.json()).conflicts ?? []);
    if (answer.status === 401) return this.#later(batch, this.review.says.signedOut, false);
    if (answer.status === 409) return this.#finished(batch);
    if (answer.status >= 500 || answer.status === 429) return this.#later(batch, this.review.says.failed);
    if (batch.length === 1) return batch[0].say("failed", this.review.says.refused);
    this.alone = true; // one of them is refused: find out which
    for (const item of batch) this.waiting.add(item);
  }

  async #kept(batch) {
    this.tries = 0;
    const time = CLOCK.format(new Date());
    for (const item of batch) {
      if (item.key === null) {
        item.stood.value = item.sent;
        item.shown = item.sent;
        item.row.classList.add("done");
        item.row.removeAttribute("data-doubt");
        this.review.describeWord(item);
      }
      item.clash?.remove();
      item.clash = null;
      item.say("saved", `✓ ${this.review.says.saved} ${time}`);
    }
    if (batch.some((item) => item.key !== null)) await this.review.refreshFields(batch);
    this.review.view.mark();
    this.review.tally();
  }

  #overtaken(batch, conflicts) {
    const names = new Map(conflicts.map((c) => [c.key ?? (c.line === undefined ? `${c.page}-${c.index}` : `l-${c.page}-${c.line}`), c]));
    for (const item of batch) {
      const conflict = names.get(item.name);
      if (conflict) this.review.choose(item, conflict);
      else this.waiting.add(item);
    }
    if (!names.size) for (const item of batch) item.say("failed", this.review.says.failed);
  }

  #finished(batch) {
    this.over = true;
    for (const item of batch) item.say("failed", this.review.says.failed);
    this.review.note(this.review.says.over);
  }

  // Keep it here and try again, by itself or when asked.
  #later(batch, why, byItself = true) {
    this.#line(!byItself);
    for (const item of batch) {
      this.waiting.add(item);
      const again = document.createElement("button");
      again.type = "button";
      again.className = "plain";
      again.textContent = this.review.says.again;
      again.addEventListener("click", () => { this.tries = 0; this.again(); item.input.focus(); });
      item.say("failed", `⚠ ${why} – `, again);
    }
    this.review.tell(why);
    this.timer = setTimeout(() => this.again(), byItself ? Math.min(30000, 1500 * 2 ** this.tries++) : 2 ** 30);
  }

  #line(good) {
    const line = document.getElementById("line");
    if (line) line.hidden = good;
  }
}

// --- The whole ------------------------------------------------------------------------------------------------------
class PaperReview extends HTMLElement {
  connectedCallback() {
    this.says = JSON.parse(this.dataset.says);
    this.people = JSON.parse(this.dataset.people);
    this.form = this.querySelector("form.findings");
    this.items = [];
    this.byInput = new Map();
    this.read = new Map(); // page → what was read there
    this.modes = new Map(); // page → whether it is gone through line by line, where a person has chosen
    this.current = null;
    for (const row of this.querySelectorAll("[data-item]")) this.items.push(new Item(row, this));
    this.status = document.createElement("p");
    this.status.className = "unseen";
    this.status.setAttribute("role", "status");
    this.append(this.status);
    this.view = new View(this.querySelector(".beside"), this);
    this.keeper = new Keeper(this);
    this.strip = document.createElement("div");
    this.strip.className = "line-strip";
    for (const hidden of this.querySelectorAll(".scripted")) hidden.hidden = false;
    this.querySelector(".plain-only")?.remove();
    this.listen();
    this.fillHeight();
    this.tally();
    this.start();
  }

  get keeps() { return this.hasAttribute("data-keeps") && !this.keeper.over; }
  get editable() { return this.hasAttribute("data-editable"); }
  get fields() { return this.items.filter((i) => i.key !== null); }
  get reason() { return this.form.elements.keep_reason; }
  get words() { return this.items.filter((i) => i.key === null).sort((a, b) => a.page - b.page || a.index - b.index); }
  get unsaved() { return this.items.filter((i) => i.changed || i.clash || this.keeper.waiting.has(i) || this.keeper.going.has(i)); }

  listen() {
    this.addEventListener("focusin", (event) => {
      const item = this.byInput.get(event.target);
      if (item) this.look(item);
    });
    this.addEventListener("change", (event) => {
      const item = this.byInput.get(event.target);
      if (item?.changed) this.keep(item);
    });
    this.addEventListener("input", (event) => {
      const item = this.byInput.get(event.target);
      if (item) this.typing(item);
      else if (event.target === this.reason) this.tally();
    });
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("click", (event) => this.clicked(event));
    this.form.addEventListener("submit", (event) => this.sent(event));
    this.querySelector("details[data-text]")?.addEventListener("toggle", () => this.wholeText());
    addEventListener("beforeunload", (event) => { if (!this.leaving && this.editable && (this.unsaved.length || (this.reason && this.reason.value !== this.reason.defaultValue))) event.preventDefault(); });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    addEventListener("scroll", () => requestAnimationFrame(() => this.fillHeight()), { passive: true });
    addEventListener("resize", () => this.fillHeight());
  }

  start() {
    this.found = { page: this.view.page, box: numbers(this.dataset.found) };
    if (this.found.box) {
      this.view.show(this.found.page, this.found.box);
      this.view.stage.focus();
    } else if (!document.querySelector(".trouble") && this.editable) (this.blocks[0] ?? this.fields.find((i) => i.doubtful) ?? this.words.find((i) => i.doubtful) ?? this.items[0])?.input.focus();
    if (this.editable && this.view.pages.length <= PAGES_READ_AHEAD) this.readAhead();
    this.wholeText();
  }

  async readAhead() {
    for (const page of this.view.pages) await this.load(page);
  }

  // Beside the fields, the picture takes what height the window has left.
  fillHeight() {
    const beside = matchMedia("(min-width: 50rem)").matches;
    const around = this.getBoundingClientRect();
    const top = Math.max(8, around.top);
    this.view.root.style.height = beside ? `${Math.max(280, Math.min(innerHeight - 8, around.bottom) - top)}px` : "";
  }

  // --- keys and presses
  key(event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      this.view.toggle();
    }
    const item = this.byInput.get(event.target);
    // Not while the cursor walks within a line that is broken in the field.
    const whole = item?.line && (item.input.selectionStart !== item.input.selectionEnd || item.input.clientHeight < 2 * (parseFloat(getComputedStyle(item.input).lineHeight) || 24));
    if (whole && !event.shiftKey && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      this.besideLine(item, event.key === "ArrowDown" ? 1 : -1);
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    if (item) {
      event.preventDefault();
      this.accept(item);
    } else if (event.target.matches("input")) {
      event.preventDefault();
      (this.blocks[0] ?? this.fields.find((i) => i.doubtful) ?? this.words.find((i) => i.doubtful) ?? this.items[0])?.input.focus();
    }
  }

  clicked(event) {
    const link = event.target.closest("[data-page-link]");
    if (link && this.view.picture && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.view.show(Number(link.dataset.pageLink));
      return;
    }
    const filled = event.target.closest("[data-fill]");
    if (filled) {
      const reason = this.form.elements.keep_reason;
      reason.value = filled.dataset.fill;
      this.tally();
      reason.focus();
      return;
    }
    const button = event.target.closest("[data-do]");
    switch (button?.dataset.do) {
      case "show": return this.view.show(Number(button.dataset.page), numbers(button.dataset.box));
      case "whole": return this.view.toggle();
      case "larger": return this.view.zoom(1.25);
      case "smaller": return this.view.zoom(0.8);
      case "next-page": return this.nextPage();
      case "next-word": return this.walk(1);
      case "previous-word": return this.walk(-1);
      case "next-block": return this.nextBlock();
      case "by-line": return this.byLines(this.view.page, !this.byLine(this.view.page));
      case "accept-all": return this.acceptAll();
      case "snippet": return this.insert(button.dataset.text);
      case "answer": return this.answer(document.getElementById(button.dataset.for), button.dataset.text);
    }
  }

  // --- looking
  look(item) {
    this.current = item;
    for (const other of this.items) other.row.classList.toggle("looked-at", other === item);
    this.view.show(item.page, item.box);
    this.drawStrip(item);
  }

  // The line as it stands in the picture, straight, above the field.
  drawStrip(item) {
    this.strip.remove();
    if (item.row.querySelector("[data-crop]")) return; // it stands there already
    const source = this.view.source(item.page);
    if (!item.box || !source || this.view.ready !== item.page) return;
    const [left, top, right, bottom] = item.box;
    const high = bottom - top + 12;
    const wide = Math.max(right - left + 24, Math.min(high * (item.key === null ? 9 : 5), this.view.width));
    const from = Math.min(Math.max((left + right) / 2 - wide / 2, 0), Math.max(0, this.view.width - wide));
    const strip = svg("svg", { viewBox: `${from} ${top - 6} ${wide} ${high}`, preserveAspectRatio: "xMinYMid meet", "aria-hidden": "true" });
    strip.append(svg("image", { href: source, width: this.view.width, height: this.view.height }));
    if (item.key === null) strip.append(svg("rect", { x: left - 2, y: top - 3, width: right - left + 4, height: bottom - top + 6, class: item.doubtful ? "doubt" : "done" }));
    this.strip.replaceChildren(strip);
    item.input.before(this.strip);
  }

  turned(page) {
    this.form.elements.trang.value = page;
    for (const now of this.querySelectorAll("[data-now]")) now.textContent = `${fill(this.says.page, page)}/${this.view.pages.length}`;
    this.showWords(page);
    this.poor(page);
    this.load(page).then(() => {
      this.showWords(page);
      this.wholeText();
    });
  }

  // Whether a page goes whole to a person: that is said, and its lines are shown beside their pictures.
  poor(page) {
    const about = this.view.links.get(page)?.dataset.poor;
    const note = this.querySelector("[data-whole-page]");
    note.hidden = about === undefined;
    note.querySelector("[data-estimate]").textContent = about ? fill(this.says.estimate, about) : "";
    const details = this.querySelector("details[data-text]");
    details.toggleAttribute("data-lines", this.byLine(page));
    details.open ||= about !== undefined || this.byLine(page);
    this.nameMode(page);
  }

  // Whether a page is gone through line by line: as a person chose, else where it was read poorly.
  byLine(page) {
    return this.editable && (this.modes.get(page) ?? this.view.links.get(page)?.dataset.poor !== undefined);
  }

  nameMode(page) {
    const button = this.querySelector("[data-do=by-line]");
    if (!button) return;
    const lines = this.byLine(page);
    button.querySelector("span").textContent = lines ? button.dataset.byWords : button.dataset.byLines;
  }

  // The other way of going through a page. What is typed and not kept stays where it was typed.
  async byLines(page, lines) {
    if (this.unsaved.some((i) => i.key === null && i.page === page)) await this.keeper.put(...this.unsaved.filter((i) => i.key === null && i.page === page && !i.clash));
    const left = this.items.filter((i) => i.key === null && i.page === page && i.line !== lines);
    if (left.some((i) => this.unsaved.includes(i))) return this.go(left.find((i) => this.unsaved.includes(i)));
    for (const item of left) {
      item.row.remove();
      this.byInput.delete(item.input);
    }
    this.items = this.items.filter((i) => !left.includes(i));
    if (left.includes(this.current)) this.current = null;
    this.modes.set(page, lines);
    this.read.delete(page);
    this.list(page).replaceChildren(...[...this.list(page).children].filter((row) => row.matches("[data-item]")));
    this.poor(page);
    await this.load(page);
    this.showWords(page);
    await this.wholeText();
    const first = this.words.find((i) => i.page === page && i.doubtful) ?? this.words.find((i) => i.page === page);
    return first && this.go(first);
  }

  nextPage() {
    const at = this.view.pages.indexOf(this.view.page);
    this.view.show(this.view.pages[(at + 1) % this.view.pages.length]);
  }

  // --- going through
  accept(item) {
    if (item.unsettled) this.keep(item);
    this.next(item);
  }

  next(item) {
    const fields = this.fields;
    const at = fields.indexOf(item);
    if (at >= 0 && at < fields.length - 1) return this.go(fields[at + 1]);
    return this.walk(1, at >= 0 ? this.view.pages[0] : undefined);
  }

  go(item) {
    if (item.key === null) this.showWords(item.page);
    item.input.focus();
    item.input.select();
    return item;
  }

  // To the next word in doubt, on this page or on another; when there is none left, to the button that ends the review.
  async walk(step, from = undefined) {
    const here = from === undefined && this.current?.key === null ? this.current : null;
    const pages = this.view.pages;
    const first = pages.indexOf(from ?? here?.page ?? this.view.page);
    const beyond = (word) => !here || word.page !== here.page || (word.index - here.index) * step > 0;
    // Once around: this page from here on, the others, and what was skipped on this page.
    for (let turn = 0; turn <= pages.length; turn++) {
      const page = pages[(((first + turn * step) % pages.length) + pages.length) % pages.length];
      await this.load(page);
      const open = this.words.filter((w) => w.page === page && w.doubtful && w !== here && !this.keeper.waiting.has(w) && !this.keeper.going.has(w));
      if (step < 0) open.reverse();
      const found = open.find((word) => turn > 0 || beyond(word));
      if (found) return this.go(found);
    }
    this.tell(pages.some((page) => this.byLine(page)) ? this.says.noMoreLines : this.says.noMore);
    if (this.blocks.length) return this.nextBlock();
    this.form.querySelector("button[name=xong][value='1']").focus();
    return null;
  }

  // What the review can't end without: the reason why a flagged scan is kept, what a pen wrote, what two have changed.
  get blocks() {
    if (!this.editable) return [];
    const asked = this.items.filter((i) => i.clash || i.row.hasAttribute("data-asked"));
    const names = asked.map((i) => ({ input: i.input, name: i.row.querySelector("label").textContent.trim(), item: i }));
    const reason = this.reason && !tidy(this.reason.value) ? [{ input: this.reason, name: this.reason.dataset.needed }] : [];
    return [...reason, ...names];
  }

  nextBlock() {
    const blocks = this.blocks;
    const at = blocks.findIndex((b) => b.input === document.activeElement);
    const next = blocks[(at + 1) % blocks.length];
    if (next?.item?.key === null) this.view.show(next.item.page, next.item.box);
    next?.input.focus();
    next?.input.scrollIntoView({ block: "nearest" });
    return next;
  }

  besideLine(item, step) {
    const lines = this.words.filter((i) => i.line && i.page === item.page);
    const next = lines[lines.indexOf(item) + step];
    if (next) this.go(next);
  }

  acceptAll() {
    const sure = this.fields.filter((i) => !i.doubtful && i.unsettled);
    if (sure.length) this.keep(...sure);
    const doubtful = this.fields.find((i) => i.doubtful);
    return doubtful ? this.go(doubtful) : this.walk(1);
  }

  insert(text) {
    const item = this.current;
    if (!item || item.input.readOnly) return;
    if (item.key === null && !item.line) item.input.value = text;
    else item.input.setRangeText(text, item.input.selectionStart, item.input.selectionEnd, "end");
    item.input.focus();
    this.typing(item);
  }

  // "Not on the paper", "can't be read": said in place of a value, and kept at once.
  answer(input, text) {
    const item = this.byInput.get(input);
    if (!item || item.input.readOnly) return;
    item.input.value = text;
    this.accept(item);
  }

  typing(item) {
    if (!item.changed && !item.clash) item.say("", "");
    else if (!this.keeps && this.editable) item.say("later", this.says.later);
    else if (item.key === null && item.value === "") item.say("later", item.line ? this.says.droppedLine : this.says.dropped);
    else if (item.row.dataset.kept !== "failed") item.say("", "");
  }

  keep(...items) {
    if (!this.editable) return undefined;
    if (this.keeps) return this.keeper.put(...items);
    for (const item of items) item.row.classList.add("done");
    return undefined;
  }

  // --- two people at once
  choose(item, conflict) {
    item.clash?.remove();
    const box = document.createElement("div");
    box.className = "clash";
    box.setAttribute("role", "alert");
    const said = document.createElement("p");
    const theirs = document.createElement("strong");
    const shown = this.shown(item.key, conflict.present);
    theirs.textContent = shown || this.says.nothing;
    const mine = document.createElement("strong");
    mine.textContent = item.value || this.says.nothing;
    const who = conflict.by ? this.people[conflict.by] ?? conflict.by : this.says.reader;
    said.append(`${who} ${this.says.hasPut}: `, theirs, `. ${this.says.youTyped}: `, mine, ".");
    const take = this.#button(this.says.takeTheirs, () => {
      item.input.value = shown;
      item.shown = tidy(shown);
      item.stood.value = conflict.present;
      item.row.classList.add("done");
      item.row.removeAttribute("data-doubt");
      item.clash = null;
      box.remove();
      item.say("saved", "✓");
      this.refreshFields([]);
      this.tally();
      item.input.focus();
    });
    const keep = this.#button(this.says.keepMine, () => {
      item.stood.value = conflict.present;
      item.clash = null;
      box.remove();
      this.keep(item);
      item.input.focus();
    });
    const row = document.createElement("div");
    row.className = "row";
    row.append(keep, take);
    box.append(said, row);
    item.input.before(box);
    item.clash = box;
    item.say("failed", "");
  }

  #button(text, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second";
    button.textContent = text;
    button.addEventListener("click", act);
    return button;
  }

  // --- what the office says of the fields
  shown(key, value) {
    const day = key === "issued_on" && /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
    return day ? `${day[3]}/${day[2]}/${day[1]}` : value;
  }

  async refreshFields(justKept) {
    let fields;
    try {
      const answer = await fetch(`${this.dataset.files}/fields`, { signal: AbortSignal.timeout(20000) });
      if (!answer.ok) throw new Error(answer.statusText);
      fields = await answer.json();
    } catch {
      for (const item of justKept) if (item.key !== null) { item.stood.value = item.sent; item.shown = item.sent; item.row.classList.add("done"); }
      return;
    }
    for (const field of fields) {
      const item = this.fields.find((i) => i.key === field.key);
      if (!item) continue;
      const mine = justKept.includes(item);
      const untouched = mine ? item.value === item.sent : !item.changed && !this.keeper.waiting.has(item) && !item.clash;
      if (!mine && !untouched) continue;
      // A guess at what a pen wrote is never shown as a value: a person types it.
      const said = this.says.answers[field.origin];
      const shown = field.doubt === "by_hand" ? "" : said ?? this.shown(field.key, field.value);
      item.stood.value = said ?? field.value;
      item.shown = tidy(shown);
      if (field.doubt !== "by_hand" && item.row.hasAttribute("data-asked")) this.settled(item);
      if (untouched && item.input.value !== shown) item.input.value = shown;
      item.row.classList.toggle("done", Boolean(field.by));
      item.row.toggleAttribute("data-doubt", Boolean(field.doubt));
      this.describeField(item, field);
    }
  }

  // What was asked for has been said: from now on it is a field like any other.
  settled(item) {
    item.row.removeAttribute("data-asked");
    for (const hint of item.row.querySelectorAll("[name$='-asked'], [data-do=answer]")) hint.remove();
  }

  describeField(item, field) {
    const who = this.people[field.by] ?? field.by;
    const origin = {
      missing: () => this.says.missing,
      absent: () => `${this.says.absent}: ${who}`,
      unreadable: () => `${this.says.unreadable}: ${who}`,
      typed: () => `${this.says.typed}: ${who}`,
      corrected: () => `${this.says.corrected}: ${who} · ${this.says.wasRead} “${field.raw}”`,
    }[field.origin]?.() ?? (field.by ? `${this.says.readAccepted}: ${who}` : fill(this.says.readSure, Math.round(field.confidence)));
    const sort = document.createElement("span");
    sort.className = "sort";
    sort.textContent = origin;
    const mark = document.createElement("span");
    if (field.doubt) {
      mark.className = "tag warn";
      mark.textContent = `? ${field.doubt_words[document.documentElement.lang === "en" ? "en" : "vi"]}`;
    } else if (field.by) {
      mark.setAttribute("aria-hidden", "true");
      mark.textContent = "✓";
    }
    item.saidAt.replaceChildren(...(mark.textContent ? [mark, " "] : []), ...(field.doubt === "by_hand" ? [] : [sort]));
  }

  describeWord(item) {
    const sort = document.createElement("span");
    sort.className = "sort";
    const raw = item.row.dataset.raw;
    sort.textContent = `✓ ${raw !== undefined && raw !== item.shown ? fill(this.says.changed, raw) : this.says.accepted}`;
    item.saidAt.replaceChildren(sort);
    if (item.line) {
      item.doubts = [];
      for (const rect of item.row.querySelectorAll("rect.doubt")) rect.remove();
    } else item.row.querySelector(".read").textContent = item.shown || this.says.nothing;
  }

  // --- the words of a page
  load(page) {
    if (!this.read.has(page)) {
      const reading = fetch(`${this.dataset.files}/pages/${page}/words`, { signal: AbortSignal.timeout(30000) })
        .then((answer) => { if (!answer.ok) throw new Error(answer.statusText); return answer.json(); })
        .then((read) => { this.build(page, read); return read; })
        .catch(() => { this.read.delete(page); return null; });
      this.read.set(page, reading);
    }
    return this.read.get(page);
  }

  build(page, read) {
    const { words } = read;
    if (this.byLine(page)) this.linesOf(words).forEach((line, at) => this.lineRow(page, read, line, at + 1));
    else if (this.editable) for (const word of words) if (word.risky || word.text !== word.raw) this.row(page, words, word);
    const left = this.view.links.get(page)?.querySelector("[data-left]");
    if (left) left.dataset.loaded = "yes";
    if (!this.byLine(page) && !this.list(page).childElementCount) {
      const nothing = document.createElement("p");
      nothing.className = "quiet";
      nothing.textContent = words.length ? `✓ ${this.says.noMore}` : this.says.noText;
      this.list(page).append(nothing);
    }
    this.tally();
    this.view.mark();
  }

  linesOf(words) {
    const lines = new Map();
    for (const word of words) lines.set(word.line, [...(lines.get(word.line) ?? []), word]);
    return [...lines.values()];
  }

  // Where the lines of a page stand, in the whole text.
  lineList(page) {
    let list = this.querySelector(`[data-lines-of="${page}"]`);
    if (!list) {
      list = document.createElement("div");
      list.dataset.linesOf = page;
      list.hidden = page !== this.view.page;
      this.querySelector("details[data-text] .text").before(list);
    }
    return list;
  }

  // The row of a line: the one on the page already, or a new one.
  lineRow(page, read, line, number) {
    const name = `l-${page}-${line[0].index}`;
    const there = this.items.find((i) => i.name === name);
    if (there) return there;
    const made = this.querySelector("template[data-line-row]").content.firstElementChild.cloneNode(true);
    const checked = line.every((word) => word.corrected);
    const edges = this.around(line);
    Object.assign(made.dataset, { page, index: line[0].index, box: edges.join(" "), raw: line.map((word) => word.raw).join(" ") });
    made.toggleAttribute("data-doubt", !checked);
    made.classList.toggle("done", checked);
    made.querySelector("[data-number]").textContent = number;
    const [input, stood] = [made.querySelector("textarea"), made.querySelector("input")];
    made.querySelector("label").htmlFor = input.id = input.name = name;
    stood.name = `${name}-seen`;
    stood.value = input.value = input.defaultValue = line.map((word) => word.text).filter(Boolean).join(" ");
    const said = made.querySelector(".said");
    said.id = `${name}-said`;
    said.replaceChildren();
    input.setAttribute("aria-describedby", said.id);
    const picture = this.lineStrip(page, read, line).firstElementChild;
    for (const { box: [left, top, right, bottom] } of line.filter((word) => word.doubt)) picture.append(svg("rect", { x: left - 2, y: top - 3, width: right - left + 4, height: bottom - top + 6, class: "doubt" }));
    made.querySelector("[data-crop]").replaceChildren(picture);
    const item = new Item(made, this);
    if (checked) this.describeWord(item);
    this.items.push(item);
    this.lineList(page).append(made);
    return item;
  }

  around(line) {
    const edge = (side, pick) => pick(...line.map((word) => word.box[side]));
    return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
  }

  list(page) {
    let list = this.querySelector(`[data-words-of="${page}"]`);
    if (!list) {
      list = document.createElement("div");
      list.dataset.wordsOf = page;
      list.hidden = page !== this.view.page;
      this.querySelector("[data-words]").append(list);
    }
    return list;
  }

  // The row of a word: the one on the page already, or a new one in its place.
  row(page, words, word) {
    const name = `${page}-${word.index}`;
    const there = this.items.find((i) => i.key === null && i.name === name);
    if (there) {
      there.row.dataset.raw = word.raw;
      return there;
    }
    const made = this.querySelector("template[data-word-row]").content.firstElementChild.cloneNode(true);
    const at = words.indexOf(word);
    const around = (from, to) => words.slice(Math.max(0, from), to).map((w) => w.text).join(" ");
    made.querySelector(".before").textContent = around(at - WORDS_AROUND, at);
    made.querySelector(".after").textContent = around(at + 1, at + 1 + WORDS_AROUND);
    made.querySelector(".read").textContent = word.text || this.says.nothing;
    Object.assign(made.dataset, { page, index: word.index, box: word.box.join(" "), raw: word.raw });
    made.toggleAttribute("data-doubt", word.doubt);
    made.classList.toggle("done", word.corrected);
    const [input, stood] = made.querySelectorAll("input");
    made.querySelector("label").htmlFor = input.id = input.name = `w-${name}`;
    stood.name = `w-${name}-seen`;
    stood.value = input.value = input.defaultValue = word.text;
    const said = made.querySelector(".said");
    said.id = `w-${name}-said`;
    input.setAttribute("aria-describedby", said.id);
    const item = new Item(made, this);
    if (word.corrected) this.describeWord(item);
    else {
      const sure = word.risk === null ? word.confidence : 100 * (1 - word.risk);
      said.querySelector(".tag").textContent = `${word.doubt ? "? " : ""}${word.by_pen ? this.says.byHand : fill(this.says.sure, Math.floor(sure))}`;
      if (word.read_first) {
        const first = document.createElement("span");
        first.className = "first";
        first.textContent = fill(this.says.mendedFrom, word.read_first);
        said.append(" ", first);
      }
    }
    if (!word.doubt) said.querySelector(".tag")?.classList.remove("warn");
    this.items.push(item);
    const list = this.list(page);
    list.querySelector(":scope > p")?.remove();
    const after = [...list.children].find((row) => Number(row.dataset.index) > word.index);
    list.insertBefore(made, after ?? null);
    return item;
  }

  showWords(page) {
    for (const list of this.querySelectorAll("[data-words-of]")) list.hidden = Number(list.dataset.wordsOf) !== page;
    for (const list of this.querySelectorAll("[data-lines-of]")) {
      list.hidden = Number(list.dataset.linesOf) !== page;
      for (const image of list.hidden ? [] : list.querySelectorAll("image[data-href]")) {
        image.setAttribute("href", image.dataset.href);
        image.removeAttribute("data-href");
      }
    }
  }

  async pressed(page, x, y) {
    const read = await this.load(page);
    const word = read?.words.find(({ box: [left, top, right, bottom] }) => x >= left - 4 && x <= right + 4 && y >= top - 4 && y <= bottom + 4);
    if (word && this.editable) this.open(page, read.words, word);
    else this.view.move(this.view.at.scale, x, y);
  }

  open(page, words, word) {
    if (this.byLine(page)) {
      const item = this.items.find((i) => i.line && i.page === page && i.index === word.line);
      if (!item) return;
      this.go(item);
      const from = words.filter((w) => w.line === word.line && w.index < word.index && w.text).map((w) => `${w.text} `).join("").length;
      if (!item.changed) item.input.setSelectionRange(from, from + word.text.length);
      return;
    }
    const field = this.row(page, words, word);
    this.showWords(page);
    this.go(field);
  }

  // A line of print as it stands in the picture, above its words: a page that was read poorly is checked line by line.
  lineStrip(page, read, line) {
    const [left, top, right, bottom] = this.around(line);
    const strip = document.createElement("div");
    strip.className = "line-strip crop";
    const picture = svg("svg", { viewBox: `${left - 8} ${top - 4} ${Math.max(right - left + 16, 8 * (bottom - top))} ${bottom - top + 8}`, preserveAspectRatio: "xMinYMid meet", "aria-hidden": "true" });
    // Fetched when the page is turned to, not for every page of the paper.
    picture.append(svg("image", { [page === this.view.page ? "href" : "data-href"]: this.view.source(page) ?? "", width: read.width_px, height: read.height_px }));
    strip.append(picture);
    return strip;
  }

  // Every word of the page as text; each can be opened.
  async wholeText() {
    const details = this.querySelector("details[data-text]");
    const page = this.view.page;
    if (!details?.open) return;
    const read = await this.load(page);
    const text = details.querySelector(".text");
    if (!read || this.view.page !== page) return;
    text.hidden = this.byLine(page); // its lines stand there to be typed in
    const pieces = [];
    for (const line of text.hidden ? [] : this.linesOf(read.words)) {
      if (pieces.length) pieces.push(document.createElement("br"));
      for (const word of line) {
        if (!this.editable) {
          pieces.push(`${word.text} `);
          continue;
        }
        const button = document.createElement("button");
        button.type = "button";
        button.className = word.doubt ? "plain word-button doubted" : "plain word-button";
        button.textContent = this.items.find((i) => i.name === `${page}-${word.index}`)?.shown ?? word.text;
        button.addEventListener("click", () => this.open(page, read.words, word));
        pieces.push(button, " ");
      }
    }
    text.replaceChildren(...pieces);
  }

  // --- telling
  tally() {
    const fields = this.fields.filter((i) => i.doubtful).length;
    const words = this.words.filter((i) => i.doubtful && !i.line).length;
    const lines = this.words.filter((i) => i.line);
    const tally = this.querySelector("[data-tally]");
    const said = [fill(this.says.tallyFields, fields), fill(this.says.tallyWords, words)];
    if (lines.length) said.push(fill(this.says.tallyLines, lines.filter((i) => i.doubtful).length));
    if (tally) tally.textContent = said.join(" · ");
    const needed = this.querySelector("[data-blocks]");
    if (needed) {
      needed.hidden = !this.blocks.length;
      needed.querySelector("[data-blocking]").textContent = this.blocks.map((b) => b.name).join(", ");
    }
    for (const [page, link] of this.view.links) {
      const left = link.querySelector("[data-left]");
      if (!left?.dataset.loaded || !this.editable) continue;
      const open = this.items.filter((i) => i.page === page && i.doubtful).length;
      left.className = open ? "tag warn" : "tag good";
      left.textContent = open ? `? ${open}` : "✓";
    }
  }

  tell(text) { this.status.textContent = text; }
  told() { if (!this.keeper.timer) this.tell(""); }

  note(text) {
    const note = document.createElement("div");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    const said = document.createElement("p");
    said.textContent = text;
    note.append(said);
    this.before(note);
    note.scrollIntoView({ block: "nearest" });
  }

  // --- the end
  async sent(event) {
    if (this.leaving || !this.keeps) {
      this.leaving = true;
      return;
    }
    event.preventDefault();
    const changed = this.items.filter((i) => i.changed && !i.clash);
    await this.keeper.put(...changed);
    if (this.keeper.timer) await this.keeper.again();
    const open = this.unsaved[0];
    if (open) {
      this.go(open);
      this.tell(this.says.failed);
      return;
    }
    for (const item of this.items) item.input.disabled = item.stood.disabled = true; // all of it is kept already
    this.leaving = true;
    this.form.requestSubmit(event.submitter);
  }
}

customElements.define("paper-review", PaperReview);
