// Puts recommendations into their placeholders. A page may load this once for each of them.
(() => {
  "use strict";
  const fill = async (place) => {
    const address = new URL(place.dataset.recommendationsSrc, location);
    delete place.dataset.recommendationsSrc;
    if (address.origin !== location.origin) return;
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (answer.status === 200) place.innerHTML = await answer.text();
    } catch {
      // The page is whole without them.
    }
  };
  const fillAll = () => document.querySelectorAll("[data-recommendations-src]").forEach(fill);
  fillAll();
})();
