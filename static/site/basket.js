// The demo's shop: choosing a version, the basket and purchases. What lies in the basket stays in this browser;
// the engine learns of it by events.
(() => {
  "use strict";
  const KEY = "lodestar-demo-basket";
  let kept = []; // [{type, item, amount, currency, label, title, href}], one entry a piece

  const read = () => {
    try {
      const stored = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(stored) ? stored : [];
    } catch {
      return kept; // storage is switched off: the basket lasts as long as the page
    }
  };
  const keep = (pieces) => {
    kept = pieces;
    try {
      localStorage.setItem(KEY, JSON.stringify(pieces));
    } catch {
      // nothing to keep it in
    }
    show();
  };

  const say = (words) => document.dispatchEvent(new CustomEvent("say", { detail: words }));
  const track = (piece, event) => {
    if (piece.item === "0") return; // not yet known to the read model, so the engine could not learn from it
    const details = event === "buy" ? `?quantity=1&fullprice=${piece.amount}${piece.currency}` : "";
    window._ycq.push(["_trackEvent", piece.type, event, piece.item, "", details]);
  };

  const row = (piece, place) => {
    const line = document.querySelector("[data-basket-row]").content.firstElementChild.cloneNode(true);
    const link = line.querySelector("a");
    link.textContent = piece.title;
    link.href = new URL(piece.href, location.origin).pathname;
    line.querySelector(".price").textContent = piece.label;
    line.querySelector("[data-basket-remove]").addEventListener("click", () => {
      track(piece, "deletefrombasket");
      keep(read().filter((_, at) => at !== place));
      document.querySelector(".basket summary").focus(); // the button that had the focus is gone
    });
    return line;
  };
  const show = () => {
    const pieces = read();
    const list = document.querySelector("[data-basket-items]");
    if (!list) return; // a page without the header's menu, such as the one for unknown addresses
    document.querySelector("[data-basket-count]").textContent = pieces.length;
    document.querySelector("[data-basket-empty]").hidden = pieces.length > 0;
    document.querySelector("[data-basket-buy]").hidden = pieces.length === 0;
    list.replaceChildren(...pieces.map(row));
  };

  document.querySelector("[data-basket-buy]")?.addEventListener("click", (event) => {
    read().forEach((piece) => track(piece, "buy"));
    keep([]);
    say(event.target.dataset.done);
  });
  document.addEventListener("keydown", (event) => {
    const basket = document.querySelector("details.basket[open]");
    if (event.key !== "Escape" || !basket) return;
    basket.open = false;
    basket.querySelector("summary").focus();
  });
  window.addEventListener("storage", show); // the basket of another tab of this site

  document.querySelectorAll("[data-shop]").forEach((shop) => {
    const variant = document.querySelector("#variant");
    const chosen = () => ({ ...shop.dataset, ...variant?.selectedOptions[0]?.dataset });
    variant?.addEventListener("change", () => {
      document.querySelector("[data-price]").textContent = chosen().label;
    });
    shop.querySelectorAll("[data-event]").forEach((button) =>
      button.addEventListener("click", () => {
        const { type, item, amount, currency, label, title, href } = chosen();
        const piece = { type, item, amount, currency, label, title, href };
        track(piece, button.dataset.event);
        if (button.dataset.event === "basket") keep([...read(), piece]);
        say(button.dataset.done);
      })
    );
  });
  show();
})();
