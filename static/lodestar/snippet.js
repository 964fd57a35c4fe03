// Waits for the first event of a customer.
(() => {
  const place = document.querySelector('[data-first]');
  if (!place || place.dataset.arrived) return;
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(place.dataset.feed);
      if (!answer.ok || !(await answer.json()).count) return;
      clearInterval(timer);
      place.querySelector('[data-waiting]').hidden = true;
      place.querySelector('[data-there]').hidden = false;
    } catch (_) {
      // The server is away; the next turn asks again.
    }
  }, 1500);
})();
