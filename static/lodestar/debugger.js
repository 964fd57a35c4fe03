// The event debugger: asks for what is new, unless it is paused or the page is in the background.
(() => {
  const POLL = 1500;
  const MOST_ROWS = 300;
  const EACH_OVERVIEW = 10;
  const root = document.querySelector('[data-debugger]');
  if (!root) return;
  const part = (name) => root.querySelector(`[data-${name}]`);
  const [filters, toggle, state, rows, empty, overview] =
    ['filters', 'toggle', 'state', 'rows', 'empty', 'overview'].map(part);
  const text = root.dataset;
  let seen = text.seen;
  let paused = false;
  let busy = false;
  let turn = 1;

  function say(words) {
    if (state.textContent !== words) state.textContent = words;
  }

  async function poll() {
    if (paused || busy || document.hidden) return;
    busy = true;
    try {
      // The filters that the page was asked for, not what somebody is typing into them.
      const query = new URLSearchParams(location.search);
      query.set('seen', seen);
      // Counting takes a while on a busy site.
      if (turn++ % EACH_OVERVIEW === 0) query.set('overview', '1');
      const answer = await fetch(`${text.feed}?${query}`, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
      if (!answer.ok) throw new Error(answer.status);
      const news = await answer.json();
      if (!paused) show(news);
      say(paused ? text.paused : text.live);
    } catch (_) {
      say(text.away);
    } finally {
      busy = false;
    }
  }

  function show(news) {
    seen = news.seen;
    if (news.overview) redraw(news.overview);
    if (!news.count) return;
    rows.insertAdjacentHTML('afterbegin', news.rows);
    while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
    empty.hidden = true;
  }

  // The table of numbers stays open, and whoever stands on its switch stays there.
  function redraw(html) {
    const numbers = () => overview.querySelector('[data-numbers]');
    const { open } = numbers();
    const stood = overview.contains(document.activeElement);
    overview.innerHTML = html;
    numbers().open = open;
    if (stood) numbers().firstElementChild.focus();
  }

  toggle.addEventListener('click', () => {
    paused = !paused;
    toggle.setAttribute('aria-pressed', String(paused));
    toggle.textContent = paused ? text.resume : text.pause;
    say(paused ? text.paused : text.live);
    poll();
  });

  part('lookup').addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = new FormData(form);
    body.set('user', form.querySelector('#raw-user').value);
    body.set('customer_id', filters.elements.customer_id.value);
    const found = await fetch(text.pseudonym, { method: 'POST', body })
      .then((answer) => answer.json()).catch(() => ({ error: text.away }));
    part('found').textContent = found.error || '';
    if (!found.user) return;
    filters.elements.user.value = found.user;
    filters.submit();
  });

  say(text.live);
  setInterval(poll, POLL);
})();
