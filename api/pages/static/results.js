// Results: a draft that saves itself, a document that is read to its end, a list that is chosen from by keyboard.
// Each is a custom element around HTML that works without it.

const AFTER_TYPING_MS = 400;
const TRY_AGAIN_MS = 3000;

// --- A draft: saved after each pause in typing, one save at a time, none lost ----------------------------------------
class Draft extends HTMLElement {
  #timer = 0;
  #busy = false;
  #again = false;
  #leaving = null;

  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.addEventListener("input", (event) => {
      event.target.closest(".pair, .field")?.querySelector(".origin")?.remove(); // no longer as it was taken over
      this.#grow(event.target);
      this.#soon(AFTER_TYPING_MS);
    });
    this.form.addEventListener("change", () => this.#soon(AFTER_TYPING_MS));
    this.form.addEventListener("submit", (event) => this.#send(event));
    this.form.addEventListener("keydown", (event) => this.#onward(event));
    this.form.addEventListener("htmx:finally:request", (event) => this.#saved(event));
    this.form.addEventListener("htmx:error", (event) => event.detail?.error && this.#failed());
    addEventListener("pageshow", this.#back);
    for (const box of this.form.querySelectorAll("textarea")) this.#grow(box);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    removeEventListener("pageshow", this.#back);
  }

  #back = () => { this.#leaving = null; }; // the browser kept the page and brought it back

  get stopped() { return document.querySelector("#draft-state[data-stopped]") !== null; }

  #soon(after) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), after);
  }

  #save() {
    clearTimeout(this.#timer);
    if (this.stopped || this.#leaving) return;
    if (this.#busy) { this.#again = true; return; }
    this.#busy = true;
    this.#say(this.form.dataset.saving);
    this.form.dispatchEvent(new Event("save"));
  }

  #saved(event) {
    this.#busy = false;
    const status = event.detail?.ctx?.response?.status ?? 0;
    if (status < 200 || status >= 300) return this.#failed();
    if (this.#leaving) return this.#leave();
    if (this.#again) { this.#again = false; this.#save(); }
  }

  #failed() {
    this.#busy = false;
    if (this.#leaving) return this.#leave();
    this.#say(this.form.dataset.unsaved);
    this.#soon(TRY_AGAIN_MS);
  }

  #say(words) {
    const line = document.querySelector("#draft-state .save-line");
    if (line) line.textContent = words;
  }

  // The save button saves in place. The others are sent once, after a save under way, so that nobody overtakes oneself.
  #send(event) {
    const button = event.submitter;
    const leaves = button?.hasAttribute("formaction") || button?.hasAttribute("data-over");
    if (!leaves || this.#leaving || this.#busy) event.preventDefault();
    if (!leaves) return this.#save();
    if (this.#leaving) return;
    clearTimeout(this.#timer);
    button.setAttribute("aria-busy", "true");
    this.#leaving = button;
  }

  #leave() {
    const button = this.#leaving;
    this.#leaving = null;
    this.form.requestSubmit(button);
  }

  // Enter goes to the next box; the last row of facts makes room for another.
  #onward(event) {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || !event.target.matches("input")) return;
    event.preventDefault();
    const boxes = [...this.form.elements].filter((e) => e.matches("input:not([type=hidden]), textarea, select") && e.getClientRects().length > 0);
    boxes[boxes.indexOf(event.target) + 1]?.focus();
  }

  #grow(box) {
    if (box.matches?.("textarea")) {
      const wanted = Math.min(20, box.value.split("\n").length + 1);
      if (wanted > box.rows) box.rows = wanted;
    }
    const row = box.closest?.(".pair");
    if (!row || row.nextElementSibling || !box.value) return;
    const next = row.cloneNode(true);
    next.querySelector(".origin")?.remove();
    const number = row.parentElement.querySelectorAll(".pair").length + 1;
    for (const empty of next.querySelectorAll("input")) {
      empty.value = "";
      empty.removeAttribute("value");
      empty.setAttribute("aria-label", empty.getAttribute("aria-label").replace(/\d+$/, number));
    }
    row.after(next);
  }
}
customElements.define("hoso-draft", Draft);

// --- A document: Space reads on and never jumps over anything; its end, once seen, is told to the server --------------
class Reading extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => this.#key(event));
    if (!this.hasAttribute("data-reads")) return;
    if (document.activeElement === document.body) this.focus({ preventScroll: true });
    const last = [...this.querySelectorAll("[data-sheet]")].at(-1);
    if (!last) return;
    this.#watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && this.#end(last));
    const end = this.querySelector(".read-end");
    if (end) this.#watch.observe(end);
  }

  disconnectedCallback() { this.#watch?.disconnect(); }

  #watch = null;

  async #end(last) {
    try { await last.decode(); } catch { return; } // what wasn't shown wasn't read
    this.#watch.disconnect();
    document.getElementById("read")?.dispatchEvent(new Event("seen"));
  }

  #key(event) {
    if (event.target !== this || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = document.getElementById("read-on");
    const password = document.getElementById("password");
    if (event.code === "Enter" && (next || password)) {
      event.preventDefault();
      if (next) next.click();
      else password.focus();
    } else if (event.code === "Space" || event.code === "Enter") {
      event.preventDefault();
      this.#turn(event.shiftKey ? -1 : 1);
    }
  }

  #turn(way) {
    const step = 0.85 * innerHeight * way;
    const tops = [...this.querySelectorAll("[data-sheet]")].map((sheet) => sheet.getBoundingClientRect().top - 8);
    const edge = way > 0 ? tops.find((top) => top > 4 && top < step) : tops.findLast((top) => top < -4 && top > step);
    const end = this.getBoundingClientRect().bottom + 16 - innerHeight; // no further than the document goes
    scrollBy({ top: way > 0 ? Math.min(edge ?? step, Math.max(end, 0)) : (edge ?? step), behavior: "instant" });
  }
}
customElements.define("hoso-reading", Reading);

// --- The list: X chooses the row one is on, and the button says how many -----------------------------------------------
class Results extends HTMLElement {
  connectedCallback() {
    this.addEventListener("focusin", (event) => this.#mark(event.target.closest("[data-row]")));
    this.addEventListener("change", () => this.#count());
    this.addEventListener("click", (event) => this.#chooseRead(event));
    this.addEventListener("htmx:after:swap", () => this.#count());
    this.#count();
  }

  #mark(row) {
    for (const box of this.querySelectorAll("[data-key=KeyX]")) delete box.dataset.key;
    const box = row?.querySelector("[name=chon]");
    if (box) box.dataset.key = "KeyX";
  }

  #chooseRead(event) {
    if (!event.target.closest("[data-choose-read]")) return;
    event.preventDefault();
    for (const row of this.querySelectorAll("[data-is-read]")) {
      const box = row.querySelector("[name=chon]");
      if (box) box.checked = true;
    }
    this.#count();
  }

  #count() {
    const count = this.querySelector("[data-count]");
    if (!count) return;
    const chosen = this.querySelectorAll("[name=chon]:checked").length;
    count.textContent = chosen;
    this.querySelector("[data-sign]").disabled = chosen === 0;
    for (const box of this.querySelectorAll("[name=chon]")) box.closest("tr").setAttribute("aria-selected", box.checked);
  }
}
customElements.define("hoso-results", Results);
