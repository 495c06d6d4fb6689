// The built client that STANDINGS_CLIENT names, or that of this package, and the cases for clients in any language.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const built = process.env.STANDINGS_CLIENT ? pathToFileURL(process.env.STANDINGS_CLIENT).href : "../../dist/index.js";

export const { Client, Problem, merge } = await import(built);
export const conformance = JSON.parse(readFileSync(new URL("../../../conformance.json", import.meta.url), "utf8"));
