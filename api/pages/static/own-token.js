// Signing with one's own token: finds the desktop tool on this computer, and tells it where the document is.
// Whatever the tool answers is shown and believed in nothing: the page asks the server how it went.

const PATIENCE_MS = 3000;
const TOLD_WITHIN_MS = 1500; // by then the page itself says why a file wasn't taken

function connected(address) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    const timer = setTimeout(() => { socket.close(); reject(new Error("silent")); }, PATIENCE_MS);
    socket.addEventListener("open", () => { clearTimeout(timer); resolve(socket); });
    socket.addEventListener("error", () => { clearTimeout(timer); reject(new Error("nobody there")); });
  });
}

class OwnToken extends HTMLElement {
  #tool = null;
  #socket = null;

  connectedCallback() {
    this.querySelector("[data-sign]").addEventListener("click", () => this.#sign());
    this.querySelector("[data-look]").addEventListener("click", () => this.#look());
    this.#look();
  }

  disconnectedCallback() { this.#socket?.close(); }

  // Each address in turn; the tool is asked for nothing yet.
  async #look() {
    this.#say("looking");
    this.querySelector("[data-look]").hidden = true;
    for (const address of this.dataset.tools.split(" ")) {
      try {
        const socket = await connected(`${address}/${this.dataset.command}`);
        socket.close();
        this.#tool = address;
        this.#say("found");
        this.#ready(true);
        return;
      } catch { /* the next address */ }
    }
    this.#tool = null;
    this.#say("missing");
    this.#ready(false);
    this.querySelector("[data-look]").hidden = false;
  }

  async #sign() {
    if (this.#socket || !this.#tool) return;
    this.#ready(false);
    try {
      const answer = await fetch(this.dataset.open, { method: "POST" });
      const said = await answer.json();
      if (!answer.ok) { this.#tell(said.Message); return; }
      this.#socket = await connected(`${this.#tool}/${said.command}`);
      this.#say("asking");
      this.#socket.send(JSON.stringify(said.parameters));
      const words = await this.#answer();
      await new Promise((resolve) => { setTimeout(resolve, TOLD_WITHIN_MS); });
      if (document.getElementById("refusal")) this.#say("found");
      else this.#tell(words);
    } catch {
      this.#say("missing");
      this.querySelector("[data-look]").hidden = false;
    } finally {
      this.#socket?.close();
      this.#socket = null;
      this.#ready(true);
    }
  }

  #answer() {
    return new Promise((resolve) => {
      this.#socket.addEventListener("message", (event) => {
        let message = "";
        try { message = JSON.parse(event.data).Message ?? ""; } catch { message = String(event.data); }
        resolve(`${this.dataset.answered} ${message || "OK"}`);
      });
      this.#socket.addEventListener("close", () => resolve(this.dataset.cancelled));
    });
  }

  #ready(is) {
    const button = this.querySelector("[data-sign]");
    button.hidden = !this.#tool;
    button.disabled = !is || !this.#tool;
  }

  #say(which) { this.#tell(this.dataset[which]); }

  #tell(words) { this.querySelector(".tool-line").textContent = words; }
}
customElements.define("hoso-own-token", OwnToken);
