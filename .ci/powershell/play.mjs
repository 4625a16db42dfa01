// node play.mjs SCRIPT: plays a script of hacsync against a simulated tenant.
//
// It knows as much of PowerShell as these scripts use: expressions, functions with
// named parameters, script blocks, try and catch, pipelines, and the commands at the
// end of this file. Whatever it does not know is an error, and so is a variable that
// was never set, so that a slip of the pen is found here and not in a customer's
// window. It is no proof of what PowerShell does; it is one of what the script asks for.
//
// PLAY_GRAPH   https://host of the tenant      PLAY_TOKEN   access token
// PLAY_TENANT  tenant ID                       PLAY_SPEED   how much faster time runs
// PLAY_ACCOUNT who signs in                    PLAY_FAIL    n or n:after: the n-th request fails
// PLAY_KILL    the process ends there instead  PLAY_NO_MODULE  the module is not installed
// PLAY_LACKS   a scope that the sign-in lacks  PLAY_PASTED  the script was pasted, not run as a file
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mistakes, parse } from "./grammar.mjs";

const env = process.env;
const speed = Number(env.PLAY_SPEED || 30);
const began = Date.now();
const now = () => new Date(began + (Date.now() - began) * speed);

class Stop extends Error {} // a fault of the script or of this player: never caught by the script
class Return { constructor(out) { this.out = out; } }
class Exit { constructor(code) { this.code = code; } }
class Thrown { constructor(message, details) { this.record = { Exception: { Message: message }, ErrorDetails: details === undefined ? null : { Message: details } }; } }
class Block { constructor(node) { this.node = node; } }
class Version { constructor(s) { this.parts = s.split(".").map(Number); } compare(o) { for (let i = 0; i < 4; i++) { const d = (this.parts[i] || 0) - (o.parts[i] || 0); if (d) return d; } return 0; } }
class Hash { // keys without case, in their order
  constructor() { this.map = new Map(); }
  get(k) { const e = this.map.get(String(k).toLowerCase()); return e === undefined ? null : e[1]; }
  set(k, v) { this.map.set(String(k).toLowerCase(), [String(k), v]); }
  plain() { return Object.fromEntries([...this.map.values()].map(([k, v]) => [k, plain(v)])); }
}
const plain = (v) => v instanceof Hash ? v.plain() : Array.isArray(v) ? v.map(plain) : v instanceof Date ? fail("a date in JSON is written differently by 5.1 and 7") : v;
function fail(why) { throw new Stop(why); }

const automatic = new Set(["null", "true", "false", "_", "matches", "pscommandpath", "pid", "pshome", "lastexitcode", "erroractionpreference"]);
class Scope {
  constructor(up) { this.up = up; this.vars = new Map(); }
  get(name) {
    for (let s = this; s; s = s.up) if (s.vars.has(name)) return s.vars.get(name);
    if (automatic.has(name)) return null;
    fail(`variable $${name} was never set`);
  }
  set(name, v) { this.vars.set(name, v); }
}
const functions = new Map();

const truth = (v) => Array.isArray(v) ? (v.length === 1 ? truth(v[0]) : v.length > 1) : !(v === null || v === undefined || v === "" || v === 0 || v === false);
const text = (v) => v === null || v === undefined ? "" : v === true ? "True" : v === false ? "False" : Array.isArray(v) ? v.map(text).join(" ") : v instanceof Block ? v.node.text.slice(1, -1) : typeof v === "object" ? fail("an object as text: " + JSON.stringify(v).slice(0, 80)) : String(v);
const one = (out) => out.length === 0 ? null : out.length === 1 ? out[0] : out;
const spread = (v) => Array.isArray(v) ? v : v === undefined ? [] : [v];
const list = (v) => Array.isArray(v) ? v : v === null ? [] : [v];
const same = (a, b, cased) => {
  if (a === null || b === null || a === undefined || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a === "boolean" || typeof b === "boolean") return truth(a) === truth(b);
  return cased ? text(a) === text(b) : text(a).toLowerCase() === text(b).toLowerCase();
};
const order = (a, b) => a instanceof Version ? a.compare(b) : a instanceof Date ? a - b : typeof a === "number" ? a - Number(b) : fail("comparison of " + typeof a);

function member(o, name) {
  if (o === null || o === undefined) return null;
  const n = name.toLowerCase();
  if (o instanceof Hash) return n === "count" ? o.map.size : o.get(name);
  if (Array.isArray(o)) {
    if (n === "count" || n === "length") return o.length;
    return one(o.flatMap((x) => { const v = member(x, name); return v === null ? [] : spread(v); }));
  }
  if (n === "count") return 1;
  if (typeof o === "object") { for (const k of Object.keys(o)) if (k.toLowerCase() === n) return o[k] ?? null; return null; }
  return null;
}

const pad = (n, w = 2) => String(n).padStart(w, "0");
function method(o, name, args) {
  switch (name.toLowerCase()) {
    case "trim": return text(o).trim();
    case "replace": return text(o).split(args[0]).join(args[1]);
    case "substring": return text(o).slice(args[0]);
    case "addminutes": return new Date(o.getTime() + args[0] * 60000);
    case "touniversaltime": return o;
    case "getbytes": return Buffer.from(text(args[0]), "utf16le");
    case "tostring":
      if (!(o instanceof Date)) return text(o);
      if (args[1] !== "invariant") fail("a date of the machine's own calendar: " + args[0]);
      return args[0].replace("yyyy", o.getUTCFullYear()).replace("MM", pad(o.getUTCMonth() + 1)).replace("dd", pad(o.getUTCDate()))
        .replace("HH", pad(o.getUTCHours())).replace("mm", pad(o.getUTCMinutes())).replace("ss", pad(o.getUTCSeconds()));
  }
  fail("method " + name);
}
function statically(type, name, args) {
  switch ((type + "::" + name).toLowerCase()) {
    case "uri::escapedatastring": return encodeURIComponent(text(args[0]));
    case "datetime::minvalue": return new Date("0001-01-01T00:00:00Z");
    case "convert::tobase64string": return args[0].toString("base64");
    case "text.encoding::unicode": return "Unicode";
    case "globalization.cultureinfo::invariantculture": return "invariant";
  }
  fail(`[${type}]::${name}`);
}
function cast(type, v) {
  switch (type.toLowerCase()) {
    case "string": return text(v);
    case "datetime": { const d = new Date(v); return isNaN(d) ? fail("no date: " + v) : d; }
    case "version": return new Version(text(v));
    case "string[]": return list(v).map(text);
    case "hashtable": case "scriptblock": return v;
  }
  fail("type " + type);
}

const kids = (n) => n.children.filter((c) => c.type !== "comment");
const child = (n, type) => n.children.find((c) => c.type === type);

// run gives all that a statement list puts out.
async function run(node, s) {
  const out = [];
  for (const c of node ? kids(node) : []) {
    if (c.type === ";" || c.type === "empty_statement") continue;
    try {
      out.push(...await statement(c, s));
    } catch (e) {
      if (e instanceof Return) e.out = out.splice(0).concat(e.out);
      throw e;
    }
  }
  return out;
}
const block = (n, s) => run(child(n, "statement_list"), s);

async function statement(n, s) {
  switch (n.type) {
    case "pipeline": return pipeline(n, s);
    case "function_statement": functions.set(child(n, "function_name").text.toLowerCase(), child(n, "script_block")); return [];
    case "if_statement": {
      const c = kids(n);
      if (truth(one(await pipeline(child(n, "pipeline"), s)))) return block(child(n, "statement_block"), s);
      for (const e of child(n, "elseif_clauses") ? kids(child(n, "elseif_clauses")) : []) {
        if (truth(one(await pipeline(child(e, "pipeline"), s)))) return block(child(e, "statement_block"), s);
      }
      const other = c.find((x) => x.type === "else_clause");
      return other ? block(child(other, "statement_block"), s) : [];
    }
    case "while_statement": {
      const out = [];
      while (truth(one(await pipeline(child(child(n, "while_condition"), "pipeline"), s)))) out.push(...await block(child(n, "statement_block"), s));
      return out;
    }
    case "foreach_statement": {
      const out = [];
      const name = child(n, "variable").text.slice(1).toLowerCase();
      for (const v of await pipeline(child(n, "pipeline"), s)) { s.set(name, v); out.push(...await block(child(n, "statement_block"), s)); }
      return out;
    }
    case "try_statement": {
      try {
        return await block(child(n, "statement_block"), s);
      } catch (e) {
        const c = child(n, "catch_clauses");
        if (!(e instanceof Thrown) || !c) throw e;
        s.set("_", e.record);
        try { return await block(child(kids(c)[0], "statement_block"), s); } catch (again) { throw again === "rethrow" ? e : again; }
      } finally {
        const f = child(n, "finally_clause");
        if (f) await block(child(f, "statement_block"), s);
      }
    }
    case "flow_control_statement": {
      const p = child(n, "pipeline");
      switch (kids(n)[0].text.toLowerCase()) {
        case "return": throw new Return(p ? await pipeline(p, s) : []);
        case "throw": throw p ? new Thrown(text(one(await pipeline(p, s)))) : "rethrow";
        case "exit": throw new Exit(p ? one(await pipeline(p, s)) : 0);
      }
    }
  }
  fail(`statement ${n.type} on line ${n.startPosition.row + 1}`);
}

async function pipeline(n, s) {
  const first = kids(n)[0];
  if (first.type === "assignment_expression") { await assign(first, s); return []; }
  if (first.type !== "pipeline_chain") fail("pipeline of " + first.type);
  let flow = null;
  for (const c of kids(first)) {
    if (c.type === "|") continue;
    if (c.type === "command") flow = await command(c, s, flow);
    else if (flow === null) flow = spread(await value(c, s));
    else fail("an expression behind |");
  }
  return flow;
}

async function assign(n, s) {
  let to = n.children[0];
  while (to.childCount === 1 && !["variable", "member_access"].includes(to.type)) to = to.children[0];
  const from = n.childForFieldName("value");
  const produced = ["pipeline"].includes(from.type) ? one(await valueOf(from, s)) : one(await statement(from, s));
  const op = n.children[1].text;
  const add = (old) => op === "=" ? produced : op === "+=" ? plus(old, produced) : fail("operator " + op);
  if (to.type === "variable") {
    const name = to.text.slice(1).toLowerCase();
    if (name.startsWith("env:")) { const v = add(env[to.text.slice(5)]); if (v === null) delete env[to.text.slice(5)]; else env[to.text.slice(5)] = text(v); return; }
    s.set(name, add(op === "=" ? null : s.get(name)));
  } else if (to.type === "member_access") {
    const o = await value(to.children[0], s);
    if (!(o instanceof Hash)) fail("a member is set of something that is no hashtable: " + to.text);
    o.set(memberName(to), add(op === "=" ? null : o.get(memberName(to))));
  } else fail("assignment to " + to.type);
}
// valueOf keeps @(…) an array, also with one element or none.
async function valueOf(pipe, s) {
  const chain = child(pipe, "pipeline_chain");
  if (!chain) return [null];
  const parts = kids(chain);
  if (parts.length === 1 && parts[0].type !== "command") return [await value(parts[0], s)];
  return pipeline(pipe, s);
}
function plus(a, b) {
  if (Array.isArray(a)) return a.concat(Array.isArray(b) ? b : [b]);
  if (a === null || a === undefined) return b;
  if (typeof a === "number") return a + Number(b);
  if (typeof a === "string") return a + text(b);
  fail("+ of " + typeof a);
}

const memberName = (n) => {
  const m = child(n, "member_name").text;
  return m.startsWith("'") ? m.slice(1, -1) : m;
};
const typeName = (n) => n.text.slice(1, -1);

async function value(n, s) {
  if (n.type.startsWith("logical") && n.childCount === 3) {
    const left = truth(await value(n.children[0], s));
    const op = n.children[1].text.toLowerCase();
    if (op === "-and") return left && truth(await value(n.children[2], s));
    if (op === "-or") return left || truth(await value(n.children[2], s));
    fail("operator " + op);
  }
  if (n.type.startsWith("comparison") && n.childCount === 3) return compare(n.children[1].text.toLowerCase(), await value(n.children[0], s), await value(n.children[2], s), s);
  if (n.type.startsWith("additive") && n.childCount === 3) return n.children[1].text === "+" ? plus(await value(n.children[0], s), await value(n.children[2], s)) : fail("operator " + n.children[1].text);
  if (n.type === "array_literal_expression" && n.childCount > 1) {
    const out = [];
    for (const c of kids(n)) if (c.type !== ",") out.push(await value(c, s));
    return out;
  }
  switch (n.type) {
    case "variable": return variable(n.text, s);
    case "string_literal": return string(n.children[0], s);
    case "integer_literal": return Number(n.text);
    case "generic_token": return n.text;
    case "parenthesized_expression": { const p = child(n, "pipeline"); return kids(p)[0].type === "assignment_expression" ? fail("assignment in parentheses") : one(await valueOf(p, s)); }
    case "sub_expression": return one(await run(child(n, "statement_list"), s));
    case "array_expression": return run(child(n, "statement_list"), s);
    case "script_block_expression": return new Block(n);
    case "hash_literal_expression": {
      const h = new Hash();
      const body = child(n, "hash_literal_body");
      for (const e of body ? kids(body).filter((x) => x.type === "hash_entry") : []) {
        const key = child(e, "key_expression").text.replace(/^'|'$/g, "");
        h.set(key, one(await valueOf(child(e, "pipeline"), s)));
      }
      return h;
    }
    case "member_access":
      if (n.children[0].type === "type_literal") return statically(typeName(n.children[0]), memberName(n), []);
      return member(await value(n.children[0], s), memberName(n));
    case "element_access": {
      const o = await value(n.children[0], s);
      const at = one(spread(await value(kids(n)[2], s)));
      return o instanceof Hash ? o.get(at) : list(o)[at] ?? null;
    }
    case "invokation_expression": {
      const args = [];
      const given = child(child(n, "argument_list"), "argument_expression_list");
      for (const a of given ? kids(given) : []) if (a.type !== ",") args.push(await value(a, s));
      if (n.children[0].type === "type_literal") return statically(typeName(n.children[0]), memberName(n), args);
      return method(await value(n.children[0], s), memberName(n), args);
    }
    case "cast_expression": return cast(typeName(n.children[0]), await value(n.children[1], s));
    case "expression_with_unary_operator":
      if (["-not", "!"].includes(n.children[0].text.toLowerCase())) return !truth(await value(n.children[1], s));
      if (n.childCount === 1) return value(n.children[0], s);
      fail("operator " + n.children[0].text);
  }
  if (n.childCount === 1) return value(n.children[0], s);
  fail(`expression ${n.type} on line ${n.startPosition.row + 1}: ${n.text.slice(0, 60)}`);
}

function variable(name, s) {
  name = name.replace(/^\$\{?|\}$/g, "");
  if (name.toLowerCase().startsWith("env:")) return env[name.slice(4)] ?? null;
  switch (name.toLowerCase()) {
    case "null": return null;
    case "true": return true;
    case "false": return false;
  }
  return s.get(name.toLowerCase());
}

async function string(n, s) {
  if (n.type === "verbatim_string_characters") return n.text.slice(1, -1).replaceAll("''", "'");
  if (n.type !== "expandable_string_literal") fail("string " + n.type);
  let out = "";
  let at = n.startIndex + 1;
  const raw = (to) => { out += n.text.slice(at - n.startIndex, to - n.startIndex).replace(/`(.)/g, "$1").replaceAll('""', '"'); };
  for (const c of n.children) {
    if (!["variable", "sub_expression"].includes(c.type)) continue;
    raw(c.startIndex);
    out += text(await value(c, s));
    at = c.endIndex;
    // The grammar takes it; PowerShell reads the name of a drive, and refuses the whole script.
    if (c.type === "variable" && !c.text.endsWith("}") && n.text[at - n.startIndex] === ":") fail(`${c.text}: in a string on line ${c.startPosition.row + 1}`);
  }
  raw(n.endIndex - 1);
  return out;
}

function compare(op, a, b, s) {
  const filter = (test) => Array.isArray(a) ? a.filter(test) : test(a);
  switch (op) {
    case "-eq": return filter((x) => same(x, b));
    case "-ne": return filter((x) => !same(x, b));
    case "-gt": return order(a, b) > 0;
    case "-ge": return order(a, b) >= 0;
    case "-lt": return order(a, b) < 0;
    case "-le": return order(a, b) <= 0;
    case "-contains": return list(a).some((x) => same(x, b));
    case "-notcontains": return !list(a).some((x) => same(x, b));
    case "-match": case "-notmatch": case "-cmatch": return filter((x) => {
      const m = new RegExp(b, op === "-cmatch" ? "" : "i").exec(text(x));
      if (m && op !== "-notmatch") { const h = new Hash(); m.forEach((v, i) => h.set(i, v)); s.set("matches", h); }
      return Boolean(m) !== (op === "-notmatch");
    });
    case "-split": return text(a).split(new RegExp(b));
    case "-join": return list(a).map(text).join(b);
    case "-replace": return text(a).replace(new RegExp(b[0], "gi"), b[1]);
  }
  fail("operator " + op);
}

async function call(block, s, args) {
  const inner = new Scope(s);
  const params = block.descendantsOfType("param_block")[0];
  const own = params && params.parent.equals(block) ? params.descendantsOfType("script_parameter") : [];
  const given = new Map([...args.named].map(([k, v]) => [k, v]));
  for (const p of own) {
    const name = child(p, "variable").text.slice(1);
    const type = child(p, "attribute_list") ? typeName(p.descendantsOfType("type_literal")[0]) : "";
    let v = null;
    if (given.has(name.toLowerCase())) { v = given.get(name.toLowerCase()); given.delete(name.toLowerCase()); }
    else if (child(p, "script_parameter_default")) v = await value(child(p, "script_parameter_default").children[1], s);
    inner.set(name.toLowerCase(), type ? cast(type, v) : v);
  }
  if (given.size || args.loose.length) fail("parameters that are not known: " + [...given.keys(), ...args.loose].join(", "));
  const body = child(block, "script_block_body");
  try {
    return await run(body ? child(body, "statement_list") : null, inner);
  } catch (e) {
    if (e instanceof Return) return e.out;
    throw e;
  }
}

async function command(n, s, input) {
  const args = { named: new Map(), loose: [] };
  const elements = child(n, "command_elements") ? kids(child(n, "command_elements")).filter((c) => c.type !== "command_argument_sep") : [];
  for (let i = 0; i < elements.length; i++) {
    const e = elements[i];
    if (e.type !== "command_parameter") { args.loose.push(await value(e, s)); continue; }
    const name = e.text.slice(1).replace(/:$/, "").toLowerCase();
    const next = elements[i + 1];
    if (next && next.type !== "command_parameter") { args.named.set(name, await value(next, s)); i++; } else args.named.set(name, true);
  }
  const named = child(n, "command_name");
  if (!named) {
    let target = child(n, "command_name_expr");
    while (target.childCount === 1 && !["variable", "script_block_expression"].includes(target.type)) target = target.children[0];
    const what = await value(target, s);
    if (what instanceof Block) return call(child(what.node, "script_block"), s, args);
    return process_(args, s);
  }
  const name = named.text.toLowerCase();
  if (functions.has(name)) return call(functions.get(name), s, args);
  const builtin = commands[name];
  if (!builtin) fail(`command ${named.text}`);
  // A switch takes no value: what stands behind it is the first loose argument.
  for (const k of ["listavailable", "nowelcome", "raw", "parent", "leaf"]) {
    if (args.named.has(k) && args.named.get(k) !== true) { args.loose.unshift(args.named.get(k)); args.named.set(k, true); }
  }
  const out = await builtin((k) => args.named.get(k) ?? null, args.loose, s, input);
  return out === undefined ? [] : spread(out);
}

// each runs a script block for an element, in the scope where it stands.
async function each(b, v, s) {
  if (!(b instanceof Block)) fail("no script block");
  const was = s.vars.get("_");
  s.set("_", v);
  try { return await run(child(child(child(b.node, "script_block"), "script_block_body"), "statement_list"), s); } finally { if (was === undefined) s.vars.delete("_"); else s.set("_", was); }
}

let requests = 0;
async function graph(arg) {
  requests++;
  const [at, when] = (env.PLAY_FAIL || env.PLAY_KILL || "0").split(":");
  const due = Number(at) === requests;
  const body = arg("body");
  const headers = { Authorization: "Bearer " + env.PLAY_TOKEN, ...(arg("headers") ? arg("headers").plain() : {}) };
  if (body !== null) headers["Content-Type"] = arg("contenttype");
  if (arg("outputtype") !== "PSObject") fail("another OutputType");
  if (due && when !== "after") stopHere();
  const url = new URL(arg("uri").startsWith("https://") ? arg("uri") : env.PLAY_GRAPH + "/" + arg("uri"));
  if (url.origin !== new URL(env.PLAY_GRAPH).origin) fail("another host: " + url.origin);
  const res = await fetch(url, { method: arg("method"), headers, body: body ?? undefined });
  const raw = await res.text();
  if (due) stopHere();
  console.error(`request ${requests} ${arg("method")} ${url.pathname}${decodeURIComponent(url.search)} ${res.status}`);
  if (!res.ok) {
    const names = { 400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 429: "TooManyRequests" };
    throw new Thrown(`Response status code does not indicate success: ${names[res.status] || res.status} (${res.statusText}).`, `HTTP/2.0 ${res.status}\r\nrequest-id: ${res.headers.get("request-id") || ""}\r\n\r\n${raw}`);
  }
  return raw ? JSON.parse(raw) : null;
}
function stopHere() {
  if (env.PLAY_KILL) process.exit(9);
  throw new Thrown("An error occurred while sending the request.");
}

// boxes are the mailboxes as Exchange has them, in a file beside the script.
const boxFile = () => env.PLAY_MAILBOXES || fail("no mailboxes are played");
const boxes = () => existsSync(boxFile()) ? JSON.parse(readFileSync(boxFile(), "utf8")) : {};
async function mailbox(id) {
  const res = await fetch(`${env.PLAY_GRAPH}/v1.0/users/${id}?$select=id,userPrincipalName,proxyAddresses`, { headers: { Authorization: "Bearer " + env.PLAY_TOKEN } });
  const u = await res.json();
  const addresses = boxes()[id] || u.proxyAddresses;
  const primary = addresses.find((a) => a.startsWith("SMTP:"));
  return { UserPrincipalName: u.userPrincipalName, EmailAddresses: addresses, PrimarySmtpAddress: primary ? primary.slice(5) : "" };
}

// process_ is the second process: the same player, another script.
async function process_(args, s) {
  const script = Buffer.from(args.named.get("encodedcommand"), "base64").toString("utf16le");
  const wrong = mistakes(script);
  if (wrong.length) fail("the second script: " + wrong.join("; "));
  let code = 0;
  try { await run(child(parse(script), "statement_list"), new Scope(null)); } catch (e) { if (!(e instanceof Exit)) throw e; code = e.code; }
  for (let top = s; top; top = top.up) if (!top.up) top.set("lastexitcode", code);
  return [];
}

const commands = {
  "write-host": (arg, loose) => { console.log(text(loose[0])); },
  "get-date": () => now(),
  "start-sleep": (arg) => new Promise((done) => setTimeout(() => done(), arg("seconds") * 1000 / speed)),
  "get-module": () => env.PLAY_NO_MODULE ? [] : [{ Version: new Version("1.9.0") }, { Version: new Version("2.25.0") }, { Version: new Version("3.4.0") }],
  "import-module": () => {},
  "connect-mggraph": (arg, loose, s) => {
    for (const k of ["tenantid", "environment", "scopes", "contextscope", "nowelcome"]) if (arg(k) === null) fail("Connect-MgGraph without -" + k);
    connected = { TenantId: env.PLAY_TENANT, Account: env.PLAY_ACCOUNT, Scopes: arg("scopes").filter((x) => x !== env.PLAY_LACKS) };
  },
  "get-mgcontext": () => connected,
  "disconnect-mggraph": () => { if (!connected) fail("disconnected twice"); connected = null; return { Account: "x" }; },
  "invoke-mggraphrequest": (arg) => connected ? graph(arg) : fail("a request before the sign-in"),
  "convertto-json": (arg) => { if (Number(arg("depth")) < 10) fail("ConvertTo-Json without -Depth"); return JSON.stringify(plain(arg("inputobject"))); },
  "convertfrom-json": (arg, loose, s, input) => JSON.parse(input.join("\n")),
  "get-content": (arg) => arg("encoding") === "UTF8" ? readFileSync(arg("literalpath"), "utf8") : fail("a file read as 5.1 guesses"),
  "set-content": (arg, loose, s, input) => writeFileSync(arg("literalpath"), list(arg("value") ?? input).map(text).join("\r\n") + "\r\n"),
  "join-path": (arg, loose) => path.join(loose[0], loose[1]),
  "split-path": (arg, loose) => arg("leaf") ? path.basename(loose[0]) : path.dirname(loose[0]),
  "get-location": () => ({ Path: process.cwd() }),
  "test-path": (arg) => existsSync(arg("literalpath")),
  "get-process": () => ({ Path: "powershell" }),
  "where-object": async (arg, loose, s, input) => { const out = []; for (const v of input) if (truth(one(await each(loose[0], v, s)))) out.push(v); return out; },
  "foreach-object": async (arg, loose, s, input) => { const out = []; for (const v of input) out.push(...await each(loose[0], v, s)); return out; },
  "connect-exchangeonline": (arg) => { if (!arg("userprincipalname") || !arg("exchangeenvironmentname")) fail("Connect-ExchangeOnline without account or environment"); },
  "disconnect-exchangeonline": () => {},
  "get-mailbox": (arg) => mailbox(arg("identity")),
  "set-mailbox": (arg) => { const all = boxes(); all[arg("identity")] = arg("emailaddresses"); writeFileSync(boxFile(), JSON.stringify(all)); },
};
let connected = null;

const file = path.resolve(process.argv[2]);
const script = readFileSync(file, "utf8");
const wrong = mistakes(script);
if (wrong.length) { console.error(wrong.join("\n")); process.exit(70); }
const top = new Scope(null);
if (!env.PLAY_PASTED) top.set("pscommandpath", file);
try {
  const out = await run(child(parse(script), "statement_list"), top);
  if (out.length) fail("the script puts out " + JSON.stringify(out).slice(0, 200));
  if (connected) fail("the script does not disconnect");
} catch (e) {
  if (e instanceof Exit) process.exit(e.code);
  console.error(e instanceof Thrown ? "not caught: " + e.record.Exception.Message : e);
  process.exit(70);
}
