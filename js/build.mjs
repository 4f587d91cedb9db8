// Two ES modules, one style sheet and the shim, into the Python package. `--report` says what is in.
import { glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { analyzeMetafile, build, transform } from "esbuild";

const ROOT = import.meta.dirname;
const OUT = process.env.RFT_STATIC ?? join(ROOT, "..", "rft_widgets", "static");
const TARGET = ["chrome111", "firefox113", "safari16.4"];
// Each module with its entry and the most bytes that it may have, minified.
const MODULES = [
  { name: "rft.js", entry: ["src", "index.ts"], limit: 1_000_000 },
  { name: "editor.js", entry: ["src", "ui", "code", "editor.ts"], limit: 500_000 },
];

async function bundled({ name, entry, limit }) {
  const result = await build({
    entryPoints: [join(ROOT, ...entry)],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    minify: true,
    legalComments: "external", // of what is in it; beside it, and not in every page
    target: TARGET,
    define: { "process.env.NODE_ENV": '"production"' },
    outfile: join(OUT, name),
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  const part = (end) => result.outputFiles.find(({ path }) => path.endsWith(end));
  const code = part(name).contents;
  if (code.length > limit) throw new Error(`${name} has ${code.length} bytes, more than ${limit}`);
  return { name, code, licences: part("LEGAL.txt")?.text ?? "", metafile: result.metafile };
}
const modules = await Promise.all(MODULES.map(bundled));

// Every rule under .rft, also those of libraries: nothing of ours reaches the rest of the page.
const sheets = [
  join(ROOT, "node_modules", "@xyflow", "react", "dist", "style.css"),
  join(ROOT, "src", "ui", "base.css"),
  join(ROOT, "src", "ui", "kit.css"),
  ...(await Array.fromAsync(glob("src/*/**/*.css", { cwd: ROOT })))
    .filter((path) => !/ui.(base|kit)\.css$/.test(path))
    .sort()
    .map((path) => join(ROOT, path)),
];
let css = "";
for (const sheet of sheets) {
  const text = await readFile(sheet, "utf8");
  const keyframes = []; // cannot be nested
  const rest = text.replace(/@keyframes[^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, (found) => {
    keyframes.push(found);
    return "";
  });
  css += `${keyframes.join("\n")}\n.rft {\n${rest}\n}\n`;
}
const style = await transform(css, { loader: "css", minify: true, target: TARGET });
const shim = await transform(await readFile(join(ROOT, "src", "shim.js"), "utf8"), {
  minify: true,
  format: "esm",
  target: TARGET,
});

await mkdir(OUT, { recursive: true });
for (const { name, code } of modules) await writeFile(join(OUT, name), code);
await writeFile(join(OUT, "rft.js.LEGAL.txt"), modules.map(({ licences }) => licences).join("\n"));
await writeFile(join(OUT, "rft.css"), style.code);
await writeFile(join(OUT, "shim.js"), shim.code);
const sizes = [
  ...modules.map(({ name, code }) => `${name} ${code.length}`),
  `rft.css ${style.code.length}`,
  `shim.js ${shim.code.length}`,
];
console.log(`${sizes.join(", ")} bytes`);
if (process.argv.includes("--report")) {
  for (const { metafile } of modules) console.log(await analyzeMetafile(metafile));
}
