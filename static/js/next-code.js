// Counts down to the next authenticator code. <span data-next-code="18" hidden>Next code in <span>18</span> s.</span>
// says how many seconds were left when the server wrote it: its clock decides, not this one.
const PERIOD = 30;
const changesAt = new WeakMap();

function tick() {
  const now = performance.now() / 1000;
  for (const node of document.querySelectorAll("[data-next-code]")) {
    if (!changesAt.has(node)) {
      changesAt.set(node, now + Number(node.dataset.nextCode));
      node.hidden = false;
    }
    const left = changesAt.get(node) - now;
    const figure = node.querySelector("span");
    figure.textContent = Math.ceil(((left % PERIOD) + PERIOD) % PERIOD) || PERIOD;
  }
}

tick();
setInterval(tick, 1000);
