// The demo: consent, choosing a version, basket and purchase. Events go to the tracker's queue, which is a
// plain array until the tracker has loaded.
(() => {
  "use strict";
  const KEY = "lodestar-demo-basket";
  const queue = () => (window._ycq = window._ycq || []);
  const counters = document.querySelectorAll("[data-basket-count]");

  const read = () => {
    try {
      return Number(localStorage.getItem(KEY)) || 0;
    } catch {
      return 0; // storage is switched off: the basket lasts as long as the page
    }
  };
  const show = (count) => counters.forEach((counter) => (counter.textContent = count));
  const keep = (count) => {
    try {
      localStorage.setItem(KEY, String(count));
    } catch {
      // nothing to keep it in
    }
    show(count);
  };

  const say = (words) => {
    const toast = document.querySelector(".toast");
    toast.textContent = words;
    toast.hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (toast.hidden = true), 5000);
  };

  const track = (shop, event, amount) => {
    const { type, item, currency } = shop.dataset;
    if (item === "0") return; // not yet known to the read model, so the engine could not learn from it
    const details = event === "buy" ? `?quantity=1&fullprice=${amount}${currency}` : "";
    queue().push(["_trackEvent", type, event, item, "", details]);
  };

  // Asked only where the site requires consent, until there is an answer.
  const question = document.querySelector(".consent");
  document.addEventListener("DOMContentLoaded", () => {
    const asks = document.querySelector('script[data-consent="required"]');
    question.hidden = !asks || /(^|; )lodestar_consent=/.test(document.cookie);
  });
  question.querySelectorAll("[data-consent-answer]").forEach((button) =>
    button.addEventListener("click", () => {
      queue().push(["_consent", button.dataset.consentAnswer === "yes"]);
      question.hidden = true;
    })
  );

  show(read());
  document.querySelectorAll("[data-shop]").forEach((shop) => {
    const variant = document.querySelector("#variant");
    const chosen = () => variant?.selectedOptions[0]?.dataset ?? { amount: shop.dataset.amount };
    variant?.addEventListener("change", () => {
      document.querySelector("[data-price]").textContent = chosen().label;
    });
    shop.querySelectorAll("[data-event]").forEach((button) =>
      button.addEventListener("click", () => {
        track(shop, button.dataset.event, chosen().amount);
        keep(button.dataset.event === "buy" ? 0 : read() + 1);
        say(button.dataset.done);
      })
    );
  });
})();
