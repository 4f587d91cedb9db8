// One ES module, one style sheet and the shim, into the Python package. `--report` says what is in.
import { glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { analyzeMetafile, build, transform } from "esbuild";

const ROOT = import.meta.dirname;
const OUT = process.env.RFT_STATIC ?? join(ROOT, "..", "rft_widgets", "static");
const LIMIT = 1_300_000; // bytes of the module, minified
const TARGET = ["chrome111", "firefox113", "safari16.4"];

const result = await build({
  entryPoints: [join(ROOT, "src", "index.ts")],
  bundle: true,
  format: "esm",
  jsx: "automatic",
  minify: true,
  legalComments: "external", // of what is in it; beside it, and not in every page
  target: TARGET,
  define: { "process.env.NODE_ENV": '"production"' },
  outfile: join(OUT, "rft.js"),
  write: false,
  metafile: true,
  logLevel: "warning",
});
const [code, licences] = [/\.js$/, /LEGAL\.txt$/].map(
  (name) => result.outputFiles.find(({ path }) => name.test(path)).contents,
);
if (code.length > LIMIT) throw new Error(`rft.js has ${code.length} bytes, more than ${LIMIT}`);

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
await writeFile(join(OUT, "rft.js"), code);
await writeFile(join(OUT, "rft.js.LEGAL.txt"), licences);
await writeFile(join(OUT, "rft.css"), style.code);
await writeFile(join(OUT, "shim.js"), shim.code);
console.log(
  `rft.js ${code.length}, rft.css ${style.code.length}, shim.js ${shim.code.length} bytes`,
);
if (process.argv.includes("--report")) console.log(await analyzeMetafile(result.metafile));
