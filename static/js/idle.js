// Warns before the session ends, keeps it with one click, and after it has ended puts the sign-in over the page, so that
// what was typed there is still there afterwards. <dialog data-idle> says how many seconds are left, and where to ask.
const WARN_BEFORE = 120;
const dialog = document.querySelector("dialog[data-idle]");
let endsAt = 0;
let timer = 0;
let isOver = false;

const part = (name) => dialog.querySelector(`[data-idle-${name}]`);

function schedule(left) {
  endsAt = Date.now() + left * 1000;
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(0, left - Math.min(WARN_BEFORE, left / 3)) * 1000);
}

// Another tab may have kept the session alive, or somebody may have ended it: only the portal knows.
async function look() {
  const left = await ask(dialog.dataset.idleLeftUrl, "GET");
  if (left === null) return over();
  if (left === 0) return over();
  if (left > WARN_BEFORE + 5) {
    if (dialog.open && !isOver) dialog.close();
    return schedule(left);
  }
  endsAt = Date.now() + left * 1000;
  warn();
}

async function ask(url, method) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  try {
    const answer = await fetch(url, { method, headers: { "X-CSRFToken": token }, redirect: "manual" });
    return answer.ok ? (await answer.json()).left : null;
  } catch {
    // No network: what the clock says has to do.
    return Math.max(0, Math.round((endsAt - Date.now()) / 1000));
  }
}

function warn() {
  if (!dialog.open) dialog.showModal();
  const left = Math.round((endsAt - Date.now()) / 1000);
  if (left <= 0) return void end();
  part("clock").textContent = left >= 60 ? `${Math.floor(left / 60)} min ${left % 60} s` : `${left} s`;
  clearTimeout(timer);
  timer = setTimeout(warn, 1000);
}

// The clock of this page says that it is over; the portal, whose clock counts, may need another moment. Asking is no
// activity: what nobody at the keyboard did must not keep the session alive.
async function end() {
  clearTimeout(timer);
  const left = await ask(dialog.dataset.idleLeftUrl, "GET");
  if (!left) return over();
  endsAt = Date.now() + left * 1000;
  timer = setTimeout(look, 1000);
}

async function stay() {
  const left = await ask(dialog.dataset.idleStayUrl, "POST");
  if (left === null) return over();
  dialog.close();
  schedule(left);
}

async function over() {
  if (isOver) return;
  isOver = true;
  clearTimeout(timer);
  part("warning").hidden = true;
  part("over").hidden = false;
  part("title").textContent = "Your session has ended";
  // Nobody is signed in: what the page holds is not for whoever passes by.
  document.body.dataset.ended = "";
  if (!dialog.open) dialog.showModal();
  show(await fetch(dialog.dataset.idleSignInUrl));
}

async function show(answer, isMoved = false) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const here = page.querySelector("[data-here]");
  if (here && here.dataset.person === dialog.dataset.idlePerson) {
    if (here.dataset.organization === dialog.dataset.idleOrganization) return back(page);
    if (!isMoved) return show(await moved(page, answer.url), true);
  }
  const sheet = page.querySelector(".entry__sheet");
  if (here || !sheet) return void location.assign(answer.url);
  const place = part("form");
  place.replaceChildren(document.importNode(sheet, true));
  place.dataset.url = answer.url;
  // Other scripts look after what has just arrived: a passkey can open this door, too.
  place.dispatchEvent(new Event("arrived", { bubbles: true }));
  place.querySelector("[autofocus], input:not([type=hidden])")?.focus();
}

// Signing in leads to the first Organization of a person; the page may belong to another.
async function moved(page, here) {
  const csrfmiddlewaretoken = page.querySelector('meta[name="csrf-token"]').content;
  const organization = dialog.dataset.idleOrganization;
  const body = new URLSearchParams({ csrfmiddlewaretoken, organization });
  await fetch(dialog.dataset.idleSwitchUrl, { method: "POST", body });
  return fetch(here);
}

function back(page) {
  const token = page.querySelector('meta[name="csrf-token"]').content;
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
  delete document.body.dataset.ended;
  part("form").replaceChildren();
  part("title").textContent = "Are you still there?";
  part("warning").hidden = false;
  part("over").hidden = true;
  isOver = false;
  dialog.close();
  look();
}

if (dialog) {
  schedule(Number(dialog.dataset.idle));
  part("stay").addEventListener("click", stay);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (!isOver) stay();
  });
  part("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const url = new URL(form.getAttribute("action") || part("form").dataset.url, part("form").dataset.url);
    show(await fetch(url, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) }));
  });
  // What a page asks for by itself, a poll or a field that loses the focus to the dialog, would take the whole page away
  // when it finds the session gone, with what was typed in it.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const isAsked = event.detail.requestConfig.verb === "get";
    if (isAsked && dialog.isConnected && event.detail.xhr.getResponseHeader("HX-Redirect")) {
      event.preventDefault();
      over();
    }
  });
}
