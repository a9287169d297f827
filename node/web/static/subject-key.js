// The subject's key in the browser: made here and not to be taken out, or read from a key file.
//
// It signs tokens as protocol/jws.py opens them: base64url(header) "." base64url(payload), where the
// header is exactly {"alg","kid","typ"}. The kinds stand here, so that no server chooses what a
// signature counts for. Nothing in this file talks to a server.
"use strict";

const SubjectKey = (() => {
  const KINDS = Object.freeze({
    consent: "cx-consent+jws",
    status: "cx-consent-status+jws",
    session: "cx-subject-session+jws",
    enrolment: "cx-enrolment+jws",
  });
  const ALGORITHM = "Ed25519";
  const SALT_BYTES = 32;
  const KEY_FILE_CHARACTERS_MAX = 16384;
  const ITERATIONS_MAX = 10000000;
  const text = new TextEncoder();

  function encode(bytes) {
    let plain = "";
    for (const one of new Uint8Array(bytes)) plain += String.fromCharCode(one);
    return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  function decode(b64u) {
    if (!/^[A-Za-z0-9_-]*$/.test(b64u)) throw new Error("not base64url");
    const plain = atob(b64u.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(plain, (one) => one.charCodeAt(0));
    if (encode(bytes) !== b64u) throw new Error("not canonical base64url");
    return bytes;
  }

  async function hash(...parts) {
    const joined = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const one of parts) {
      joined.set(one, at);
      at += one.length;
    }
    return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
  }

  // As protocol/strict_json.py writes it: sorted members, no spaces, whole numbers.
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value !== null && typeof value === "object") {
      const members = Object.keys(value).sort();
      return `{${members.map((one) => `${JSON.stringify(one)}:${canonical(value[one])}`).join(",")}}`;
    }
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Error("no integer");
    return JSON.stringify(value);
  }

  async function isSupported() {
    try {
      await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
      return true;
    } catch {
      return false; // no secure context, or a browser without Ed25519
    }
  }

  async function name(publicKey) {
    const x = encode(publicKey); // the kid is the RFC 7638 thumbprint
    return encode(await hash(text.encode(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)));
  }

  async function make() {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    return { privateKey: pair.privateKey, publicKey, kid: await name(publicKey), salt };
  }

  // --- the key file of `chengxin consent keygen`: PKCS#8 under PBES2 (RFC 8018), and a salt file

  const OID = Object.freeze({
    pbes2: "2a864886f70d01050d",
    pbkdf2: "2a864886f70d01050c",
    hmacSha256: "2a864886f70d0209",
    aes256Cbc: "60864801650304012a",
  });

  function readDer(bytes) {
    let at = 0;
    function next() {
      const tag = bytes[at++];
      let length = bytes[at++];
      if (length >= 0x80) {
        const count = length - 0x80;
        if (count < 1 || count > 2) throw new Error("not a key file");
        length = 0;
        for (let index = 0; index < count; index++) length = length * 256 + bytes[at++];
      }
      const end = at + length;
      if (!(end <= bytes.length)) throw new Error("not a key file");
      if (tag !== 0x30) {
        const value = bytes.slice(at, end);
        at = end;
        return value;
      }
      const items = [];
      while (at < end) items.push(next());
      return items;
    }
    return next();
  }

  function toHex(bytes) {
    return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
  }

  async function decrypt(der, passphrase) {
    const [[kind, [[derivation, [salt, rounds, [prf]]], [cipher, iv]]], sealed] = readDer(der);
    const found = [kind, derivation, prf, cipher].map(toHex);
    const known = [OID.pbes2, OID.pbkdf2, OID.hmacSha256, OID.aes256Cbc];
    if (found.join() !== known.join()) throw new Error("another kind of key file");
    const iterations = rounds.reduce((sum, one) => sum * 256 + one, 0);
    if (iterations > ITERATIONS_MAX) throw new Error("another kind of key file");
    const secret = await crypto.subtle.importKey("raw", text.encode(passphrase), "PBKDF2", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey(
      { name: "PBKDF2", hash: "SHA-256", salt, iterations },
      secret, { name: "AES-CBC", length: 256 }, false, ["decrypt"],
    );
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, key, sealed));
  }

  async function openFile(pem, passphrase, saltText) {
    const found = /-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem);
    if (found === null || pem.length > KEY_FILE_CHARACTERS_MAX) throw new Error("not a key file");
    const der = Uint8Array.from(atob(found[1].replace(/\s/g, "")), (one) => one.charCodeAt(0));
    const plain = await decrypt(der, passphrase);
    const salt = decode(saltText.trim());
    if (salt.length !== SALT_BYTES) throw new Error("not a salt file");
    // Taken out once to learn its public half; what is kept cannot be taken out.
    const readable = await crypto.subtle.importKey("pkcs8", plain, ALGORITHM, true, ["sign"]);
    const publicKey = decode((await crypto.subtle.exportKey("jwk", readable)).x);
    const privateKey = await crypto.subtle.importKey("pkcs8", plain, ALGORITHM, false, ["sign"]);
    plain.fill(0);
    return { privateKey, publicKey, kid: await name(publicKey), salt };
  }

  // --- signing

  async function sign(key, kind, payload) {
    if (!Object.values(KINDS).includes(kind)) throw new Error("no kind of ours");
    const header = text.encode(canonical({ alg: ALGORITHM, kid: key.kid, typ: kind }));
    const input = `${encode(header)}.${encode(payload)}`;
    const signature = await crypto.subtle.sign(ALGORITHM, key.privateKey, text.encode(input));
    return `${input}.${encode(signature)}`;
  }

  function signClaims(key, kind, claims) {
    return sign(key, kind, text.encode(canonical(claims)));
  }

  function commit(salt, subject) {
    return hash(salt, text.encode(subject));
  }

  // --- where it is kept: this browser's own store, by the subject that it signs for

  function openStore() {
    return new Promise((resolve, reject) => {
      const asked = indexedDB.open("chengxin-subject", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("keys", { keyPath: "subject" });
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  }

  async function ask(mode, act) {
    const store = await openStore();
    try {
      return await new Promise((resolve, reject) => {
        const asked = act(store.transaction("keys", mode).objectStore("keys"));
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
      });
    } finally {
      store.close();
    }
  }

  return Object.freeze({
    KINDS, canonical, commit, decode, encode, hash, isSupported, make, openFile, sign, signClaims,
    keep: (subject, key) => ask("readwrite", (keys) => keys.put({ subject, ...key })),
    find: (subject) => ask("readonly", (keys) => keys.get(subject)),
    forget: (subject) => ask("readwrite", (keys) => keys.delete(subject)),
    list: () => ask("readonly", (keys) => keys.getAllKeys()),
  });
})();
