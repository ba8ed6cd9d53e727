// What somebody wrote into <form data-kept> and sent when their session had ended is there again once they have signed in
// and are back on that page: in this tab, for this person, once. The portal took none of it.
const KEY = "kept";
const person = document.querySelector("dialog[data-idle]")?.dataset.idlePerson;
const fields = (form) => [...form.querySelectorAll("textarea[name], input[type=text][name]")].filter((field) => field.autocomplete !== "one-time-code");

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-kept]")) return;
  const values = fields(event.target).map((field) => [field.name, field.value]);
  sessionStorage.setItem(KEY, JSON.stringify({ person, path: location.pathname, values }));
});

// A page of somebody signed in is where it belongs, or shows that it was taken, or that somebody else is here now. On the
// way through the sign-in nobody is, and it stays.
const kept = read();
if (kept && person) {
  sessionStorage.removeItem(KEY);
  const form = document.querySelector("form[data-kept]");
  if (form && kept.person === person && kept.path === location.pathname) {
    const values = new Map(kept.values);
    for (const field of fields(form)) field.value ||= values.get(field.name) ?? "";
  }
}
