// Passkeys. Inside a form, <div data-passkey="create|get" data-options="…" hidden> holds a hidden input
// [data-passkey-answer], a button [data-passkey-use] and a [role=status]. The button asks the portal for a challenge and
// the browser for a passkey, puts the answer into the input and sends the form. Nothing is asked before a click.
const MESSAGES = {
  NotAllowedError: "Nothing was confirmed. Try again when you are ready.",
  InvalidStateError: "This device holds a passkey of yours for this portal already.",
  NotSupportedError: "This device cannot make the kind of passkey that is needed here.",
  SecurityError: "Passkeys work only at the portal’s own address. Open it there.",
};

function bytes(text) {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function decoded(options) {
  const credentials = (list) => (list || []).map((item) => ({ ...item, id: bytes(item.id) }));
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (options.user) publicKey.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) publicKey.excludeCredentials = credentials(options.excludeCredentials);
  if (options.allowCredentials) publicKey.allowCredentials = credentials(options.allowCredentials);
  return publicKey;
}

function encoded(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
}

async function ask(part) {
  const body = new URLSearchParams();
  if (part.dataset.change) body.set("change", part.dataset.change);
  if (part.dataset.digest) body.set("digest", part.dataset.digest);
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(part.dataset.options, {
    method: "POST",
    body,
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    redirect: "error",
  });
  const options = await answer.json();
  if (!answer.ok) throw new Error(options.detail);
  const publicKey = decoded(options);
  return part.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey })
    : navigator.credentials.get({ publicKey });
}

// What a browser presses for Enter decides nothing: components/_step_up.html.
function byEnter(button) {
  return button.name === "by_enter";
}

async function use(part, submitter) {
  const form = part.closest("form");
  const status = part.querySelector("[role=status]");
  const button = part.querySelector("[data-passkey-use]");
  if (part.dataset.passkey === "create" && !form.reportValidity()) return;
  button.disabled = true;
  status.textContent = "Waiting for your passkey …";
  try {
    part.querySelector("[data-passkey-answer]").value = encoded(await ask(part));
  } catch (error) {
    status.textContent = MESSAGES[error.name] || error.message || "The passkey could not be used.";
    return;
  } finally {
    button.disabled = false;
  }
  const buttons = [...form.elements].filter((element) => element.type === "submit" && !byEnter(element));
  if (submitter || buttons.length < 2) {
    status.textContent = "Confirmed. Sending …";
    form.requestSubmit(submitter || buttons[0]);
  } else {
    button.hidden = true;
    status.textContent = `Confirmed. Now press ${buttons.map((element) => element.textContent.trim()).join(" or ")}.`;
  }
}

function show() {
  for (const part of document.querySelectorAll("[data-passkey][hidden]")) {
    part.hidden = !window.PublicKeyCredential;
  }
  for (const note of document.querySelectorAll("[data-passkey-missing]")) {
    note.hidden = Boolean(window.PublicKeyCredential);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey-use]");
  if (button) use(button.closest("[data-passkey]"), null);
});

// Whoever presses Approve with neither a code nor an answer means the passkey.
document.addEventListener("submit", (event) => {
  const part = event.target.querySelector('[data-passkey="get"]:not([hidden])');
  if (event.submitter && byEnter(event.submitter)) return;
  if (!part || part.querySelector("[data-passkey-answer]").value) return;
  const code = event.target.querySelector('[autocomplete="one-time-code"]');
  if (code && code.value) return;
  event.preventDefault();
  use(part, event.submitter);
});

// A page that the browser kept to go back to holds no spent answer.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const input of document.querySelectorAll("[data-passkey-answer]")) input.value = "";
});
for (const name of ["htmx:load", "arrived"]) document.addEventListener(name, show);
show();
