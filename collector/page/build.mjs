// Builds the page into collector/spanloop_collector/page/static/, and notes there which sources it was built from.
//
// The output depends on the sources and the locked packages only: the same on every machine, byte for byte.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUTPUT = resolve(process.argv[2] ?? join(HERE, "../spanloop_collector/page/static"));
const SOURCES = ["build.mjs", "package.json", "package-lock.json", "tsconfig.json", "src", "public"];

rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
const { metafile } = await build({
  metafile: true,
  absWorkingDir: HERE,
  entryPoints: { page: "src/main.tsx" },
  outdir: OUTPUT,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  chunkNames: "chunks/[name]-[hash]",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  // Folders of this machine must not end up in the output.
  sourcemap: false,
  logLevel: "warning",
});
cpSync(join(HERE, "public"), OUTPUT, { recursive: true });
preloadParts(join(OUTPUT, "index.html"));
writeFileSync(join(OUTPUT, "manifest.json"), JSON.stringify({ sources: hashes() }, null, 1) + "\n");

/** Names in the document what the first script asks for, so that the browser fetches all of it at once. */
function preloadParts(path) {
  const parts = Object.values(metafile.outputs).find((output) => output.entryPoint === "src/main.tsx").imports;
  const names = parts.filter(({ kind }) => kind === "import-statement").map((part) => relative(OUTPUT, resolve(HERE, part.path)).split(sep).join("/"));
  const links = names.sort().map((name) => `    <link rel="modulepreload" href="/page/${name}" />\n`);
  writeFileSync(path, readFileSync(path, "utf8").replace("  </head>", `${links.join("")}  </head>`));
}

/** SHA-256 of every source by its path here. */
function hashes() {
  const found = {};
  for (const path of SOURCES.flatMap((name) => filesOf(join(HERE, name)))) {
    const name = relative(HERE, path).split(sep).join("/");
    found[name] = createHash("sha256").update(readFileSync(path)).digest("hex");
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filesOf(path) {
  try {
    return readdirSync(path).flatMap((name) => filesOf(join(path, name)));
  } catch (error) {
    if (error.code === "ENOTDIR") return [path];
    throw error;
  }
}
