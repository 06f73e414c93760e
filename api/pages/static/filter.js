// Shows only the rows that contain what is typed, without regard to accents.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/g, "d").replace(/Đ/g, "D").toLowerCase();
for (const box of document.querySelectorAll("[data-filter]")) {
  box.addEventListener("input", () => {
    const wanted = plain(box.value.trim());
    for (const row of document.querySelectorAll("tr[data-row]")) row.hidden = !plain(row.textContent).includes(wanted);
  });
}
