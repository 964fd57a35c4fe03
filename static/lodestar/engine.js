// Screens of models, scenarios and items: cards that are moved by mouse and by keyboard, and the search for items.
(() => {
  "use strict";

  const form = document.querySelector("[data-board]");
  if (form) {
    const status = form.querySelector("[data-status]");
    const levels = [...form.querySelectorAll("[data-level]")];
    const cardsOf = (level) => level.querySelector("[data-cards]");
    const nameOf = (card) => card.querySelector("[data-name]").textContent;
    const fill = (text, values) => Object.entries(values).reduce((all, [name, value]) => all.replace(`{${name}}`, value), text);

    // What a level is called stands in its cards, so that the server knows where each one lies.
    const settled = (card) => {
      const level = card.closest("[data-level]");
      const number = card.querySelector("[name=placed-level]");
      if (number) number.value = level.dataset.level;
      const all = [...cardsOf(level).children];
      status.textContent = fill(form.dataset.announce, {
        name: nameOf(card), level: level.querySelector("[data-label]").textContent, place: all.indexOf(card) + 1, count: all.length,
      });
      form.dispatchEvent(new Event("change", { bubbles: true }));
    };

    const move = (card, up) => {
      const other = up ? card.previousElementSibling : card.nextElementSibling;
      if (other) {
        if (up) other.before(card); else other.after(card);
      } else {
        const next = levels[levels.indexOf(card.closest("[data-level]")) + (up ? -1 : 1)];
        if (!next) return;
        if (up) cardsOf(next).append(card); else cardsOf(next).prepend(card);
      }
      settled(card);
    };

    const keep = (select, isKept) => {
      for (const option of [...select.options]) if (!isKept(option.value)) option.remove();
    };

    const remove = (card) => {
      const level = card.closest("[data-level]");
      const next = card.nextElementSibling ?? card.previousElementSibling;
      const name = nameOf(card);
      card.remove();
      (next?.querySelector("[data-remove]") ?? level.querySelector("[data-pool], [data-item-search]"))?.focus();
      status.textContent = fill(form.dataset.removed, { name });
      form.dispatchEvent(new Event("change", { bubbles: true }));
    };

    const made = (name) => {
      const card = form.querySelector("[data-card-template]").content.firstElementChild.cloneNode(true);
      card.querySelector("[data-name]").textContent = name;
      card.querySelector("[role=group]").setAttribute("aria-label", name);
      for (const place of card.querySelectorAll("[data-of]")) place.textContent = ` ${name}`;
      return card;
    };

    const add = (level) => {
      const chosen = level.querySelector("[data-pool]").selectedOptions[0];
      if (!chosen) return;
      const card = made(chosen.textContent);
      card.querySelector("[name=placed-model]").value = chosen.value;
      if (!("divides" in chosen.dataset)) keep(card.querySelector("[name=placed-data]"), (value) => value === "default");
      if ("needsContext" in chosen.dataset) keep(card.querySelector("[name=placed-context]"), (value) => value !== "none");
      cardsOf(level).append(card);
      settled(card);
      card.querySelector("[name=placed-context]").focus();
    };

    // An item of a list: "38/4711", or one that was found by its name.
    const addItem = (level) => {
      const input = level.querySelector("[data-item-search]");
      const id = input.value.trim();
      if (!id) return;
      const known = [...input.list.options].find((option) => option.value === id);
      const card = made(known ? known.label : id);
      card.querySelector("[name=entry]").value = id;
      card.querySelector("[data-key]").textContent = known ? id : "";
      cardsOf(level).append(card);
      input.value = "";
      settled(card);
      input.focus();
    };

    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move], [data-remove], [data-add], [data-add-item]");
      if (!button) return;
      const card = button.closest("[data-card]");
      if ("add" in button.dataset) add(button.closest("[data-level]"));
      else if ("addItem" in button.dataset) addItem(button.closest("[data-level]"));
      else if ("remove" in button.dataset) remove(card);
      else {
        move(card, button.dataset.move === "up");
        button.focus();
      }
    });

    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("[data-item-search]")) {
        event.preventDefault();
        addItem(event.target.closest("[data-level]"));
      }
    });

    let dragged = null;
    form.addEventListener("dragstart", (event) => {
      dragged = event.target.closest?.("[data-card]");
      if (!dragged) return;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", nameOf(dragged));
      dragged.classList.add("engine-card--dragged");
    });
    form.addEventListener("dragend", () => {
      dragged?.classList.remove("engine-card--dragged");
      levels.forEach((level) => level.classList.remove("engine-level--over"));
      dragged = null;
    });
    for (const level of levels) {
      level.addEventListener("dragover", (event) => {
        if (!dragged) return;
        event.preventDefault();
        levels.forEach((one) => one.classList.toggle("engine-level--over", one === level));
      });
      level.addEventListener("drop", (event) => {
        if (!dragged) return;
        event.preventDefault();
        const below = [...cardsOf(level).children].find((card) => {
          const box = card.getBoundingClientRect();
          return card !== dragged && event.clientY < box.top + box.height / 2;
        });
        cardsOf(level).insertBefore(dragged, below ?? null);
        settled(dragged);
      });
    }
  }

  // A found item goes into the field of context items, by its id alone, as the API has it.
  for (const button of document.querySelectorAll("[data-add-context]")) {
    button.addEventListener("click", () => {
      const input = button.parentElement.querySelector("[data-item-search]");
      // Only one that was found: half a name is no item.
      const id = input.value.trim().match(/^(?:\d+\/)?([^\s/]+)$/)?.[1];
      if (!id || !(/\d/.test(id) || [...input.list.options].some((one) => one.value.endsWith(`/${id}`)))) return;
      const into = document.getElementById(input.dataset.into);
      into.value = [...into.value.split(",").map((one) => one.trim()).filter(Boolean), id].join(",");
      input.value = "";
      input.focus();
    });
  }

  // Items by their names: what is typed is asked for, and offered with type and id.
  for (const input of document.querySelectorAll("[data-item-search]")) {
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      const text = input.value.trim();
      if (text.length < 2 || [...input.list.options].some((option) => option.value === text)) return;
      waiting = setTimeout(async () => {
        const address = new URL(input.dataset.itemSearch, location.href);
        address.searchParams.set("q", text);
        try {
          const answer = await fetch(address, { headers: { Accept: "application/json" } });
          if (!answer.ok) return;
          const { items } = await answer.json();
          input.list.replaceChildren(...items.map(({ value, label }) => new Option(label, value)));
        } catch {
          // The server is away for a moment; the id can be typed.
        }
      }, 250);
    });
  }
})();
