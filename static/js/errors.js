// A form that came back with errors: whoever reads by ear or keyboard begins at what is wrong, also under a #fragment.
function begin() {
  const box = document.querySelector(".notice--stop[role=alert][tabindex]");
  if (box) box.focus();
}

begin();
