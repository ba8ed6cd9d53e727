// Secrets on a page: copied, saved or printed by button, masked after a while, gone when the page is left.
"use strict";

const page = document.querySelector("[data-reveal]");
const secret = page.querySelector("[data-masked]");
const show = page.querySelector("[data-show]");
const countdown = page.querySelector("[data-countdown]");
const texts = new Map();
let left = Number(page.dataset.reveal);
let timer = 0;

for (const element of page.querySelectorAll("[data-copied]")) texts.set(element.dataset.copied, textOf(element));
const shown = [...secret.childNodes];

// A list is copied with a line for each of its items.
function textOf(element) {
  const lines = [...element.querySelectorAll("li")].map((item) => item.textContent.trim());
  return lines.length ? lines.join("\n") : element.textContent;
}

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
  secret.replaceChildren();
  for (const element of page.querySelectorAll("[data-copied]")) element.replaceChildren();
  for (const button of page.querySelectorAll("button")) button.hidden = true;
  countdown.textContent = "";
}

// The file is made here and goes straight to where downloads lie: no server sees it, no address leads to it.
function save(button) {
  const lines = `${button.dataset.heading}\n\n${texts.get(button.dataset.download)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines], { type: "text/plain" }));
  link.download = button.dataset.fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function say(button, words) {
  button.parentElement.querySelector("[role=status]").textContent = words;
}

for (const button of page.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(texts.get(button.dataset.copy));
      say(button, "Copied.");
    } catch {
      say(button, "Not copied. Select it and copy by hand.");
    }
  });
}

for (const button of page.querySelectorAll("[data-download]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    save(button);
    say(button, "Saved. Move the file to where you keep such things.");
  });
}

for (const button of page.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    unmask();
    window.print();
  });
}

show.addEventListener("click", unmask);
// The address of a page, noted by htmx on the way here, is all that could lie there.
sessionStorage.clear();
// A page kept by the browser to go back to must hold nothing either.
window.addEventListener("pagehide", clear);
unmask();
