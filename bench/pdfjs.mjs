// The text of PDFs as pdf.js gives it to whoever selects or searches in a browser: node pdfjs.mjs FOLDER FILE…
// FOLDER holds node_modules with pdfjs-dist. Prints a JSON list of files, each a list of pages.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const home = resolve(folder, "node_modules", "pdfjs-dist");
// Browsers have these; they are for drawing, and here nothing is drawn.
for (const name of ["DOMMatrix", "ImageData", "Path2D"]) globalThis[name] ??= class {};
const pdfjs = await import(pathToFileURL(join(home, "legacy", "build", "pdf.mjs")));
const texts = [];
for (const file of files) {
  const task = pdfjs.getDocument({
    data: new Uint8Array(await readFile(file)),
    standardFontDataUrl: join(home, "standard_fonts/"),
    verbosity: 0,
  });
  const document = await task.promise;
  const pages = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const content = await (await document.getPage(number)).getTextContent();
    pages.push(content.items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join(""));
  }
  texts.push(pages);
  await task.destroy();
}
process.stdout.write(JSON.stringify(texts));
