// The form of a new dossier: a list that is found in by typing, and a card reader that fills the fields.
// Both stand around working HTML: a <select> and an <input>.

// As a search without accents compares: "Đăng ký" is "dang ky".
const folded = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐðÐ]/g, "d").toLowerCase();
const composing = (event) => event.isComposing || event.keyCode === 229;
const MOST_SHOWN = 60;

// --- A list found in by typing (the combobox pattern of ARIA's authoring practices) -----------------------------------
class Choose extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.select = this.querySelector("select");
    this.options = [...this.select.options].filter((option) => option.value).map((option) => {
      const field = option.parentElement.label ?? "";
      return { value: option.value, name: option.text, said: `${option.value} · ${field}`, folded: folded(`${option.text} ${option.value} ${field}`) };
    });
    this.build();
    this.showChosen();
  }

  build() {
    const id = this.select.id;
    this.input = document.createElement("input");
    for (const name of ["aria-describedby", "aria-invalid"]) if (this.select.hasAttribute(name)) this.input.setAttribute(name, this.select.getAttribute(name));
    this.select.id = `${id}-kept`;
    this.select.hidden = true;
    Object.assign(this.input, { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: this.select.options[0].text });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list` })) this.input.setAttribute(name, value);
    if (this.dataset.key) { this.input.dataset.key = this.dataset.key; this.input.dataset.keyName = this.dataset.keyName; delete this.dataset.key; }
    this.list = document.createElement("ul");
    Object.assign(this.list, { id: `${id}-list`, hidden: true, className: "found" });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.closest(".field")?.querySelector("label")?.textContent ?? "");
    this.count = document.createElement("span");
    this.count.className = "unseen";
    this.count.setAttribute("role", "status");
    this.append(this.input, this.list, this.count);
    this.input.addEventListener("input", () => this.open(this.input.value));
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("click", () => { if (this.list.hidden) { this.input.select(); this.open(""); } });
    this.input.addEventListener("blur", () => this.left());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(row.dataset.value);
    });
  }

  get isOpen() { return !this.list.hidden; }

  matching(typed) {
    const words = folded(typed).split(/\s+/).filter(Boolean);
    const found = this.options.filter((option) => words.every((word) => option.folded.includes(word)));
    const exact = typed.normalize("NFC").trim().toLowerCase();
    return exact ? [...found.filter((o) => o.name.toLowerCase().includes(exact)), ...found.filter((o) => !o.name.toLowerCase().includes(exact))] : found;
  }

  open(typed) {
    const found = this.matching(typed);
    this.list.replaceChildren(...found.slice(0, MOST_SHOWN).map((option, at) => {
      const row = document.createElement("li");
      row.id = `${this.list.id}-${at}`;
      row.dataset.value = option.value;
      row.setAttribute("role", "option");
      const small = document.createElement("span");
      small.className = "small quiet";
      small.textContent = option.said;
      row.append(option.name, document.createElement("br"), small);
      return row;
    }));
    if (!found.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = this.dataset.none;
      this.list.append(none);
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.count.textContent = found.length ? `${found.length} ${this.dataset.count}` : this.dataset.none;
    const chosen = this.rows.findIndex((row) => row.dataset.value === this.select.value);
    this.point(typed ? 0 : Math.max(chosen, 0));
  }

  get rows() { return [...this.list.querySelectorAll("[role=option]:not([aria-disabled])")]; }

  point(at) {
    const rows = this.rows;
    this.at = rows.length ? (at + rows.length) % rows.length : -1;
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === this.at)));
    if (this.at < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", rows[this.at].id);
    rows[this.at].scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(value) {
    const changed = this.select.value !== value;
    this.select.value = value;
    this.close();
    this.showChosen();
    if (changed) this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  showChosen() { this.input.value = this.options.find((option) => option.value === this.select.value)?.name ?? ""; }

  left() {
    if (!this.input.value.trim() && this.select.value) this.choose("");
    this.close();
    this.showChosen();
  }

  pressed(event) {
    if (composing(event)) return;
    const row = this.isOpen ? this.rows[this.at] : undefined;
    switch (event.key) {
      case "ArrowDown": case "ArrowUp":
        event.preventDefault();
        if (!this.isOpen) this.open("");
        else if (!event.altKey) this.point(this.at + (event.key === "ArrowDown" ? 1 : -1));
        return;
      case "Enter":
        if (event.ctrlKey || event.metaKey) { if (row && this.input.value.trim()) this.choose(row.dataset.value); return; }
        event.preventDefault(); // never opens a dossier by accident
        if (row) this.choose(row.dataset.value); else if (!this.isOpen) this.open("");
        return;
      case "Tab":
        if (row && this.input.value.trim()) this.choose(row.dataset.value);
        return;
      case "Escape":
        if (this.isOpen) { event.preventDefault(); this.close(); this.showChosen(); }
    }
  }
}
customElements.define("hs-choose", Choose);

// --- A reader types the identity card's code: number|earlier number|name|ddmmyyyy|sex|address|issued, then Enter -------
const PARTS = 7;
class Card extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    this.said = this.querySelector("[role=status]");
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || composing(event) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (this.input.value.trim()) this.read();
    });
    this.input.addEventListener("paste", () => setTimeout(() => { if (this.input.value.includes("|")) this.read(); }));
  }

  read() {
    const parts = this.input.value.normalize("NFC").split("|").map((part) => part.trim().replace(/\s+/g, " "));
    const isCard = parts.length >= PARTS && /^\d{12}$/.test(parts[0]) && parts[2];
    this.classList.toggle("bad", !isCard);
    this.said.classList.toggle("wrong", !isCard);
    if (!isCard) {
      this.said.textContent = this.dataset.notACard;
      this.input.select();
      return;
    }
    const fields = this.input.form.elements;
    fields.namedItem("id_number").value = parts[0];
    fields.namedItem("name").value = parts[2];
    fields.namedItem("address").value = parts[5];
    this.said.textContent = `✓ ${this.dataset.read} ${parts[2]}`;
    this.input.value = "";
    const next = ["phone", "procedure"].map((id) => document.getElementById(id)).find((field) => field && !field.value);
    next?.focus();
  }
}
customElements.define("hs-card", Card);

document.getElementById("twins")?.focus();
