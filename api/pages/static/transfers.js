// Ticks on a list of paper dossiers: by scanning the QR code of each receipt, or all at once. The form works without it.

class Ticks extends HTMLElement {
  connectedCallback() {
    this.said = this.querySelector("[data-status]");
    this.boxes = [...this.querySelectorAll("input[type=checkbox][data-code]")];
    this.querySelector("[data-tick-all]")?.addEventListener("click", () => {
      for (const box of this.boxes) box.checked = true;
      this.count();
    });
    this.addEventListener("change", () => this.count());
    const scan = this.querySelector("[data-scan]");
    scan?.addEventListener("keydown", (event) => {
      if (event.key === "Escape") scan.blur(); // and the keys that are letters work again
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
      event.preventDefault();
      this.scanned(scan.value);
      scan.value = "";
    });
    if (scan?.autofocus) scan.focus(); // hidden until now, so the browser passed it by
    if (this.dataset.none) this.addEventListener("submit", (event) => this.sent(event));
    if (this.querySelector("[data-tick-all]")) this.count();
  }

  // A receipt's code is an address with the dossier's code behind "#hs="; typed by hand it is the code alone.
  scanned(text) {
    const code = (/[#&]hs=([^&\s]+)/.exec(text)?.[1] ?? text).trim().toUpperCase();
    if (!code) return;
    const box = this.boxes.find((one) => one.dataset.code.toUpperCase() === code || (/^\d{4}$/.test(code) && one.dataset.code.endsWith(`-${code}`)));
    if (!box) { this.said.textContent = `⚠ ${this.dataset.notFound}: ${code}`; return; }
    box.checked = true;
    this.count(`✓ ${this.dataset.found} ${box.dataset.code}, `);
  }

  // Where a slip of nothing makes no sense, that is said here, and nothing is sent.
  sent(event) {
    if (this.boxes.some((box) => box.checked)) return;
    event.preventDefault();
    event.stopPropagation();
    this.said.textContent = `⚠ ${this.dataset.none}`;
    this.querySelector("[data-scan]")?.focus();
  }

  count(before = "") {
    const ticked = this.boxes.filter((box) => box.checked).length;
    this.said.textContent = before + this.dataset.ticked.replace("{n}", ticked).replace("{m}", this.boxes.length);
  }
}
customElements.define("hs-ticks", Ticks);
