// The button that signs says how many papers are chosen.
const form = document.querySelector("form[data-sign]");
const count = form?.querySelector("[data-count]");
form?.addEventListener("change", () => {
  const chosen = form.querySelectorAll("input[name=giay]:checked").length;
  count.textContent = (chosen === 1 ? form.dataset.one : form.dataset.many).replace("{}", chosen);
  count.closest("button").disabled = chosen === 0;
});
