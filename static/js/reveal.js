// A secret on a page: copied by button, masked after a while, gone when the page is left.
"use strict";

const page = document.querySelector("[data-reveal]");
const secret = page.querySelector("[data-masked]");
const show = page.querySelector("[data-show]");
const countdown = page.querySelector("[data-countdown]");
const texts = new Map();
let left = Number(page.dataset.reveal);
let timer = 0;

for (const element of page.querySelectorAll("[data-copied]")) {
  texts.set(element.dataset.copied, element.textContent);
}
const shown = [...secret.childNodes];

function mask() {
  clearInterval(timer);
  const dots = document.createElement("span");
  dots.className = "mask";
  dots.textContent = "•".repeat(24);
  secret.replaceChildren(dots);
  countdown.textContent = "";
  show.hidden = false;
}

function unmask() {
  if (texts.size === 0) return;
  secret.replaceChildren(...shown);
  show.hidden = true;
  left = Number(page.dataset.reveal);
  tick();
  clearInterval(timer);
  timer = setInterval(tick, 1000);
}

function tick() {
  countdown.textContent = `Masked in ${left} s; Show brings it back until you leave.`;
  if (left <= 0) mask();
  left -= 1;
}

function clear() {
  clearInterval(timer);
  texts.clear();
  shown.length = 0;
  for (const element of page.querySelectorAll("[data-copied]")) element.replaceChildren();
  for (const button of page.querySelectorAll("button")) button.hidden = true;
  countdown.textContent = "";
}

for (const button of page.querySelectorAll("[data-copy]")) {
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(texts.get(button.dataset.copy));
      status.textContent = "Copied.";
    } catch {
      status.textContent = "Not copied. Select it and copy by hand.";
    }
  });
}

show.addEventListener("click", unmask);
// The address of a page, noted by htmx on the way here, is all that could lie there.
sessionStorage.clear();
// A page kept by the browser to go back to must hold nothing either.
window.addEventListener("pagehide", clear);
unmask();
