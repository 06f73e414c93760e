// What a telephone does for a citizen beyond what pages do by themselves. Everything works without it.

// What stands behind "#" in the address of a QR code: no server ever sees it, and it doesn't stay in the address bar.
function taken() {
  const found = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(found.size === 0 ? null : { qr: location.hash }, "", location.pathname + location.search);
  return found;
}

// The QR code of a receipt fills in both codes.
customElements.define("receipt-codes", class extends HTMLElement {
  connectedCallback() {
    const found = taken();
    history.replaceState(null, "");
    const [code, secret] = [found.get("hs"), found.get("ma")];
    const form = document.querySelector("form[action='/tra-cuu']");
    if (!code || !secret || !form) return;
    form.elements.ma_ho_so.value = code;
    form.elements.ma_tra_cuu.value = secret;
    this.hidden = false;
    form.querySelector("button").focus();
  }
});

// The QR code of a result says what should be printed beside it: shown to be compared, marked as unverified.
customElements.define("qr-says", class extends HTMLElement {
  connectedCallback() {
    const now = taken();
    const found = now.size ? now : new URLSearchParams((history.state?.qr ?? "").slice(1));
    for (const row of this.querySelectorAll("[data-qr]")) {
      let value = (found.get(row.dataset.qr) ?? "").slice(0, 300);
      if (!value) continue;
      if (row.dataset.qr === "id") value = "•".repeat(Math.max(0, value.length - 4)) + value.slice(-4);
      row.querySelector("dd").textContent = value;
      row.hidden = this.hidden = false;
    }
  }
});

// A file may be dropped anywhere on the field, and one that is too large is told before it is sent.
customElements.define("check-file", class extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input[type=file]");
    const wrong = this.querySelector(".wrong");
    this.classList.add("drop-here");
    this.addEventListener("dragover", (event) => { event.preventDefault(); this.classList.add("over"); });
    this.addEventListener("dragleave", () => this.classList.remove("over"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    });
    input.addEventListener("change", () => {
      const most = Number(this.dataset.most);
      const tooLarge = (input.files[0]?.size ?? 0) > most;
      wrong.hidden = !tooLarge;
      wrong.textContent = tooLarge ? this.dataset.tooLarge : "";
      wrong.parentElement.classList.toggle("bad", tooLarge);
    });
    input.form.addEventListener("submit", (event) => {
      if (!wrong.hidden && wrong.textContent === this.dataset.tooLarge) { event.preventDefault(); input.focus(); }
    }, true);
  }
});

// Read aloud, where the telephone has a voice for the page's language.
const speak = document.querySelector("[data-speak]");
if (speak && "speechSynthesis" in window) {
  const voice = () => speechSynthesis.getVoices().find((v) => v.lang.toLowerCase().startsWith(document.documentElement.lang));
  const offer = () => { speak.hidden = !voice(); };
  offer();
  speechSynthesis.addEventListener?.("voiceschanged", offer);
  speak.addEventListener("click", () => {
    if (speechSynthesis.speaking) return speechSynthesis.cancel();
    const words = new SpeechSynthesisUtterance([...document.querySelectorAll("[data-say]")].map((e) => e.innerText).join(". "));
    words.voice = voice();
    words.lang = words.voice.lang;
    speechSynthesis.speak(words);
  });
  addEventListener("pagehide", () => speechSynthesis.cancel());
}
