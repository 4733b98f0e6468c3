// What the tests of the Node clients share.
const assert = require('node:assert');
const {readFileSync} = require('node:fs');

const port = Number(process.env.SLUICE_PORT);

// For a socket that speaks TLS: trusting the server's authority, or another one.
const secure = {
  port: Number(process.env.SLUICE_TLS_PORT),
  trusting: () => ({host: '127.0.0.1', ca: readFileSync(process.env.SLUICE_CA)}),
  mistrusting: () => ({host: '127.0.0.1', ca: readFileSync(process.env.SLUICE_OTHER_CA)}),
};

// Replies come as objects without prototypes, maps and buffers: compared is what they hold.
function plain(value) {
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [plain(k), plain(v)]));
  if (Buffer.isBuffer(value)) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Error) return value;
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  }
  return value;
}

function check(got, wanted) {
  assert.deepStrictEqual(plain(got), wanted);
}

async function refuses(part, promise) {
  let got;
  try {
    got = await promise;
  } catch (error) {
    if (part instanceof RegExp ? part.test(error.message) : error.message.includes(part)) return;
    throw new Error(`"${error.message}" instead of "${part}"`);
  }
  throw new Error(`answered ${JSON.stringify(got)} instead of "${part}"`);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function eventually(what, test) {
  const deadline = Date.now() + 10_000;
  while (!(await test())) {
    if (Date.now() > deadline) throw new Error(what);
    await pause(5);
  }
}

// Runs the named parts one behind the other, each followed by `after`; the first that fails ends the program with status 1.
async function run(parts, after) {
  for (const part of parts) {
    try {
      await part();
      await after();
    } catch (error) {
      console.error(`FAILED ${part.name}:`, error);
      process.exit(1);
    }
    console.log(`ok ${part.name}`);
  }
  process.exit(0);
}

module.exports = {assert, port, secure, plain, check, refuses, pause, eventually, run};
