// Copies the text of the element that a button names: <button data-copy-of="id" hidden>. What happened is said beside it.
function offer() {
  for (const button of document.querySelectorAll("[data-copy-of][hidden]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-of]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copyOf).textContent.replace(/\s/g, "");
  const status = button.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    status.textContent = "Not copied. Select it and copy by hand.";
  }
});
document.addEventListener("htmx:load", offer);
offer();
