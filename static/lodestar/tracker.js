/* Lodestar tracker. <script async src=".../tracker.js" data-customer="10101" data-endpoint="https://..."></script>
 * Commands: _ycq.push(["_trackEvent", itemType, "click", itemId, userId, "?lang=eng-GB"]), also before loading. */
(function () {
  "use strict";
  var COOKIE = "lodestar_visitor";
  var DAYS = 90;
  var OLD_COOKIES = ["YCID", "recommendation-session-id"];
  var script = document.currentScript || document.querySelector("script[src*='tracker.js']");
  var source = new URL((script && script.src) || location.href, location.href);
  var given = (script && script.dataset) || {};
  var endpoint = (given.endpoint || source.origin).replace(/^\/\//, location.protocol + "//").replace(/\/+$/, "");
  var customer = given.customer || "";
  var waiting = [];

  function readCookie(name) {
    var found = document.cookie.split("; ").find(function (pair) { return pair.startsWith(name + "="); });
    if (!found) return "";
    try { return decodeURIComponent(found.slice(name.length + 1)); } catch (broken) { return ""; }
  }

  function writeCookie(value) {
    document.cookie = COOKIE + "=" + encodeURIComponent(value) + "; Max-Age=" + DAYS * 86400 +
      "; Path=/; SameSite=Lax" + (location.protocol === "https:" ? "; Secure" : "");
  }

  // crypto.randomUUID exists only on https and localhost.
  function uuid() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.from(bytes, function (b) { return (b + 256).toString(16).slice(1); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // Sliding: every page with an event makes the visitor known for another 90 days.
  function visitor() {
    var known = readCookie(COOKIE) || OLD_COOKIES.map(readCookie).find(Boolean) || uuid();
    writeCookie(known);
    return known;
  }

  function withEventId(url) {
    if (/[?&]eventid=/.test(url)) return url;
    return url + (url.indexOf("?") < 0 ? "?" : "&") + "eventid=" + uuid();
  }

  // The page may be left right now; an event id makes it safe to try a second way.
  function send(url) {
    url = withEventId(url);
    function image() { new Image(1, 1).src = url; }
    try {
      if (navigator.sendBeacon && navigator.sendBeacon(url)) return;
      fetch(url, { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true }).catch(image);
    } catch (refused) {
      image();
    }
  }

  function track(parts, query) {
    if (!customer) { waiting.push([parts, query]); return; }
    var path = ["api", customer].concat(parts).map(function (part) { return encodeURIComponent(part); }).join("/");
    var extra = String(query || "").replace(/^[?&]+/, "");
    // Ids of a bundle are separated by plain commas.
    send(endpoint + "/" + path.replace(/%2C/g, ",") + (extra ? "?" + extra : ""));
  }

  function userOr(userId) {
    return userId === 0 ? "0" : userId || visitor();
  }

  // Counts only the time in which the page can be seen.
  function afterVisible(milliseconds, act) {
    var left = milliseconds, since = 0, timer = 0;
    function update() {
      clearTimeout(timer);
      if (since) left -= Date.now() - since;
      since = document.hidden ? 0 : Date.now();
      if (left <= 0) {
        document.removeEventListener("visibilitychange", update);
        act();
      } else if (since) {
        timer = setTimeout(update, left);
      }
    }
    document.addEventListener("visibilitychange", update);
    update();
  }

  var commands = {
    _setMandator: function (id) {
      customer = String(id);
      waiting.splice(0).forEach(function (held) { track(held[0], held[1]); });
    },
    _trackEvent: function (itemType, event, itemId, userId, query) {
      track([event, userOr(userId), itemType, itemId], query);
    },
    _trackTimedEvent: function (itemType, event, itemId, timeout, userId, query) {
      if (parseInt(timeout, 10) > 0) afterVisible(parseInt(timeout, 10), function () {
        commands._trackEvent(itemType, event, itemId, userId, query);
      });
    },
    _login: function (anonymous, account, query) {
      if (!account || account === userOr(anonymous)) return;
      track(["login", userOr(anonymous), account], query);
    },
    _trackPageview: function (itemId, userId) {
      commands._trackEvent(1, "click", itemId || document.title, userId);
    }
  };
  commands._setAccount = commands._setMandator;

  function push(command) {
    var run = command && commands[command[0]];
    if (run) run.apply(null, Array.prototype.slice.call(command, 1));
    return 0;
  }

  var early = Array.isArray(window._ycq) ? window._ycq : [];
  window._ycq = { push: function () { Array.prototype.forEach.call(arguments, push); return 0; }, visitor: visitor };
  early.forEach(push);

  // Editors' previews run in frames and must not count as visitors.
  if (window.top !== window.self) return;

  document.addEventListener("click", ping, true);
  document.addEventListener("auxclick", ping, true);
  function ping(event) {
    var link = event.target.closest && event.target.closest("a[data-recommendation-ping-api]");
    if (link && event.button < 2 && link.dataset.recommendationPingApi) send(link.dataset.recommendationPingApi);
  }

  if (!window.IntersectionObserver) return;
  var watched = new WeakSet();
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var url = entry.target.dataset.recommendationRenderedApi;
      if (!entry.isIntersecting) return;
      seen.unobserve(entry.target);
      if (url) send(url);
    });
  }, { threshold: 0.5 });
  function watch() {
    document.querySelectorAll("[data-recommendation-rendered-api]").forEach(function (shown) {
      if (watched.has(shown)) return;
      watched.add(shown);
      seen.observe(shown);
    });
  }
  watch();
  // The page may still be loading, and recommendations may be put into it later.
  new MutationObserver(watch).observe(document.documentElement, { childList: true, subtree: true });
})();
