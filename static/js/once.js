// A form that is on its way is not sent again by a second click. What the browser brings back from its memory is free.
const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.has(event.target)) return void event.preventDefault();
  sent.add(event.target);
  // Whatever kept it from leaving, it can be sent again after a while.
  setTimeout(() => sent.delete(event.target), 10000);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sent.delete(form);
});
