// What the pages' text.js makes of the texts in a file, as JSON; for tests that hold it against the desktop's.
import { readFileSync, writeFileSync } from "node:fs";

const [, , module, asked, answers] = process.argv;
const { canBeSeen, clean, nameKey, linksIn } = await import(module);
const characters = (text, units) => [...text.slice(0, units)].length;
const linksOf = (text) =>
  linksIn(text).map(({ start, end, url, host }) => [characters(text, start), characters(text, end), url, host]);
const answer = (text) => [text.split("\n").map(canBeSeen), clean(text), linksOf(text), nameKey(text.slice(0, 64))];
writeFileSync(answers, JSON.stringify(JSON.parse(readFileSync(asked, "utf8")).map(answer)));
