// One file on its way to the service in parts (tus 1.0.0, /api/v1/parcels): how far it came is the server's to say, and it
// goes on from there. A classic script, loaded before the pages' own, which find it by name.

const WAITS_S = [2, 4, 8, 15];
const STUCK_AFTER_MS = 30_000;
const UNANSWERED_AFTER_MS = 60_000;

function base64(text) { return btoa(String.fromCharCode(...new TextEncoder().encode(text))); }

// Of the whole file, where the browser can: only over https, or on the server itself.
async function sha256(file) {
  if (!globalThis.crypto?.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Parcel {
  // `place`: where it goes up, as an earlier try was told; `goneBy`: which answers mean that it isn't there any more;
  // `placed` is called once it has a place, `progress` with the bytes that went out.
  constructor(file, { to, place = null, headers = {}, partBytes, goneBy = [404], placed = () => {}, progress = () => {} }) {
    Object.assign(this, { file, to, place, headers, partBytes, goneBy, placed, progress });
  }

  // The last answer: status, body, and whether the service had all of it before; status 0 when nobody answered.
  async carry(about) {
    const { file } = this;
    let answer = this.place ? await this.ask("HEAD", this.place) : null;
    if (!answer || this.goneBy.includes(answer.status)) {
      const said = Object.entries({ filename: file.name, ...about }).filter(([, value]) => value);
      const metadata = said.map(([key, value]) => `${key} ${base64(value)}`).join(",");
      answer = await this.ask("POST", this.to, { "upload-length": file.size, "upload-metadata": metadata });
      if (answer.status !== 201) return answer;
      this.place = answer.where;
      this.placed(this.place);
      this.there = answer.offset >= file.size;
    }
    const good = () => answer.status >= 200 && answer.status < 300; // 0: nobody answered
    for (let offset = answer.offset; good(); offset = answer.offset) {
      const part = file.slice(offset, offset + this.partBytes);
      answer = await this.ask("PATCH", this.place, { "content-type": "application/offset+octet-stream", "upload-offset": offset }, part, offset);
      if (good() && answer.offset >= file.size) return { ...await this.ask("GET", this.place), there: this.there };
      if (good() && !(answer.offset > offset)) return { status: 0, body: {} };
    }
    return answer;
  }

  // A line that dies without a word leaves a request open for minutes: when nothing more goes out, it is given up.
  ask(method, url, headers = {}, body = null, sent = 0) {
    const request = this.request = new XMLHttpRequest();
    return new Promise((done) => {
      let stuck;
      const giveUpAfter = (ms) => { clearTimeout(stuck); stuck = setTimeout(() => request.abort(), ms); };
      giveUpAfter(body?.size === 0 ? UNANSWERED_AFTER_MS : STUCK_AFTER_MS);
      request.upload.addEventListener("progress", (event) => {
        giveUpAfter(event.loaded < event.total ? STUCK_AFTER_MS : UNANSWERED_AFTER_MS);
        this.progress(sent + event.loaded);
      });
      request.addEventListener("loadend", () => {
        clearTimeout(stuck);
        let told = {};
        try { told = JSON.parse(request.responseText); } catch { /* nothing, or a gateway's page */ }
        done({ status: request.status, body: told, where: request.getResponseHeader("location"), offset: Number(request.getResponseHeader("upload-offset") ?? NaN) });
      });
      request.open(method, url);
      request.setRequestHeader("accept-language", document.documentElement.lang);
      request.setRequestHeader("tus-resumable", "1.0.0");
      for (const [name, value] of Object.entries({ ...this.headers, ...headers })) request.setRequestHeader(name, value);
      request.send(body);
    });
  }

  stop() { this.request?.abort(); }
}
