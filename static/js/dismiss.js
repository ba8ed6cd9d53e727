// What was folded out over the page folds back: by Escape, or by a press anywhere else.
function fold(details) {
  const held = details.contains(document.activeElement);
  details.open = false;
  if (held) details.querySelector("summary").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details[data-dismiss][open]");
  if (!open) return;
  event.preventDefault();
  fold(open);
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details[data-dismiss][open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
