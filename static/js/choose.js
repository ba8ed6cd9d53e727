// Says how many rows of a list are chosen. <form class="choosing"> holds the boxes, and [data-chosen] the sentence.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.choosing");
  if (!form || event.target.name !== "change") return;
  const chosen = form.querySelectorAll("[name=change]:checked").length;
  form.querySelector("[data-chosen]").textContent = `${chosen} chosen`;
});
