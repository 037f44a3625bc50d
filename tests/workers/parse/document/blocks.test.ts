/**
 * What Markdown and HTML are read as: paths of headings, whole code and tables, and what is left out.
 */
import { describe, expect, it } from "vitest";
import { DocumentReader } from "#workers/parse/document/document-reader.ts";
import type { TextType } from "#workers/parse/document/document-type.ts";
import { slicePage } from "#workers/parse/document/slice-page.ts";

function pages(
  type: TextType,
  text: string,
  name = "guide",
): { path: readonly string[]; text: string; source: string }[] {
  const reader = new DocumentReader(type, null);
  const pushed = reader.push(new TextEncoder().encode(text));
  const ended = reader.end();
  if (!pushed.ok || !ended.ok) throw new Error("not read");
  return [...pushed.value, ...ended.value].flatMap((slice) => {
    const page = slicePage(slice, { name, title: null });
    return page === null ? [] : [{ path: slice.path, ...page }];
  });
}

describe("Markdown", () => {
  it("stands under its headings, written either way", () => {
    const found = pages(
      "text/markdown",
      "Lead.\n\n# Bees\n\nIntro.\n\nHives and frames\n---\n\nWood.\n\n### Care ###\n\nWash.\n\n## `Honey` and [wax](x)\n\nSweet.\n",
    );
    expect(found.map((page) => page.path)).toEqual([
      [],
      ["Bees"],
      ["Bees", "Hives and frames"],
      ["Bees", "Hives and frames", "Care"],
      ["Bees", "Honey and wax"],
    ]);
    expect(found[3]).toMatchObject({
      text: "Bees › Hives and frames › Care\n\n### Care ###\n\nWash.",
      source: "guide#care",
    });
    expect(found[0]).toMatchObject({ text: "guide\n\nLead.", source: "guide#char=0" });
  });

  it("keeps code and tables whole, and takes no heading out of them", () => {
    const code = `\`\`\`sh\n# not a heading\n${"run --all the things\n".repeat(120)}\n\n~~~\n\`\`\`\n`;
    const found = pages("text/markdown", `# A\n\n${"Prose here. ".repeat(100)}\n\n${code}\nAfter.\n`);
    expect(found.filter((page) => page.text.includes(code.trim()))).toHaveLength(1);
    expect(found.every((page) => page.path.join() === "A")).toBe(true);
    const table = `| a | b |\n|---|---|\n${"| one | two |\n".repeat(130)}`;
    const tables = pages("text/markdown", `# T\n\n${"Prose here. ".repeat(110)}\n\n${table}\nAfter.\n`);
    expect(tables.filter((page) => page.text.includes(table.trim()))).toHaveLength(1);
  });

  it("takes a front matter for text, and a rule for no heading", () => {
    expect(pages("text/markdown", "---\ntitle: x\n---\n\nBody.\n\n---\n\nMore.\n").map((page) => page.path)).toEqual([
      [],
    ]);
  });
});

describe("HTML", () => {
  const page = `<!doctype html><html><head><title>Bee &amp; Co</title><style>p{}</style><script>if (a<b) "</p>"</script></head>
    <body><nav><ul><li>Home</li></ul></nav><main><h1>Bee <em>keeping</em></h1><p>Bees   like\nclover&nbsp;&mdash; a lot.<br>Yes.</p>
    <h2>Tools</h2><ul><li>Smoker<li>Hive <b>tool</b></ul><ol><li>First</li><li>Second</li></ol>
    <table><tr><th>Month</th><th>Work</th></tr><tr><td><p>May</p></td><td>Swarm</td></tr></table>
    <pre>  a\n    b</pre><img src="x" alt="A &quot;queen&quot;"><!-- <h2>no</h2> --></main></body></html>`;

  it("is its text, under its headings, without navigation, scripts and styles", () => {
    const found = pages("text/html", page, "site");
    expect(found.map(({ path }) => path)).toEqual([["Bee keeping"], ["Bee keeping", "Tools"]]);
    expect(found[0]?.text).toBe("Bee keeping\n\nBee keeping\n\nBees like clover\u00a0— a lot.\nYes.");
    expect(found[1]?.text).toBe(
      'Bee keeping › Tools\n\nTools\n\n- Smoker\n- Hive tool\n1. First\n2. Second\nMonth | Work\nMay | Swarm\n\n  a\n    b\n\nA "queen"',
    );
    expect(found[1]?.source).toBe("site#tools");
  });

  it("knows its title", () => {
    const reader = new DocumentReader("text/html", null);
    reader.push(new TextEncoder().encode(page));
    expect(reader.title).toBe("Bee & Co");
  });

  it("does not lose the rest behind an unclosed element, or a picture written into a tag", () => {
    const data = "A".repeat(300_000);
    const found = pages("text/html", `<nav><a>x</a><h1>Kept</h1><p>One</p><img src="data:${data}"><p>Two`);
    expect(found.map((one) => one.text)).toEqual(["Kept\n\nKept\n\nOne\n\nTwo"]);
  });
});
