// The subject's pages: what is signed is what is shown, read out of the very bytes to be signed.
//
// The words come with the page (#words), so that this file has none. Texts are only ever set as
// text, never as HTML. Signing and keys: subject-key.js.
"use strict";

(() => {
  const CLAIMS = [
    "basis", "basis_ref", "bundle", "consumer", "data_life", "derive", "exp", "freq", "iat", "id",
    "jurisdiction", "max_uses", "metrics", "nbf", "notice", "onward", "ops", "provider", "purpose",
    "range", "storage", "subject", "v", "withdraw",
  ];
  const find = (selector) => document.querySelector(selector);
  const show = (selector, isShown = true) => { find(selector).hidden = !isShown; };

  function word(key, values = {}) {
    const found = find(`#words [data-key="${CSS.escape(key)}"]`);
    let words = found === null ? key : found.textContent;
    for (const [name, value] of Object.entries(values)) words = words.replace(`{${name}}`, String(value));
    return words;
  }

  function complain(words) {
    const alert = find("#alert");
    alert.textContent = words;
    alert.hidden = false;
    alert.focus();
  }

  function download(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
    });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.code), { words: said.words });
    return said;
  }

  // Let one act run at a time, and say what went wrong.
  function act(button, run) {
    button.disabled = true;
    show("#alert", false);
    run()
      .catch((error) => complain(error.words ?? word("failed", { code: error.message })))
      .finally(() => { button.disabled = false; });
  }

  async function readKeyFile(form) {
    const [pem, salt] = await Promise.all(
      ["key", "salt"].map((one) => form.elements[one].files[0].text()),
    );
    const passphrase = form.elements.passphrase.value;
    form.elements.passphrase.value = "";
    try {
      return await SubjectKey.openFile(pem, passphrase, salt);
    } catch {
      throw Object.assign(new Error("key-file"), { words: word("key-file-wrong") });
    }
  }

  // --- the start: a code out of the address's fragment, and the way to one's own page

  function takeCode() {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (code === null) return;
    history.replaceState(null, "", location.pathname + location.search);
    find("#code").value = code;
    find("#open").focus();
  }

  async function start() {
    takeCode();
    addEventListener("hashchange", takeCode); // a link that is opened where the page stands already
    if (!(await SubjectKey.isSupported())) {
      show("#unsupported");
      return;
    }
    const subjects = await SubjectKey.list();
    for (const one of subjects) {
      const option = document.createElement("option");
      option.value = option.textContent = one;
      find("#own-subject").append(option);
    }
    show("#own-kept", subjects.length > 0);
    show("#own-file");
    find("#own-kept").addEventListener("submit", (event) => {
      event.preventDefault();
      const subject = find("#own-subject").value;
      act(event.submitter, async () => enter(subject, await SubjectKey.find(subject)));
    });
    find("#own-file").addEventListener("submit", (event) => {
      event.preventDefault();
      const subject = event.target.elements.subject.value.trim();
      act(event.submitter, async () => {
        const key = await readKeyFile(event.target);
        await enter(subject, key);
      });
    });
  }

  async function enter(subject, key) {
    const asked = await post("/subject/challenge", {});
    const proof = await SubjectKey.signClaims(key, SubjectKey.KINDS.session, {
      v: 1, aud: asked.node, origin: location.origin, nonce: asked.nonce, exp: asked.exp,
    });
    await post("/subject/enter", { proof, subject, salt: SubjectKey.encode(key.salt) });
    await SubjectKey.keep(subject, key);
    location.assign("/subject/own");
  }

  // --- a request

  async function request() {
    const page = find("#request");
    const { subject, language } = page.dataset;
    if (!(await SubjectKey.isSupported())) {
      show("#unsupported");
      return;
    }
    show("#sign-here");
    let key = await SubjectKey.find(subject);
    let items = [];

    async function use(found) {
      key = found;
      const asked = await post("/subject/request/prepare", {
        kid: key.kid, salt: SubjectKey.encode(key.salt), language,
      });
      find("#fingerprint").textContent = key.kid;
      show("#key-choice", false);
      show("#key-known");
      show("#enrolment", !asked.is_entered);
      show("#to-sign", asked.is_entered);
      find("#save-enrolment").dataset.hub = asked.hub;
      if (asked.is_entered) {
        items = await readItems(asked.items, { subject, key, language });
        showClaims(items);
      }
    }

    find("#make-key").addEventListener("click", (event) => act(event.target, async () => {
      const made = await SubjectKey.make();
      await SubjectKey.keep(subject, made); // before it is used: a key that is lost signs nothing
      await use(made);
    }));
    find("#open-file").addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.submitter, async () => {
        const opened = await readKeyFile(event.target);
        await use(opened);
        await SubjectKey.keep(subject, opened);
      });
    });
    find("#forget-key").addEventListener("click", (event) => act(event.target, async () => {
      if (!confirm(word("forget-sure"))) return;
      await SubjectKey.forget(subject);
      location.reload();
    }));
    find("#save-enrolment").addEventListener("click", (event) => act(event.target, async () => {
      const token = await SubjectKey.signClaims(key, SubjectKey.KINDS.enrolment, {
        v: 1, kind: "subject", hub: event.target.dataset.hub, iat: Math.floor(Date.now() / 1000),
        subject, salt: SubjectKey.encode(key.salt),
        key: { crv: "Ed25519", kty: "OKP", x: SubjectKey.encode(key.publicKey) },
      });
      download("enrolment.json", JSON.stringify({ tokens: [token] }));
    }));
    find("#save-salt").addEventListener("click", () => {
      download("subject.salt", SubjectKey.encode(key.salt));
    });
    find("#to-sign").addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.submitter, async () => {
        const chosen = items.filter((one) => find(`#provider-${one.index}`).checked);
        if (chosen.length === 0) throw Object.assign(new Error("none"), { words: word("choose-one") });
        await sign(chosen, { subject, key });
      });
    });
    if (key !== undefined) await use(key);
  }

  // Read what is to be signed out of its bytes, and refuse what would be signed unseen.
  async function readItems(given, { subject, key, language }) {
    const commitment = SubjectKey.encode(await SubjectKey.commit(key.salt, subject));
    const items = [];
    for (const [index, one] of given.entries()) {
      const payload = SubjectKey.decode(one.payload);
      const digest = SubjectKey.encode(await SubjectKey.hash(payload));
      const plain = new TextDecoder("utf-8", { fatal: true }).decode(payload);
      const claims = JSON.parse(plain);
      const isWhole = digest === one.sha256 && SubjectKey.canonical(claims) === plain;
      const isOurs = Object.keys(claims).sort().join() === CLAIMS.join() && claims.v === 1
        && claims.subject === commitment && claims.onward === "none" && claims.provider === one.provider
        && claims.notice.lang === language;
      if (!isWhole || !isOurs) throw Object.assign(new Error("substituted"), { words: word("substituted") });
      items.push({ index, payload, digest, plain, claims });
    }
    const shared = (claims) => SubjectKey.canonical({ ...claims, id: "", provider: "" });
    if (new Set(items.map((one) => shared(one.claims))).size !== 1) {
      throw Object.assign(new Error("substituted"), { words: word("substituted") });
    }
    return items;
  }

  function showClaims(items) {
    const { claims } = items[0];
    const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
    const list = (family, codes) => codes.map((one) => word(`${family}.${one}`));
    const span = (one) => word(`span.${one.unit}`, { n: one.n });
    fill("consumer", [claims.consumer]);
    fill("providers", items.map((one) => one.claims.provider));
    fill("purpose", [`${claims.purpose.code} ${claims.purpose.text}`]);
    fill("metrics", list("metric", claims.metrics));
    fill("range", [word("months", { n: claims.range.last_months }), word("k-min", { n: claims.range.k_min })]);
    fill("time", [word("from-to", { from: day(claims.nbf), to: day(claims.exp) })]);
    fill("uses", [word("uses", { n: claims.max_uses }), word("rate", { n: claims.freq.n, unit: word(`unit.${claims.freq.unit}`) })]);
    fill("keep", [span(claims.data_life)]);
    fill("derive", list("derive", claims.derive));
    fill("ops", list("ops", claims.ops));
    fill("withdraw", [claims.withdraw]);
    find("#from-bytes").hidden = false;
    const boxes = find("#boxes");
    const exact = find("#exact");
    boxes.replaceChildren();
    exact.replaceChildren();
    for (const one of items) {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox", id: `provider-${one.index}`, checked: true,
      });
      label.append(box, ` ${one.claims.provider}`);
      boxes.append(label);
      const heading = document.createElement("p");
      heading.textContent = `${one.claims.provider} · SHA-256 ${one.digest}`;
      const pre = document.createElement("pre");
      pre.textContent = JSON.stringify(one.claims, null, 1);
      exact.append(heading, pre);
    }
  }

  function fill(claim, lines) {
    const place = find(`[data-claim="${claim}"]`);
    place.replaceChildren(...lines.map((line) => {
      const one = document.createElement("span");
      one.className = "line";
      one.textContent = line;
      return one;
    }));
  }

  async function sign(chosen, { subject, key }) {
    const consents = [];
    const expected = [];
    for (const one of chosen) {
      const token = await SubjectKey.sign(key, SubjectKey.KINDS.consent, one.payload);
      consents.push({ token, subject, salt: SubjectKey.encode(key.salt) });
      expected.push(SubjectKey.encode(await SubjectKey.hash(new TextEncoder().encode(token))));
    }
    const answer = await post("/subject/request/sign", { consents });
    const held = answer.held.map((one) => one.consent).sort().join();
    if (held !== [...expected].sort().join()) {
      throw Object.assign(new Error("substituted"), { words: word("substituted") });
    }
    download("consents.json", JSON.stringify({ consents }, null, 1));
    location.assign("/subject/request");
  }

  // --- one's own page

  async function own() {
    const { subject } = find("#own").dataset;
    const key = await SubjectKey.find(subject);
    if (key === undefined) return;
    for (const button of document.querySelectorAll("button[data-consent]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        if (!confirm(word(`sure.${button.dataset.state}`))) return;
        act(button, async () => {
          const token = await SubjectKey.signClaims(key, SubjectKey.KINDS.status, {
            v: 1, consent: button.dataset.consent, seq: Number(button.dataset.seq),
            state: button.dataset.state, iat: Math.floor(Date.now() / 1000), by: "subject",
            reason: `${button.dataset.state} by the subject on its own page`,
          });
          await post("/subject/own/status", { token });
          location.reload();
        });
      });
    }
  }

  const pages = { start, request, own };
  const page = pages[document.body.dataset.page];
  if (page !== undefined) page().catch((error) => complain(error.words ?? word("failed", { code: error.message })));
})();
