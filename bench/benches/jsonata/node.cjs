// Answers one request per line, for the bench of JSONata; see node.rs.
const jsonata = require('jsonata');
const { createInterface } = require('node:readline');
const { performance } = require('node:perf_hooks');

const BATCH_MS = 0.2;
let variables = {};

async function nanoseconds(budget, work) {
  let batch = 1, best = Infinity;
  const started = performance.now();
  while (performance.now() - started < budget) {
    const before = performance.now();
    for (let i = 0; i < batch; i += 1) await work();
    const spent = performance.now() - before;
    best = Math.min(best, spent * 1e6 / batch);
    if (spent < BATCH_MS) batch *= 2;
  }
  return best;
}

// Without an await: parsing is synchronous.
function parsing(budget, expr) {
  let batch = 1, best = Infinity;
  const started = performance.now();
  while (performance.now() - started < budget) {
    const before = performance.now();
    for (let i = 0; i < batch; i += 1) jsonata(expr);
    const spent = performance.now() - before;
    best = Math.min(best, spent * 1e6 / batch);
    if (spent < BATCH_MS) batch *= 2;
  }
  return best;
}

async function answer({ verb, expr, ms, variables: bound }) {
  if (verb === 'bind') { variables = bound; return true; }
  if (verb === 'compile') return parsing(ms, expr);
  const program = jsonata(expr);
  if (verb === 'answer') return program.evaluate(undefined, variables);
  return nanoseconds(ms, () => program.evaluate(undefined, variables));
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    let said;
    try { said = { value: await answer(JSON.parse(line)) }; }
    catch (error) { said = { error: String(error.message ?? error) }; }
    console.log(JSON.stringify(said));
  }
}
main();
