// redis-commander, a web interface that browses a Redis, beside the built server: through its HTTP API, as its pages do.
const {spawn} = require('node:child_process');
const {mkdtempSync, rmSync} = require('node:fs');
const {createServer} = require('node:net');
const {tmpdir} = require('node:os');
const {join} = require('node:path');
const Redis = require('ioredis');
const {assert, port, secure, check, eventually, run} = require('./check.cjs');

const direct = new Redis({port});

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const {port: free} = server.address();
      server.close(() => done(free));
    });
  });
}

// A redis-commander that is connected in the way that `options` say.
class Commander {
  static async start(...options) {
    const commander = new Commander();
    commander.home = mkdtempSync(join(tmpdir(), 'sluice-commander-'));
    const webPort = await freePort();
    commander.url = `http://127.0.0.1:${webPort}`;
    commander.process = spawn(process.execPath, [
      require.resolve('redis-commander/bin/redis-commander.js'), '--noload', '--nosave', '--redis-host', '127.0.0.1',
      '--address', '127.0.0.1', '--port', webPort, ...options,
    ], {cwd: commander.home, env: {...process.env, HOME: commander.home}});
    commander.log = '';
    for (const stream of [commander.process.stdout, commander.process.stderr]) {
      stream.on('data', (text) => { commander.log += text; });
    }
    await eventually('redis-commander does not connect', async () => {
      assert(commander.process.exitCode === null, commander.log);
      const [server] = (await commander.get('/apiv2/server/info').catch(() => ({data: []}))).data;
      if (server === undefined || server.disabled) return false;
      commander.connection = server.connectionId;
      return true;
    });
    return commander;
  }

  stop() {
    this.process.kill('SIGKILL');
    rmSync(this.home, {recursive: true, force: true});
  }

  // A page of the interface carries the token that its requests show.
  async token() {
    this.bearer ??= (await (await fetch(`${this.url}/signin`, {method: 'POST'})).json()).bearerToken;
    return this.bearer;
  }
  async ask(method, path, fields) {
    const headers = {Authorization: `Bearer ${await this.token()}`};
    const reply = await fetch(this.url + path, {
      method, headers, body: fields && new URLSearchParams({connectionId: this.connection, ...fields}),
    });
    const text = await reply.text();
    assert(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
    return text;
  }
  async get(path) { return JSON.parse(await this.ask('GET', path)); }
  key(key) { return this.get(`/apiv2/key/${this.connection}/${encodeURIComponent(key)}`); }
  async command(cmd) { return JSON.parse(await this.ask('POST', `/apiv2/exec/${this.connection}`, {cmd})).data; }
}

let commander;

async function connects() {
  commander = await Commander.start('--redis-port', port);
  const [server] = (await commander.get('/apiv2/server/info')).data;
  const said = Object.fromEntries(server.info.map(({key, value}) => [key, value]));
  check([said['Redis version'], said.Role, said['Tcp port']], ['7.4.0', 'master', String(port)]);
}

async function browsesKeys() {
  for (let i = 0; i < 250; ++i) await direct.set(`many:${i}`, i);
  await direct.xadd('orders', '1-1', 'user', 'ann', 'price', '42');
  await direct.call('SECKILL.CREATE', 'phone', 'STOCK', 1);
  const tree = await commander.get(`/apiv2/keystree/${commander.connection}/?absolute=false`);
  const names = JSON.stringify(tree);
  for (const name of ['many:', 'orders', 'phone']) assert(names.includes(name), names);
  check((await commander.get(`/apiv2/keys/${commander.connection}/many:2%3F`)).data,
        Array.from({length: 10}, (_, i) => `many:2${i}`));
  const text = await commander.key('many:7');
  check([text.type, text.value, text.ttl], ['string', '7', -1]);
}

async function browsesStreams() {
  for (let i = 1; i <= 120; ++i) await direct.xadd('log', `${i}-0`, 'n', i, 'even', i % 2 === 0);
  const log = await commander.key('log');
  check([log.type, log.length], ['stream', 120]);
  // It shows twenty messages a page, and of each its first field.
  check(log.items, Array.from({length: 20}, (_, i) => (
    {number: i + 1, timestamp: `${i + 1}-0`, field: 'n', value: String(i + 1)})));
  check((await commander.get(`/apiv2/key/${commander.connection}/log?index=100-0`)).items[0].timestamp, '100-0');
  await commander.ask('POST', '/apiv2/xset/member', {key: 'log', timestamp: '200-0', field: 'by', value: 'hand'});
  check(await direct.xrevrange('log', '+', '-', 'COUNT', 1), [['200-0', ['by', 'hand']]]);
  await commander.ask('DELETE', '/apiv2/xset/member', {key: 'log', timestamp: '200-0'});
  check(await direct.xlen('log'), 120);
}

async function runsCommands() {
  check(await commander.command('XADD s 1-1 f v'), '1-1');
  check(await commander.command('XRANGE s - +'), [{id: '1-1', data: {f: 'v'}}]);
  assert.match(await commander.command('EVAL "return 1" 0'), /SECKILL\.BUY/);
  assert.match(await commander.command('XADD s 1-1 f v'), /equal or smaller/);
  check(await commander.command('DEL s'), 1);
}

async function asAUserAndOverTls() {
  await direct.acl('SETUSER', 'viewer', 'reset', 'on', '>secret', '%R~*', '+@read', '+@connection', '+info', '+command');
  await direct.xadd('orders', '*', 'f', 'v');
  const viewer = await Commander.start('--redis-port', secure.port, '--redis-tls', '--redis-tls-ca-cert-file', process.env.SLUICE_CA,
                                       '--redis-username', 'viewer', '--redis-password', 'secret');
  try {
    check((await viewer.key('orders')).type, 'stream');
    assert.match(await viewer.command('XADD orders * f v'), /NOPERM/);
  } finally {
    viewer.stop();
  }
}

process.on('exit', () => commander?.stop());
run([connects, browsesKeys, browsesStreams, runsCommands, asAUserAndOverTls], () => direct.flushall());
