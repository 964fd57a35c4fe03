// The Audience Builder: the condition document as controls. The document is the state; the textarea named
// "definition" is what is saved.
(() => {
  "use strict";

  const form = document.querySelector("[data-builder]");
  if (!form) return;
  const known = JSON.parse(document.getElementById("vocabulary").textContent);
  const words = known.words;
  const place = form.querySelector("[data-tree]");
  const stored = form.querySelector("[data-definition]");
  const result = form.querySelector("[data-result]");
  const UNITS = ["hour", "day", "week", "month", "year"];
  const CALCS = ["sum", "avg", "min", "max", "count", "distinct", "first", "last", "days_since_last", "top"];
  const WITHOUT_PROPERTY = ["count", "days_since_last", "top"];
  const NUMBERS = ["integer", "decimal"];
  let tree = JSON.parse(stored.value);
  let sizes = new Map();
  let asked = 0;
  let timer = 0;

  // --- Small parts ---------------------------------------------------------------------------------

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function select(label, options, value, change) {
    const made = element("select", { "aria-label": label, onchange: () => change(made.value) });
    for (const [key, text] of Object.entries(options)) made.append(element("option", { value: key }, text));
    if (!(value in options)) made.append(element("option", { value }, value));
    made.value = value;
    return made;
  }

  function input(label, value, change, attributes = {}) {
    const made = element("input", { type: "text", "aria-label": label, ...attributes, oninput: () => change(made.value) });
    made.value = value ?? "";
    return made;
  }

  function whole(label, value, change) {
    return input(label, value, (text) => change(text === "" ? null : Number(text)), { type: "number", min: 0, step: 1 });
  }

  function button(text, label, press) {
    return element("button", { type: "button", class: "button button-small button-secondary", "aria-label": label, onclick: press }, text);
  }

  const chosen = (keys, labels = words) => Object.fromEntries(keys.map((key) => [key, labels[key] ?? key]));
  const unitsOf = () => chosen(UNITS);

  // --- Parts of conditions -------------------------------------------------------------------------

  function windowParts(node) {
    const window_ = node.window ?? { kind: "ever" };
    const kinds = { ever: words.ever, in_last: words.in_last, not_in_last: words.not_in_last, between: words.from_to, before: words.before, after: words.after };
    const set = (value) => { node.window = value; render(); };
    const parts = [select(words.condition, kinds, window_.kind, (kind) => set(
      kind.endsWith("in_last") ? { kind, n: 30, unit: "day" } : kind === "between" ? { kind, from: "", to: "" } : kind === "ever" ? { kind } : { kind, at: "" },
    ))];
    const put = (key) => (value) => { window_[key] = value; node.window = window_; changed(); };
    if (window_.kind.endsWith("in_last")) {
      parts.push(whole(words.in_last, window_.n, put("n")), select(words.in_last, unitsOf(), window_.unit, put("unit")));
    } else if (window_.kind === "between") {
      parts.push(input(words.from_to, window_.from, put("from"), { type: "date" }), input(words.from_to, window_.to, put("to"), { type: "date" }));
    } else if (window_.kind !== "ever") {
      parts.push(input(words[window_.kind], window_.at, put("at"), { type: "date" }));
    }
    return parts;
  }

  function valueParts(check, kind) {
    const op = check.op;
    const put = (key, read) => (text) => { check[key] = read(text); changed(); };
    if (["is_empty", "is_not_empty", "is_true", "is_false"].includes(op)) return [];
    if (["in_last", "in_next"].includes(op)) {
      return [whole(words.value, check.value, put("value", Number)), select(words.value, unitsOf(), check.value2 ?? "day", put("value2", String))];
    }
    if (op === "anniversary_in_next") return [whole(words.value, check.value, put("value", Number))];
    const isNumber = NUMBERS.includes(kind);
    const read = (text) => (isNumber && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text);
    if (["in", "not_in", "has_any", "has_all", "has_none"].includes(op)) {
      const list = (text) => text.split(",").map((one) => one.trim()).filter(Boolean).map(read);
      return [input(words.value, (check.value ?? []).join?.(", ") ?? check.value, put("value", list), { placeholder: words.list })];
    }
    const type = ["date", "datetime"].includes(kind) || ["before", "after"].includes(op) ? "date" : "text";
    const parts = [input(words.value, check.value, put("value", read), { type })];
    if (op === "between") parts.push(words.and_value, input(words.value, check.value2, put("value2", read), { type }));
    return parts;
  }

  function checkParts(check, kind, allowed) {
    const options = chosen(allowed, known.operators);
    const change = (op) => {
      check.op = op;
      delete check.value;
      delete check.value2;
      if (["in_last", "in_next"].includes(op)) Object.assign(check, { value: 30, value2: "day" });
      if (op === "anniversary_in_next") check.value = 7;
      render();
    };
    return [select(words.operator, options, check.op, change), ...valueParts(check, kind)];
  }

  function whereParts(node) {
    const list = node.where ?? [];
    const rows = list.map((one, number) => {
      const allowed = known.of_property[one.property] ?? Object.keys(known.operators);
      const kind = ["quantity", "price", "subtotal", "percentage", "rating"].includes(one.property) ? "decimal" : "string";
      return element("div", { class: "cdp-inline cdp-where" }, words.where,
        select(words.property, chosen(known.properties, {}), one.property, (name) => { Object.assign(one, { property: name, op: "eq" }); render(); }),
        ...checkParts(one, kind, allowed),
        button("×", `${words.remove}: ${one.property}`, () => { list.splice(number, 1); render(); }));
    });
    const add = button(words.add_where, words.add_where, () => {
      node.where = [...list, { property: "product_id", op: "eq", value: "" }];
      render();
    });
    return [...rows, add];
  }

  // --- Kinds of conditions -------------------------------------------------------------------------

  function didParts(node) {
    const count = node.count ?? { op: "gte", value: 1 };
    const put = (key) => (value) => { count[key] = value; node.count = count; changed(); };
    return [
      element("div", { class: "cdp-inline" },
        select(words.event, known.events, node.event, (event) => { node.event = event; node.count_by = event.startsWith("buy") ? "order_id" : null; render(); }),
        select(words.times, chosen(["gte", "lte", "eq", "between", "gt", "lt"]), count.op, (op) => { count.op = op; node.count = count; if (op === "between") count.value2 = count.value; else delete count.value2; render(); }),
        whole(words.times, count.value, put("value")),
        count.op === "between" ? whole(words.times, count.value2, put("value2")) : null,
        select(words.count_by, { "": words.events, ...chosen(["order_id", "product_id", "session", "day"]) }, node.count_by ?? "", (by) => { node.count_by = by || null; changed(); }),
        ...windowParts(node)),
      ...whereParts(node),
    ];
  }

  function attributeParts(node) {
    const calc = typeof node.attribute === "object" ? node.attribute : null;
    const names = Object.fromEntries(Object.keys(known.attributes).map((name) => [`a:${name}`, name]));
    const calcs = Object.fromEntries(CALCS.map((name) => [`c:${name}`, `${words[name]}…`]));
    const set = (value) => {
      const name = value.slice(2);
      if (value.startsWith("a:")) Object.assign(node, { attribute: name, op: "eq", value: "" });
      else if (name === "top") Object.assign(node, { attribute: { calc: name, dimension: "category", event: "visit", metric: "count" }, op: "eq", value: "" });
      else Object.assign(node, { attribute: { calc: name, event: "buy", ...(WITHOUT_PROPERTY.includes(name) ? {} : { property: "subtotal" }) }, op: "gte", value: 1 });
      delete node.value2;
      render();
    };
    const current = calc ? `c:${calc.calc}` : `a:${node.attribute}`;
    const parts = [select(words.attribute, { ...names, ...calcs }, current, set)];
    if (!calc) {
      const kind = known.attributes[node.attribute] ?? "string";
      return [element("div", { class: "cdp-inline" }, ...parts, ...checkParts(node, kind, known.fitting[kind]))];
    }
    if (calc.calc === "top") {
      parts.push(whole(words.top, calc.rank ?? 1, (rank) => { calc.rank = rank; changed(); }),
        select(words.property, chosen(["category", "brand", "product"]), calc.dimension, (name) => { calc.dimension = name; changed(); }));
    } else if (!WITHOUT_PROPERTY.includes(calc.calc)) {
      parts.push(select(words.property, chosen(known.properties, {}), calc.property, (name) => { calc.property = name; changed(); }));
    }
    parts.push(words.of, select(words.event, known.events, calc.event, (event) => { calc.event = event; changed(); }), ...windowParts(calc));
    const kind = calc.calc === "top" ? "string" : ["first", "last"].includes(calc.calc) && !calc.property ? "datetime" : "decimal";
    return [element("div", { class: "cdp-inline" }, ...parts, ...checkParts(node, kind, known.fitting[kind])), ...whereParts(calc)];
  }

  const KINDS = {
    did: () => ({ type: "did", event: "visit", window: { kind: "in_last", n: 30, unit: "day" } }),
    did_not: () => ({ type: "did_not", event: "visit", window: { kind: "in_last", n: 30, unit: "day" } }),
    have: () => {
      const name = Object.keys(known.attributes).find((one) => known.attributes[one] === "string");
      if (name) return { type: "have", attribute: name, op: "is_not_empty" };
      return { type: "have", attribute: { calc: "sum", event: "buy", property: "subtotal" }, op: "gte", value: 1 };
    },
    audience: () => ({ type: "audience", audience: Object.keys(known.audiences)[0], is: true }),
    not_audience: () => ({ type: "audience", audience: Object.keys(known.audiences)[0], is: false }),
  };

  function kindOf(node) {
    return node.type === "audience" && node.is === false ? "not_audience" : node.type;
  }

  function leaf(node, siblings, number, pointer) {
    const kinds = { did: words.did, did_not: words.did_not, have: words.have };
    if (Object.keys(known.audiences).length) Object.assign(kinds, { audience: words.audience, not_audience: words.not_audience });
    const swap = (kind) => {
      const both = ["did", "did_not"].includes(kind) && ["did", "did_not"].includes(node.type);
      siblings[number] = both ? { ...node, type: kind } : KINDS[kind]();
      render();
    };
    const parts = node.type === "have" ? attributeParts(node)
      : node.type === "audience" ? [select(words.audience, known.audiences, node.audience, (name) => { node.audience = name; changed(); })]
        : didParts(node);
    return element("div", { class: "cdp-node", "data-node": pointer },
      element("div", { class: "cdp-node__head" }, select(words.condition, kinds, kindOf(node), swap), size(pointer),
        button(words.remove, `${words.remove}: ${kinds[kindOf(node)]}`, () => { siblings.splice(number, 1); render(); })),
      ...parts);
  }

  function size(pointer) {
    return element("output", { class: "cdp-node__size", "data-size": pointer }, sizes.get(pointer) ?? "");
  }

  function group(node, pointer, remove) {
    const ops = { and: words.and, or: words.or };
    const flag = element("input", { type: "checkbox", onchange: () => { node.not = flag.checked; changed(); } });
    flag.checked = Boolean(node.not);
    const children = node.children.map((child, number) => {
      const at = `${pointer}/children/${number}`;
      return child.type === "group"
        ? group(child, at, () => { node.children.splice(number, 1); render(); })
        : leaf(child, node.children, number, at);
    });
    const add = (made) => () => { node.children.push(made()); render(); };
    return element("fieldset", { class: "cdp-box cdp-group", "data-node": pointer },
      element("legend", {}, words.group),
      element("div", { class: "cdp-node__head" },
        element("label", {}, flag, ` ${words.not}`),
        select(words.group, ops, node.op, (op) => { node.op = op; changed(); }),
        size(pointer), remove ? button(words.remove, `${words.remove}: ${words.group}`, remove) : null),
      ...children,
      element("div", { class: "cdp-buttons" },
        button(words.add, words.add, add(KINDS.did)),
        button(words.add_group, words.add_group, add(() => ({ type: "group", op: "or", not: false, children: [KINDS.did()] })))));
  }

  // --- The whole -----------------------------------------------------------------------------------

  function render() {
    const focused = [...place.querySelectorAll("select, input, button")].indexOf(document.activeElement);
    place.replaceChildren(group(tree, "", null));
    if (focused >= 0) place.querySelectorAll("select, input, button")[focused]?.focus();
    changed();
  }

  function changed() {
    stored.value = JSON.stringify(tree, null, 2);
    ask();
  }

  function ask() {
    clearTimeout(timer);
    timer = setTimeout(count, 400);
  }

  function isHalfWritten(node) {
    return node.type === "group" ? node.children.some(isHalfWritten) : node.type === "have" && (node.value === "" || (Array.isArray(node.value) && node.value.length === 0));
  }

  async function count() {
    const mine = ++asked;
    if (isHalfWritten(tree)) {
      result.replaceChildren(element("p", {}, words.half_written));
      return;
    }
    const body = { account: form.dataset.account, audience: form.dataset.audience, purpose: form.elements.purpose.value, definition: tree };
    let answer;
    try {
      const response = await fetch(form.dataset.preview, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        body: JSON.stringify(body),
      });
      answer = await response.json();
    } catch {
      answer = { error: words.away };
    }
    if (mine === asked) show(answer);
  }

  function show(answer) {
    const problems = answer.problems ?? [];
    for (const node of place.querySelectorAll("[data-node]")) {
      const own = problems.find((one) => one.pointer.startsWith(node.dataset.node) && !problems.some(
        (other) => other !== one && other.pointer === node.dataset.node) && deepest(one.pointer) === node.dataset.node);
      node.classList.toggle("cdp-wrong", Boolean(own));
    }
    sizes = new Map(Object.entries(answer.per_node ?? {}));
    for (const output of place.querySelectorAll("[data-size]")) output.textContent = sizes.get(output.dataset.size) ?? "";
    result.replaceChildren();
    if (answer.error || problems.length) {
      for (const text of answer.error ? [answer.error] : problems.map((one) => one.message)) result.append(element("p", { class: "error-message" }, text));
      return;
    }
    result.append(
      element("p", {}, element("strong", { "data-count": true }, String(answer.count)), ` ${words.of} ${answer.total} ${words.people} (${answer.percent} %)`),
      ...(answer.people.length ? [element("p", { "data-people": true }, `${words.such_as} `, ...answer.people.map((one) => element("a", { href: one.url, class: "cdp-person" }, one.name)))] : []),
      element("p", { "data-sentence": true }, answer.sentence),
      element("p", {}, answer.schedule),
      ...answer.warnings.map((one) => element("p", { class: "help" }, one.message)));
  }

  function deepest(pointer) {
    const parts = pointer.split("/");
    for (let length = parts.length; length > 0; length -= 1) {
      const at = parts.slice(0, length).join("/");
      if (place.querySelector(`[data-node="${at}"]`)) return at;
    }
    return "";
  }

  stored.addEventListener("input", () => {
    try {
      tree = JSON.parse(stored.value);
    } catch {
      return; // half-written
    }
    place.replaceChildren(group(tree, "", null));
    ask();
  });
  form.elements.purpose.addEventListener("change", ask);
  form.addEventListener("submit", () => clearTimeout(timer));
  render();
})();
