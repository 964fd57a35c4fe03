// Screens of the customer data platform: what a page can do without, made nicer.
(() => {
  "use strict";

  // A line that follows what arrives, every three seconds while the page is looked at.
  for (const line of document.querySelectorAll("[data-poll]")) {
    const look = async () => {
      if (document.hidden) return;
      try {
        const answer = await fetch(line.dataset.poll, { headers: { Accept: "application/json" } });
        if (!answer.ok) return;
        const { html } = await answer.json();
        if (line.innerHTML.trim() !== html.trim()) line.innerHTML = html;
      } catch {
        // The server is away for a moment; the next look finds it.
      }
    };
    setInterval(look, 3000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });

  for (const all of document.querySelectorAll("[data-all]")) {
    const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)];
    const show = () => { all.checked = boxes.every((box) => box.checked); };
    all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
    boxes.forEach((box) => box.addEventListener("change", show));
    show();
  }

  // Fields that only some kinds of schemas have.
  const kind = document.querySelector("[data-kind]");
  if (kind) {
    const show = () => {
      const parent = kind.selectedOptions[0].dataset.parent;
      for (const part of document.querySelectorAll("[data-for]")) {
        part.hidden = !part.dataset.for.split(" ").includes(parent);
        // What is not shown is neither asked for nor sent.
        for (const control of part.querySelectorAll("input, select")) control.disabled = part.hidden;
      }
    };
    kind.addEventListener("change", show);
    show();
  }

  for (const choice of document.querySelectorAll("select[data-go]")) {
    choice.addEventListener("change", () => { location.search = choice.dataset.go + choice.value; });
  }
})();
