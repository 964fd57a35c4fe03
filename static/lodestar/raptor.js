/* Lodestar: window.raptor on top of the one tracker, docs/cdp-tracking.md */
(() => {
const doc = document, { dataset: given, nonce } = doc.currentScript, { account, customer, mode } = given;
const early = window.raptor || [], ID = "lodestar_visitor", CONSENT = "lodestar_consent";
const CODES = { visit: "click", contentvisit: "click", pageview: "click", basket: "basket", buy: "buy" };
let allowed, user = "", held = [], queue = [], timer;

const random = () => crypto.randomUUID?.() || crypto.getRandomValues(new Uint32Array(4)).join("-");
const cookie = name => doc.cookie.match(`(?:^|; )${name}=([\\w.~-]{8,64}|[01])(?:;|$)`)?.[1];
const setCookie = (name, value, days) => doc.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${days * 86400}${
	location.protocol === "https:" ? "; Secure" : ""}`;
const post = (url, document, going) => {
	const body = new Blob([JSON.stringify(document)], { type: "application/json" });
	return going && navigator.sendBeacon(url, body) ? 0 : fetch(url, { method: "POST", body, keepalive: true });
};
const decide = (status, coid) => post(`/t/${account}/consent`, { status, coid }).catch(() => {});

// To the page's own origin; what fails goes with the next.
const flush = going => {
	timer = clearTimeout(timer);
	const batch = queue.splice(0, 20), again = () => queue = [...batch, ...queue].slice(-50);
	if (batch[0]) post(`/raptor/track?customer=${customer}`, { batch }, going === true)?.then?.(({ status }) => {
		if (status === 429 || status > 499) again();
		else if (queue[0]) flush();
	}, again);
};
// What the tracker has no command for goes to the pixel.
const toTracker = (event, params, sent) => {
	const { p2, p4, p5, p12, p13, p21, itemtype } = params;
	if (!CODES[event] || !p2) {
		const query = new URLSearchParams({ ...params, ...sent, p1: event, coid: cookie(ID), customer });
		return fetch(`/t/${account}.rsa?${query}`, { keepalive: true }).catch(() => {});
	}
	const price = p12 || p5 && +(p5 / (p13 || 1)).toFixed(4), query = new URLSearchParams({
		categorypath: `${p4 || ""}`.split(";").map(part => part.split("#").find(Boolean)).join("/"),
		...p13 && { quantity: p13 }, ...p21 && { orderid: p21 },
		...price && { fullprice: price + (params.currency || given.currency) },
	});
	_ycq.push(["_trackEvent", itemtype || (event === "contentvisit" ? 39 : 40), CODES[event], p2, user, `?${query}`]);
};
const act = (event, params) => {
	if (!allowed) return held.push([event, params]);
	const sent = { event_id: random(), ts: Date.now(), url: location.href, referrer: doc.referrer, consent: 1 };
	params = { ...user && { ruid: btoa(unescape(encodeURIComponent(user))) }, ...params };
	if (mode === "client") return toTracker(event, params, sent);
	queue.push({ event, params, ...sent });
	timer ||= setTimeout(flush, 50);
};

const start = () => {
	if (allowed) return;
	allowed = true;
	setCookie(CONSENT, 1, 390);
	setCookie(ID, cookie(ID) || cookie("YCID") || random(), 90);
	if (mode === "client" && !window._ycq) {
		window._ycq = [];
		const script = Object.assign(doc.createElement("script"), { src: given.tracker, nonce });
		Object.assign(script.dataset, { customer, endpoint: given.endpoint });
		doc.head.append(script);
	}
	held.splice(0).forEach(one => act(...one));
};
const stop = () => {
	const coid = cookie(ID);
	allowed = 0;
	held = [];
	queue = [];
	window._ycq?.push(["_consent", false]);
	setCookie(ID, "", 0);
	setCookie(CONSENT, 0, 390);
	if (coid) decide("revoked", coid);
};

const commands = { trackEvent: act, setRuid(id) { user = `${id || ""}`; } };
const push = (...list) => (Array.isArray(list[0]) ? list : [list]).forEach(([name, ...rest]) =>
	commands[name] ? commands[name](...rest) : console.warn("Unknown command", name));

window.raptor = { push, ...commands };
act("pageview");
[...early].forEach(one => push(one));
doc.addEventListener("enableTracking", () => {
	start();
	decide("granted", cookie(ID));
});
doc.addEventListener("disableTracking", stop);
addEventListener("pagehide", () => flush(true));
if ((cookie(CONSENT) || given.consented) > 0) start();
})();
