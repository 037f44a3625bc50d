/**
 * Docs page: the HTML, script and style of `/docs`, as text. The script builds the page from `/openapi.json` with DOM calls
 * only: no text of the document is ever parsed as markup.
 */
import { FAILURE_CODES, failureTitle, httpStatus } from "#shared/errors.ts";

const PROBLEMS = FAILURE_CODES.map(
  (code) =>
    `<tr id="${code}"><td><code>${code}</code></td><td>${httpStatus(code)}</td><td>${failureTitle(code)}</td></tr>`,
).join("\n");

export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamina API</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<header>
<h1>Lamina API</h1>
<p>Every route of this server, from <a href="/openapi.json">/openapi.json</a>. Send your key as <code>Authorization: Bearer lam_…</code>.</p>
</header>
<main id="routes"><p>Loading…</p></main>
<section>
<h2>Errors</h2>
<p>Every error is a problem document (RFC 9457) with a stable <code>code</code>.</p>
<table><thead><tr><th>code</th><th>status</th><th>meaning</th></tr></thead><tbody>
${PROBLEMS}
</tbody></table>
</section>
</body>
</html>
`;

export const DOCS_SCRIPT = `"use strict";
const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className !== undefined) node.className = className;
  return node;
};

const resolve = (root, schema) => {
  if (!schema || !schema.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((node, name) => node && node[name], root);
};

const typeOf = (root, schema, depth = 0) => {
  if (!schema) return "unknown";
  if (schema.$ref && depth > 0) return schema.$ref.split("/").pop();
  const known = resolve(root, schema);
  if (known.enum) return known.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (known.const !== undefined) return JSON.stringify(known.const);
  const either = known.anyOf || known.oneOf;
  if (either) return either.map((one) => typeOf(root, one, depth + 1)).join(" | ");
  if (known.type === "array") return typeOf(root, known.items, depth + 1) + "[]";
  return Array.isArray(known.type) ? known.type.join(" | ") : known.type || "any";
};

const table = (root, title, rows) => {
  const section = make("section");
  section.append(make("h4", title));
  const body = make("table");
  for (const row of rows) {
    const line = make("tr");
    line.append(make("td", row.name + (row.required ? " *" : ""), "name"), make("td", typeOf(root, row.schema)), make("td", row.description || ""));
    body.append(line);
  }
  section.append(body);
  return section;
};

const fields = (root, schema) => {
  const known = resolve(root, schema) || {};
  return Object.entries(known.properties || {}).map(([name, value]) => ({
    name, schema: value, description: value.description, required: (known.required || []).includes(name),
  }));
};

const example = (root, schema) => {
  const sample = {};
  for (const field of fields(root, schema)) {
    if (!field.required) continue;
    const kind = typeOf(root, field.schema);
    sample[field.name] = kind.endsWith("[]") ? [] : kind === "string" ? "…" : kind === "boolean" ? true : 1;
  }
  return JSON.stringify(sample);
};

const curl = (root, method, path, route) => {
  const parts = ["curl -s"];
  if (method !== "get") parts.push("-X " + method.toUpperCase());
  if (!route.security || route.security.length > 0) parts.push('-H "authorization: Bearer $LAMINA_API_KEY"');
  const content = route.requestBody && route.requestBody.content;
  if (content) {
    const type = Object.keys(content)[0];
    parts.push("-H 'content-type: " + type + "'");
    parts.push(type === "application/json" ? "-d '" + example(root, content[type].schema) + "'" : "--data-binary @file.ndjson");
  }
  parts.push("'" + location.origin + path + "'");
  return parts.join(" \\\\\\n  ");
};

const showRoute = (root, method, path, route) => {
  const card = make("details");
  const head = make("summary");
  head.append(make("b", method.toUpperCase(), "method " + method), make("code", path), make("span", route.summary || ""));
  card.append(head);
  if (route.description) card.append(make("p", route.description));
  if (route.parameters && route.parameters.length > 0) {
    card.append(table(root, "Parameters", route.parameters.map((one) => ({
      name: one.name + " (" + one.in + ")", schema: one.schema, description: one.description, required: one.required,
    }))));
  }
  const content = route.requestBody && route.requestBody.content["application/json"];
  if (content) card.append(table(root, "Body", fields(root, content.schema)));
  for (const [status, reply] of Object.entries(route.responses)) {
    const json = reply.content && reply.content["application/json"];
    if (json) card.append(table(root, "Reply " + status + ": " + reply.description, fields(root, json.schema)));
    else if (status !== "default") card.append(make("h4", "Reply " + status + ": " + reply.description));
  }
  card.append(make("h4", "Try it"));
  const command = make("pre", curl(root, method, path, route));
  const copy = make("button", "Copy");
  copy.type = "button";
  copy.addEventListener("click", () => navigator.clipboard.writeText(command.textContent));
  card.append(command, copy);
  return card;
};

const show = async () => {
  const target = document.getElementById("routes");
  const root = await (await fetch("/openapi.json")).json();
  target.replaceChildren();
  for (const [path, methods] of Object.entries(root.paths)) {
    for (const [method, route] of Object.entries(methods)) target.append(showRoute(root, method, path, route));
  }
};

show().catch(() => { document.getElementById("routes").textContent = "The document could not be loaded."; });
`;

export const DOCS_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 0.5rem; margin: 0.5rem 0; padding: 0.5rem 0.75rem; }
summary { cursor: pointer; display: flex; gap: 0.75rem; flex-wrap: wrap; align-items: baseline; }
summary span { opacity: 0.75; }
.method { font-size: 0.8rem; min-width: 3.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
td, th { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
.name, code, pre { font-family: ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.5rem; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 0.25rem; }
h4 { margin: 0.75rem 0 0.25rem; }
tr:target { background: color-mix(in srgb, currentColor 15%, transparent); }
`;
