/* Lodestar tracker, docs/tracker.md */
(() => {
const doc = document, early = window._ycq || [];
if (!early.forEach) return;
const { src, dataset: given = {} } = doc.currentScript || {};
const endpoint = (given.endpoint ?? new URL(src, location).origin).replace(/\/+$/, "");
const IDS = ["lodestar_visitor", "YCID", "recommendation-session-id"], held = [];
let { customer, consent: required } = given, choice, me;
let reco = location.search.includes("ycreco=true");
let queue = [], pause = 0, retry;

const on = (types, act) => types.split(" ").forEach(type => addEventListener(type, act, true));
const text = value => `${value ?? ""}`;
const add = (url, name, value) =>
	url.match(`[?&]${name}=`) ? url : `${url}${url.includes("?") ? "&" : "?"}${name}=${value}`;
const random = () => crypto.randomUUID?.() || crypto.getRandomValues(new Uint32Array(4)).join("-");
const cookie = name => doc.cookie.match(`(?:^|; )${name}=([\\w.~-]{8,64}|[01])(?:;|$)`)?.[1];
const setCookie = (name, value, days) => doc.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${days * 86400}${
	location.protocol === "https:" ? "; Secure" : ""}`;
const visitor = () => {
	setCookie(IDS[0], me = IDS.map(cookie).find(Boolean) || me || random(), 90);
	return me;
};

// Acts once customer and consent are known, never after a refusal.
const when = act => {
	const consent = cookie("lodestar_consent") || choice;
	if (consent === "0") return;
	if (customer && (consent || !required)) act(consent);
	else held.push(act);
};

const keep = act => {
	try {
		const [list, until] = JSON.parse(localStorage.lodestar);
		queue = list.filter(one => one[1] > Date.now() - 864e5);
		pause = until;
	} catch {}
	act?.();
	queue = queue.slice(-50);
	try {
		if (queue[0]) localStorage.lodestar = JSON.stringify([queue, pause]);
		else delete localStorage.lodestar;
	} catch {}
};
const later = () => retry = clearTimeout(retry) || setTimeout(flush, Math.max(pause - Date.now(), 9e3));
const post = ([url]) => pause > Date.now() ? later() :
	fetch(url, { method: "POST", keepalive: true }).then(({ status, headers }) => {
		if (status !== 429 && status < 500) return keep(() => queue = queue.filter(one => one[0] !== url));
		keep(() => pause = Date.now() + (+headers.get("Retry-After") || 9) * 1000);
		later();
	}, later);
const flush = () => when(() => {
	keep();
	queue.forEach(post);
});
const send = (url, going) => when(consent => {
	url = add(consent ? add(url, "consent", 1) : url, "eventid", random());
	if (going && navigator.onLine && navigator.sendBeacon(url)) return;
	keep(() => queue.push([url, Date.now()]));
	post([url]);
});
const track = (event, user, about, query, going) => when(() => {
	const who = text(user) || visitor();
	if (event === "login" && who === about[0]) return;
	const path = [customer, event, who, ...about].map(text).filter(Boolean).map(encodeURIComponent).join("/");
	send(`${endpoint}/api/${path.replace(/%2C/g, ",")}${text(query).replace(/^[?&]*(.)/, "?$1")}`, going);
});

const commands = {
	_setMandator(id) { customer = id; },
	_setAccount(id) { customer = id; },
	_consentRequired() { required = true; },
	_consent(yes) {
		setCookie("lodestar_consent", choice = yes === true ? "1" : "0", 390);
		if (+choice) return;
		IDS.forEach(name => setCookie(name, me = "", 0));
		keep(() => queue = []);
	},
	_login(from, to, query) { if (to) track("login", from, [to], query); },
	_trackPageview(item, user) { commands._trackEvent(1, "click", item || doc.title, user); },
	_trackEvent(type, event, item, user, query) {
		track(event, user, [type, item], query);
		if (event === "click") reco &&= track("clickrecommended", user, [type, item], "scenario=unknown");
	},
	_trackTimedEvent(type, event, item, timeout, user, query) {
		const reads = event === "consume" && !/percentage=/.test(query);
		let seen = 0, told = 0, depth = reads ? 0 : 100;
		const tell = cause => {
			const going = doc.hidden || cause?.type === "pagehide";
			const share = seen / timeout * 100, read = Math.floor(Math.min(share, depth, 100));
			if (read > told && (going ? reads && read > 9 : share >= 100 && seen - 250 < timeout)) {
				track(event, user, [type, item], reads ? text(query) + "&percentage=" + read : query, going);
				told = read;
			}
		};
		on("pagehide visibilitychange", tell);
		setInterval(() => {
			if (doc.hidden) return;
			const { top, height } = (doc.querySelector("[data-read]") || doc.documentElement).getBoundingClientRect();
			depth = Math.max(depth, (innerHeight - top) / height * 100);
			seen += 250;
			tell();
		}, 250);
	},
};
const push = (...list) => list.forEach(one => {
	try { commands[one[0]](...one.slice(1)); } catch (error) {
		console.warn(commands[one?.[0]] ? error : `Unknown command ${one?.[0]}`, one);
	}
	held.splice(0).forEach(when);
});
const pushFrom = given => push(...JSON.parse(given?.ycq || "[]"));

flush();
window._ycq = { push };
push(...early);
on("online", flush);
pushFrom(given);

if (top !== self) return; // a preview
on("click auxclick", ({ target, button }) => {
	if (button > 1) return;
	const url = target.closest("[data-recommendation-ping-api]")?.dataset.recommendationPingApi;
	if (url) send(url, true);
	pushFrom(target.closest("[data-ycq]")?.dataset);
});

// One request a list, once half a card of it is seen.
const ITEM = /[^/?]+(?=\?|$)/, urlOf = card => card.dataset.recommendationRenderedApi;
const cards = () => [...doc.querySelectorAll("[data-recommendation-rendered-api*='/']")].filter(card => !card.ycq);
const sight = new IntersectionObserver(list => list.forEach(({ target, isIntersecting }) => {
	if (!isIntersecting || target.ycq) return;
	const same = card => urlOf(card).replace(ITEM) === urlOf(target).replace(ITEM);
	send(urlOf(target).replace(ITEM, cards().filter(same).map(card => card.ycq = ITEM.exec(urlOf(card)))));
}), { threshold: .5 });
const watch = () => doc.readyState === "loading" || cards().forEach(card => sight.observe(card));
on("DOMContentLoaded", watch);
watch();
new MutationObserver(watch).observe(doc, { childList: true, subtree: true });
})();
