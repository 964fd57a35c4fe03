// The demo: consent and the short message at the foot of the page. Events go to the tracker's queue, which is a
// plain array until the tracker has loaded.
(() => {
  "use strict";
  window._ycq = window._ycq || [];

  // Asked only where the site requires consent, until there is an answer.
  const question = document.querySelector(".consent");
  document.addEventListener("DOMContentLoaded", () => {
    const asks = document.querySelector('script[data-consent="required"]');
    question.hidden = !asks || /(^|; )lodestar_consent=/.test(document.cookie);
  });
  question.querySelectorAll("[data-consent-answer]").forEach((button) =>
    button.addEventListener("click", () => {
      window._ycq.push(["_consent", button.dataset.consentAnswer === "yes"]);
      question.hidden = true;
      if (reopened) opener.focus();
      reopened = false;
    })
  );

  // An answer can be changed at any time; without scripts there is nobody to ask.
  const opener = document.querySelector("[data-consent-open]");
  let reopened = false;
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", () => {
      question.hidden = false;
      reopened = true;
      question.querySelector("[data-consent-answer]").focus();
    });
  }

  let timer;
  document.addEventListener("say", (event) => {
    const toast = document.querySelector(".toast");
    toast.textContent = event.detail;
    toast.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => (toast.hidden = true), 5000);
  });
})();
