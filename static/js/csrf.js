// Every request of htmx that may change something carries the CSRF token of the page as it is then: a sign-in
// gives a new one, and the cookie cannot be read from here.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token && event.detail.verb !== "get") {
    event.detail.headers["X-CSRFToken"] = token.content;
  }
});
