// The telephone's page: a picture is looked at before it is sent (sharp? light? near? whole?), goes up in parts and again
// by itself when the line was lost. Around forms that work without this.

const PART_BYTES = 1024 * 1024;
const ASK_EVERY_MS = 4000;
const A4_INCHES = 11.69;
const LEAST_DPI = 195;

// --- Looking at a picture: the same measures as the service's own (digitize/quality.py), coarser --------------------------
function greyOf(picture, width, height, from = [0, 0, picture.width, picture.height]) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, ...from, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let at = 0; at < grey.length; at++) grey[at] = (data[4 * at] * 77 + data[4 * at + 1] * 150 + data[4 * at + 2] * 29) >> 8;
  return grey;
}

function histogramOf(levels) {
  const counts = new Uint32Array(256);
  for (const level of levels) counts[level]++;
  return counts;
}

function percentile(counts, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let level = 0; level < 256; level++) if ((seen += counts[level]) >= total * share) return level;
  return 255;
}

// Where two heaps of lightness part (Otsu 1979), and how far apart their middles are.
function parted(grey) {
  const counts = histogramOf(grey);
  let sumAll = 0;
  for (let level = 0; level < 256; level++) sumAll += level * counts[level];
  let best = { between: -1, level: 127, apart: 0, dark: 0 };
  let below = 0, sumBelow = 0;
  for (let level = 0; level < 255; level++) {
    below += counts[level];
    sumBelow += level * counts[level];
    const above = grey.length - below;
    if (!below || !above) continue;
    const apart = (sumAll - sumBelow) / above - sumBelow / below;
    const between = below * above * apart * apart;
    if (between > best.between) best = { between, level, apart, dark: sumBelow / below };
  }
  return best;
}

// The sheet as four corners in shares of the picture; null when no outline is sure.
function sheetIn(picture) {
  const scale = 320 / Math.max(picture.width, picture.height);
  const width = Math.max(8, Math.round(picture.width * scale)), height = Math.max(8, Math.round(picture.height * scale));
  const grey = greyOf(picture, width, height);
  const { level, apart, dark } = parted(grey);
  if (apart < 40) return null; // paper on something as light as itself
  // The shadow of a hand may be darker than where the heaps part; but it comes softly, and the sheet's edge at once.
  const leastLight = dark + 0.2 * apart;
  const goesOn = (at, next) => grey[next] > level || (grey[next] > leastLight && Math.abs(grey[next] - grey[at]) <= 8);
  const group = new Int32Array(grey.length);
  let largest = { size: 0 };
  const stack = new Int32Array(grey.length);
  for (let start = 0, name = 0; start < grey.length; start++) {
    if (group[start] || grey[start] <= level) continue;
    name++;
    let top = 0, size = 0;
    stack[top++] = start;
    group[start] = name;
    while (top) {
      const at = stack[--top], x = at % width;
      size++;
      for (const next of [x ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width]) {
        if (next < 0 || next >= grey.length || group[next] || !goesOn(at, next)) continue;
        group[next] = name;
        stack[top++] = next;
      }
    }
    if (size > largest.size) largest = { size, name };
  }
  if (largest.size < 0.02 * grey.length) return null;
  const corner = [[Infinity], [-Infinity], [-Infinity], [Infinity]]; // top left, top right, bottom right, bottom left
  const onRim = [0, 0, 0, 0];
  for (let at = 0; at < grey.length; at++) {
    if (group[at] !== largest.name) continue;
    const x = at % width, y = (at - x) / width;
    if (x + y < corner[0][0]) corner[0] = [x + y, x, y];
    if (x - y > corner[1][0]) corner[1] = [x - y, x, y];
    if (x + y > corner[2][0]) corner[2] = [x + y, x, y];
    if (x - y < corner[3][0]) corner[3] = [x - y, x, y];
    if (y === 0) onRim[0]++;
    if (x === width - 1) onRim[1]++;
    if (y === height - 1) onRim[2]++;
    if (x === 0) onRim[3]++;
  }
  const points = corner.map(([, x, y]) => [x, y]);
  let twice = 0;
  points.forEach(([x, y], at) => { const [nextX, nextY] = points[(at + 1) % 4]; twice += x * nextY - nextX * y; });
  const area = Math.abs(twice) / 2;
  // Print makes holes in a sheet; a heap of light that isn't four-cornered is no sheet.
  if (area < 0.03 * grey.length || largest.size > 1.12 * area || largest.size < 0.6 * area) return null;
  const sides = points.map(([x, y], at) => Math.hypot(points[(at + 1) % 4][0] - x, points[(at + 1) % 4][1] - y));
  return {
    points: points.map(([x, y]) => [x / width, y / height]),
    longPx: Math.max(...sides) / scale,
    cutOff: onRim.some((count, side) => count > 0.25 * (side % 2 ? height : width)) && area < 0.92 * grey.length,
  };
}

// What is wrong with a picture, as keys of the page's words.
function faultsOf(picture, sheet) {
  const longPx = sheet?.longPx ?? Math.max(picture.width, picture.height);
  const faults = [];
  if (longPx < LEAST_DPI * A4_INCHES) faults.push("far");
  if (sheet?.cutOff) faults.push("cut");
  const across = sheet ? sheet.points.map(([x]) => x) : [0, 1], down = sheet ? sheet.points.map(([, y]) => y) : [0, 1];
  const [left, right, top, bottom] = [Math.min(...across), Math.max(...across), Math.min(...down), Math.max(...down)];
  const inset = sheet ? 0.06 : 0;
  const box = [left + inset * (right - left), top + inset * (bottom - top), (1 - 2 * inset) * (right - left), (1 - 2 * inset) * (bottom - top)];
  const from = [box[0] * picture.width, box[1] * picture.height, box[2] * picture.width, box[3] * picture.height];
  const scale = Math.min(1, 150 * A4_INCHES / longPx);
  const width = Math.max(64, Math.round(from[2] * scale)), height = Math.max(64, Math.round(from[3] * scale));
  const grey = greyOf(picture, width, height, from);
  const BLOCK = 32, columns = Math.ceil(width / BLOCK), rows = Math.ceil(height / BLOCK);
  const paper = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
    const counts = new Uint32Array(256);
    for (let y = row * BLOCK; y < Math.min(height, (row + 1) * BLOCK); y++) for (let x = column * BLOCK; x < Math.min(width, (column + 1) * BLOCK); x++) counts[grey[y * width + x]]++;
    paper[row * columns + column] = percentile(counts, 0.85);
  }
  const usual = percentile(histogramOf(paper), 0.5);
  if (percentile(histogramOf(paper), 0.75) < 110) faults.push("dark");
  if (paper.filter((level) => level >= 250 && level > usual + 16).length > 0.01 * paper.length) faults.push("glare");
  const flat = new Uint8Array(grey.length), steps = new Uint32Array(256);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const at = y * width + x;
    flat[at] = Math.min(255, 255 * grey[at] / Math.max(1, paper[(y / BLOCK | 0) * columns + (x / BLOCK | 0)]));
    if (x) steps[Math.abs(flat[at] - flat[at - 1])]++;
  }
  const counts = histogramOf(flat);
  const contrast = percentile(counts, 0.9) - percentile(counts, 0.005);
  if (contrast >= 12 && percentile(steps, 0.995) / contrast < 0.265) faults.push("blurred");
  return faults;
}

function shown(picture, sheet, canvas) {
  const width = Math.min(640, picture.width), height = Math.round(picture.height * width / picture.width);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  if (!sheet) return;
  context.beginPath();
  for (const [x, y] of sheet.points) context.lineTo(x * width, y * height);
  context.closePath();
  context.lineWidth = Math.max(3, width / 120);
  context.strokeStyle = "#ffb81c";
  context.stroke();
}

// Sent for nothing: the service can't read it (digitize/load.py). Where the file can't be read, sending it will say so.
async function isHeic(file) {
  const head = await file.slice(4, 12).arrayBuffer().catch(() => new ArrayBuffer(0));
  return /^ftyp(hei[cxms]|hev[cx]|mif1|msf1)/.test(new TextDecoder("latin1").decode(head));
}

// --- The page -----------------------------------------------------------------------------------------------------------
class Camera extends HTMLElement {
  connectedCallback() {
    if (this.items) return;
    this.items = [];
    this.words = JSON.parse(this.dataset.words);
    this.reasons = JSON.parse(this.dataset.reasons);
    this.list = this.querySelector("[data-taken]");
    this.template = this.querySelector("template[data-item]");
    this.addEventListener("click", (event) => this.clicked(event));
    this.querySelector("#file")?.removeAttribute("required");
    document.addEventListener("submit", (event) => this.ending(event), true);
    addEventListener("online", () => this.lineIsBack());
    addEventListener("beforeunload", (event) => { if (this.open().length && !this.leaving) event.preventDefault(); });
    setInterval(() => this.ask(), ASK_EVERY_MS);
  }

  open() { return this.items.filter((item) => !["received", "refused"].includes(item.state)); }
  tell(text) { this.querySelector("[data-said]").textContent = text; }

  clicked(event) {
    const button = event.target.closest("[data-take], [data-choose], [data-retake], [data-keep], [data-dismiss]");
    if (!button) return;
    if (button.matches("[data-take]")) return this.choose(true);
    if (button.matches("[data-choose]")) return this.choose(false);
    const item = this.items.find((one) => one.li.contains(button));
    if (button.matches("[data-keep]")) this.keep(item);
    else this.drop(item);
    if (button.matches("[data-retake]")) this.choose(true);
  }

  choose(camera) {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept: this.querySelector("#file").accept, multiple: !camera, hidden: true });
    if (camera) input.setAttribute("capture", "environment");
    input.addEventListener("cancel", () => input.remove());
    input.addEventListener("change", () => { for (const file of input.files) this.take(file); input.remove(); });
    this.append(input);
    input.click();
  }

  async take(file) {
    const li = this.template.content.cloneNode(true).firstElementChild;
    const item = { file, li, state: "looking", tries: 0 };
    this.items.push(item);
    this.list.append(li);
    this.list.hidden = false;
    if (file.size === 0) return this.refuse(item, this.words.empty);
    if (file.size > Number(this.dataset.mostBytes)) return this.refuse(item, this.words.too_large);
    this.say(item, "looking", this.words.looking);
    if (await isHeic(file)) return this.refuse(item, this.reasons.heic);
    let faults = [];
    try {
      faults = await this.look(item);
    } catch { /* this browser can't show it: the service will say what it is */ }
    if (faults.length) this.doubt(item, faults);
    else this.keep(item);
  }

  async look(item) {
    const picture = await createImageBitmap(item.file, { imageOrientation: "from-image" });
    try {
      const sheet = sheetIn(picture);
      const canvas = item.li.querySelector("canvas");
      shown(picture, sheet, canvas);
      canvas.setAttribute("aria-label", item.file.name);
      canvas.hidden = false;
      item.li.dataset.outline = sheet ? "found" : "none";
      return faultsOf(picture, sheet);
    } finally {
      picture.close();
    }
  }

  doubt(item, faults) {
    this.say(item, "doubt", `⚠ ${this.words.retake}`, { tone: "warn" });
    const list = item.li.querySelector("[data-faults]");
    list.replaceChildren(...faults.map((fault) => Object.assign(document.createElement("li"), { textContent: this.words[fault] })));
    list.hidden = false;
    item.li.querySelector("[data-choices]").hidden = false;
    this.tell(`${this.words.retake} ${faults.map((fault) => this.words[fault]).join(" ")}`);
    item.li.querySelector("[data-retake]").focus();
  }

  keep(item) {
    item.li.querySelector("[data-choices]").hidden = true;
    item.li.querySelector("[data-faults]").hidden = true;
    item.state = "waiting";
    this.pump();
  }

  drop(item) {
    clearTimeout(item.timer);
    item.li.remove();
    this.items.splice(this.items.indexOf(item), 1);
    this.list.hidden = !this.items.length;
  }

  say(item, state, text, { tone = "", percent = null } = {}) {
    item.state = state;
    item.li.className = `item ${tone}`;
    item.li.querySelector("[data-state]").textContent = text;
    const bar = item.li.querySelector("progress");
    bar.hidden = percent === null;
    bar.value = percent ?? 0;
    bar.setAttribute("aria-label", text);
    this.querySelector("[data-unsent]").hidden = true;
  }

  refuse(item, text) {
    this.say(item, "refused", `⚠ ${this.words.refused}: ${text}`, { tone: "bad" });
    item.li.querySelector("[data-dismissing]").hidden = false;
    this.tell(`${this.words.refused}: ${text}`);
  }

  async pump() {
    if (this.active) return;
    const item = this.active = this.items.find((one) => one.state === "waiting");
    if (!item) return;
    this.say(item, "sending", this.words.sending.replace("{n}", 0), { percent: 0 });
    try {
      await this.carry(item);
    } catch {
      this.hold(item);
    }
    this.active = null;
    this.pump();
  }

  async carry(item) {
    item.sha256 ??= await sha256(item.file);
    item.parcel ??= new Parcel(item.file, {
      to: this.dataset.to,
      headers: { authorization: `Bearer ${this.dataset.token}` },
      partBytes: PART_BYTES,
      progress: (bytes) => {
        const percent = Math.floor(100 * bytes / item.file.size);
        this.say(item, "sending", this.words.sending.replace("{n}", percent), { percent });
      },
    });
    this.answered(item, await item.parcel.carry({ sha256: item.sha256 }));
  }

  answered(item, { status, body, there }) {
    const state = body.state?.code;
    if (status === 200 && (state === "collected" || state === "taken")) this.received(item, there ? this.words.twice : this.words.received);
    else if (status === 200 && body.trouble === "duplicate") this.received(item, this.words.twice);
    else if (status === 200 && state === "refused") this.refuse(item, this.reasons[body.trouble] ?? body.trouble);
    else if (status === 410) this.refuse(item, this.words.over);
    else if (status === 0 || status >= 500 || status < 300 || [404, 412, 429, 460].includes(status) || ["part_out_of_place", "parcel_spoiled"].includes(body.code)) this.hold(item);
    else this.refuse(item, this.reasons[body.reason] ?? [body.title, body.next].filter(Boolean).join(" "));
  }

  received(item, text) {
    this.say(item, "received", `✓ ${text}`, { tone: "good" });
    this.tell(text);
    this.ask();
    item.timer = setTimeout(() => this.drop(item), 6000);
  }

  hold(item) {
    const seconds = WAITS_S[Math.min(item.tries++, WAITS_S.length - 1)];
    this.say(item, "held", `⚠ ${this.words.held.replace("{n}", seconds)}`, { tone: "warn" });
    item.timer = setTimeout(() => this.again(item), seconds * 1000);
  }

  again(item) { if (item.state === "held") { clearTimeout(item.timer); item.state = "waiting"; this.pump(); } }
  lineIsBack() { for (const item of this.items) this.again(item); }

  // --- What has been received, and the paper's end ------------------------------------------------------------------------
  async ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${this.dataset.address}/tinh-trang`, { headers: { "accept-language": document.documentElement.lang } });
      if (!answer.ok) { if (answer.status === 410 && !this.open().length) location.reload(); return; }
      const html = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("brought");
      const now = this.querySelector("#brought");
      if (html && now.innerHTML !== html.innerHTML && !now.contains(document.activeElement)) now.replaceWith(document.importNode(html, true));
    } catch { /* the line is lost; what is on its way says so itself */ }
  }

  ending(event) {
    if (!event.target.matches("form") || !this.contains(event.target)) return;
    if (event.target.id === "done" && this.open().length) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const said = this.querySelector("[data-unsent]");
      said.textContent = this.words.unsent;
      said.hidden = false;
      return;
    }
    this.leaving = true;
  }
}
// Where the other script didn't come, the forms alone do the work.
if (typeof Parcel === "function") customElements.define("hs-camera", Camera);
