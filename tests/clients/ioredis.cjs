// ioredis against the built server. Every stream method exists twice, for strings and for buffers: the same calls run
// with both.
const Redis = require('ioredis');
const {assert, port, secure, plain, check, refuses, eventually, run} = require('./check.cjs');

const called = new Set();
const open = [];

function connect(options = {}) {
  const r = new Redis({port, ...options});
  r.on('error', () => {});  // the end of a connection is what some parts are about; replies tell the rest
  open.push(r);
  return r;
}

// Calls `method` + `suffix`, and gives strings for buffers.
function caller(r, suffix) {
  return async (method, ...args) => {
    called.add(method + suffix);
    return plain(await r[method + suffix](...args));
  };
}

async function streams(suffix) {
  const r = connect();
  await r.flushall();
  const x = caller(r, suffix);
  check(await x('xadd', 's', '1-1', 'f', 'one'), '1-1');
  check(await x('xadd', 's', 'MAXLEN', '=', 10, '2-*', 'f', 'two', 'g', '2'), '2-0');
  check(await x('xadd', 'nobody', 'NOMKSTREAM', '*', 'f', 'v'), null);
  check(await x('xadd', 's', 'IDMP', 'p', 'i', '*', 'f', 'v') === await x('xadd', 's', 'IDMP', 'p', 'i', '*', 'f', 'v'), true);
  check(await x('xlen', 's'), 3);
  check(await x('xtrim', 's', 'MINID', '2'), 1);
  const [last] = await x('xrevrange', 's', '+', '-', 'COUNT', 1);
  check(await x('xdel', 's', last[0]), 1);
  check(await x('xrange', 's', '-', '+'), [['2-0', ['f', 'two', 'g', '2']]]);
  check(await x('xread', 'COUNT', 10, 'STREAMS', 's', '0'), [['s', [['2-0', ['f', 'two', 'g', '2']]]]]);
  check(await x('xread', 'STREAMS', 's', '$'), null);
  check(await x('xdelex', 's', 'KEEPREF', 'IDS', 2, '2-0', '9-9'), [1, -1]);
  check(await x('xsetid', 's', '99999999999999-5', 'ENTRIESADDED', 7), 'OK');
  const info = await x('xinfo', 'STREAM', 's');
  check(info.slice(0, 2), ['length', 0]);
  check(info[info.indexOf('last-generated-id') + 1], '99999999999999-5');
  check(info[info.indexOf('entries-added') + 1], 7);
  await refuses('equal or smaller', x('xadd', 's', '1-1', 'f', 'v'));
  await refuses('wrong number of arguments for \'xlen\' command', r.call('xlen'));
}

async function groups(suffix) {
  const r = connect();
  await r.flushall();
  const x = caller(r, suffix);
  for (let i = 1; i <= 5; ++i) await x('xadd', 'jobs', `${i}-0`, 'n', i);
  check(await x('xgroup', 'CREATE', 'jobs', 'g', '0'), 'OK');
  await refuses('BUSYGROUP', x('xgroup', 'CREATE', 'jobs', 'g', '$'));
  check(await x('xgroup', 'CREATECONSUMER', 'jobs', 'g', 'idler'), 1);
  check(await x('xreadgroup', 'GROUP', 'g', 'ann', 'COUNT', 3, 'STREAMS', 'jobs', '>'),
        [['jobs', [['1-0', ['n', '1']], ['2-0', ['n', '2']], ['3-0', ['n', '3']]]]]);
  check(await x('xpending', 'jobs', 'g'), [3, '1-0', '3-0', [['ann', '3']]]);
  check((await x('xpending', 'jobs', 'g', 'IDLE', 0, '-', '+', 10, 'ann')).map((p) => [p[0], p[1], p[3]]),
        [['1-0', 'ann', 1], ['2-0', 'ann', 1], ['3-0', 'ann', 1]]);
  check(await x('xclaim', 'jobs', 'g', 'bob', 0, '1-0', 'JUSTID'), ['1-0']);
  check(await x('xautoclaim', 'jobs', 'g', 'cid', 0, '2-0', 'COUNT', 1), ['3-0', [['2-0', ['n', '2']]], []]);
  check(await x('xnack', 'jobs', 'g', 'FAIL', 'IDS', 1, '3-0'), 1);
  check(await x('xreadgroup', 'GROUP', 'g', 'dan', 'COUNT', 1, 'CLAIM', 100000, 'STREAMS', 'jobs', '>')
            .then((reply) => reply[0][1][0].slice(0, 2)), ['3-0', ['n', '3']]);
  check(await x('xack', 'jobs', 'g', '1-0', '2-0', '3-0', '4-0'), 3);
  const [group] = await x('xinfo', 'GROUPS', 'jobs');
  check(group, ['name', 'g', 'consumers', 5, 'pending', 0, 'last-delivered-id', '3-0', 'entries-read', 3, 'lag', 2]);
  check((await x('xinfo', 'CONSUMERS', 'jobs', 'g')).map((c) => c[1]).sort(), ['ann', 'bob', 'cid', 'dan', 'idler']);
  check(await x('xgroup', 'SETID', 'jobs', 'g', '$'), 'OK');
  check(await x('xgroup', 'DELCONSUMER', 'jobs', 'g', 'ann'), 0);
  check(await x('xgroup', 'DESTROY', 'jobs', 'g'), 1);
  check((await x('xinfo', 'HELP'))[0], 'XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
}

async function streamsAsStrings() { await streams(''); }
async function streamsAsBuffers() { await streams('Buffer'); }
async function groupsAsStrings() { await groups(''); }
async function groupsAsBuffers() { await groups('Buffer'); }

async function everyStreamMethod() {
  const all = new Set();
  for (let o = Redis.prototype; o; o = Object.getPrototypeOf(o)) {
    for (const name of Object.getOwnPropertyNames(o)) if (/^x[a-z]/.test(name)) all.add(name);
  }
  assert(all.size >= 34, `only ${all.size} methods found`);
  check([...all].filter((name) => !called.has(name)), []);
}

async function blocking() {
  const r = connect();
  await r.flushall();
  const began = Date.now();
  check(await r.xread('BLOCK', 60, 'STREAMS', 'empty', '$'), null);
  assert(Date.now() - began >= 55);
  await r.xgroup('CREATE', 'work', 'g', '$', 'MKSTREAM');
  const done = [];
  const workers = [1, 2, 3].map(async (i) => {
    const own = connect();
    for (;;) {
      const reply = await own.xreadgroup('GROUP', 'g', `w${i}`, 'COUNT', 1, 'BLOCK', 10000, 'STREAMS', 'work', '>');
      const job = reply[0][1][0][1][1];
      if (job === 'stop') return;
      done.push(Number(job));
    }
  });
  await eventually('nobody waits', async () => /blocked_clients:3\r\n/.test(await r.info('clients')));
  for (let i = 0; i < 50; ++i) await r.xadd('work', '*', 'job', i);
  await eventually('not all is done', () => done.length === 50);
  for (let i = 0; i < 3; ++i) await r.xadd('work', '*', 'job', 'stop');
  await Promise.all(workers);
  check(done.sort((a, b) => a - b), [...Array(50).keys()]);
}

async function pipelinesAndTransactions() {
  const r = connect();
  await r.flushall();
  const pipeline = r.pipeline();
  for (let i = 1; i <= 500; ++i) pipeline.xadd('s', `${i}-0`, 'i', i);
  check(await pipeline.exec(), Array.from({length: 500}, (_, i) => [null, `${i + 1}-0`]));
  check(await r.multi().set('k', 'v').xadd('t', '1-1', 'f', 'v').get('k').exec(), [[null, 'OK'], [null, '1-1'], [null, 'v']]);
  await r.watch('k');
  await connect().set('k', 'changed');
  check(await r.multi().set('k', 'lost').exec(), null);
  check(await r.get('k'), 'changed');
  await refuses('EXECABORT', r.multi().call('nosuch').exec());
  const auto = connect({enableAutoPipelining: true});
  check(await Promise.all(Array.from({length: 100}, () => auto.incr('n'))), Array.from({length: 100}, (_, i) => i + 1));
}

async function scriptsAreRefused() {
  const r = connect();
  r.defineCommand('double', {numberOfKeys: 1, lua: 'return 2'});
  for (const refused of [() => r.eval('return 1', 0), () => r.evalsha('0'.repeat(40), 0), () => r.double('k'),
                         () => r.script('LOAD', 'return 1')]) {
    await refuses('SECKILL.BUY', refused());
    await refuses('INCREX', refused());
  }
}

async function sales() {
  const r = connect();
  await r.flushall();
  check(await r.call('SECKILL.CREATE', 'phone', 'STOCK', 1, 'STREAM', 'orders'), 'OK');
  const [code, order, available, count, replayed] = await r.call('SECKILL.BUY', 'phone', 'ann');
  check([code, available, count, replayed], [0, 0, 1, 0]);
  check(await r.call('SECKILL.BUY', 'phone', 'ann'), [2, null, 0, 1, 0]);
  check(await r.call('SECKILL.TRY', 'phone', 'bob'), 1);
  check((await r.xrange('orders', '-', '+')).map((entry) => entry[0]), [order]);
  check(await r.pipeline([['call', 'SECKILL.TRY', 'phone', 'cid']]).exec(), [[null, 1]]);
}

async function passwordsAndNames() {
  const admin = connect();
  const named = connect({connectionName: 'tester', db: 5});
  check(await named.client('GETNAME'), 'tester');
  assert.match(await named.client('LIST'), /name=tester .* db=5 .*lib-name=ioredis/);
  await admin.config('SET', 'requirepass', 'secret');
  try {
    await refuses('NOAUTH', connect().get('k'));
    check(await connect({password: 'secret'}).ping(), 'PONG');
    check(await connect({username: 'default', password: 'secret'}).ping(), 'PONG');
  } finally {
    await admin.config('SET', 'requirepass', '');
  }
}

async function reconnects() {
  const r = connect();
  await r.flushall();
  await r.set('k', 'v');
  const admin = connect();
  check(await admin.client('KILL', 'ID', await r.client('ID')), 1);
  check(await r.get('k'), 'v');
  // A reader that waits is connected anew, and waits again.
  const waiting = r.xread('BLOCK', 0, 'STREAMS', 'news', '$');
  await eventually('it does not wait', async () => /blocked_clients:1\r\n/.test(await admin.info('clients')));
  const readers = (await admin.client('LIST')).split('\n').filter((line) => line.includes(' cmd=xread '));
  check(await admin.client('KILL', 'ID', /id=(\d+)/.exec(readers[0])[1]), 1);
  await eventually('it does not wait again', async () =>
    /blocked_clients:1\r\n/.test(await admin.info('clients')) && !(await admin.client('LIST')).includes(readers[0].split(' ')[0] + ' '));
  await admin.xadd('news', '1-1', 'f', 'v');
  check(await waiting, [['news', [['1-1', ['f', 'v']]]]]);
  // The server ends, and is started again by its supervisor.
  for (const end of [(c) => c.shutdown('NOSAVE'),
                     async (c) => process.kill(Number(/process_id:(\d+)/.exec(await c.info('server'))[1]), 'SIGKILL')]) {
    const life = /run_id:(\w+)/.exec(await r.info('server'))[1];
    await Promise.resolve(end(connect({retryStrategy: null}))).catch(() => {});
    await eventually('it does not come back', async () => /run_id:(\w+)/.exec(await r.info('server'))[1] !== life);
    check(await r.get('k'), 'v');
    check(await r.xlen('news'), 1);
  }
}

async function users() {
  const admin = connect();
  await admin.flushall();
  check(await admin.acl('SETUSER', 'app', 'reset', 'on', '>secret', '~app:*', '&app.*', '+@stream', '+@connection', '+get', '+info',
                        '+subscribe'), 'OK');
  const app = connect({username: 'app', password: 'secret'});
  check(await app.xadd('app:s', '1-1', 'f', 'v'), '1-1');
  for (const forbidden of [() => app.xadd('other', '*', 'f', 'v'), () => app.flushall(), () => app.subscribe('news')]) {
    await refuses('NOPERM', forbidden());
  }
  await refuses('WRONGPASS', new Promise((_, reject) => connect({username: 'app', password: 'wrong'}).on('error', reject)));
  check(await admin.acl('DRYRUN', 'app', 'XLEN', 'other'), 'This user has no permissions to access the \'other\' key');
  check(await admin.acl('DELUSER', 'app'), 1);
}

async function pubsub() {
  const r = connect();
  await r.flushall();
  const listener = connect();
  const heard = [];
  listener.on('message', (channel, message) => heard.push([channel, message]));
  listener.on('pmessage', (pattern, channel, message) => heard.push([pattern, channel, message]));
  check(await listener.subscribe('news', '__seckill__:phone'), 2);
  check(await listener.psubscribe('n*'), 3);
  check(await r.publish('news', 'one'), 2);
  await eventually('not all is heard', () => heard.length === 2);
  check(heard.splice(0).sort(), [['n*', 'news', 'one'], ['news', 'one']]);
  // Its connection is closed: it subscribes again by itself.
  check(await r.client('KILL', 'TYPE', 'pubsub'), 1);
  await eventually('it does not come back', async () => await r.publish('news', 'two') === 2);
  await eventually('it hears nothing', () => heard.some((message) => message[1] === 'two'));
  await r.call('SECKILL.CREATE', 'phone', 'STOCK', 1);
  await r.call('SECKILL.TRY', 'phone', 'ann');
  await eventually('the end is not heard', () => heard.some((m) => m[0] === '__seckill__:phone' && m[1] === 'soldout'));
  check(await listener.unsubscribe('news', '__seckill__:phone'), 1);
  check(await listener.punsubscribe('n*'), 0);
  check(await listener.get('nobody'), null);  // it is an ordinary client again
}

async function tls() {
  const r = connect({port: secure.port, tls: secure.trusting()});
  await r.flushall();
  check(await r.xadd('s', '1-1', 'f', 'v'.repeat(100000)), '1-1');
  check(await connect().xlen('s'), 1);
  check(await r.xrange('s', '-', '+'), [['1-1', ['f', 'v'.repeat(100000)]]]);
  check(await Promise.all(Array.from({length: 300}, () => r.incr('n'))), Array.from({length: 300}, (_, i) => i + 1));
  const waiting = r.xread('BLOCK', 0, 'STREAMS', 's', '$');
  const writer = connect();
  await eventually('nobody waits', async () => /blocked_clients:1\r\n/.test(await writer.info('clients')));
  await writer.xadd('s', '2-0', 'f', 'w');
  check(await waiting, [['s', [['2-0', ['f', 'w']]]]]);
  await refuses('certificate', new Promise((_, reject) =>
    connect({port: secure.port, tls: secure.mistrusting()}).on('error', reject)));
}

async function keys() {
  const r = connect({keyPrefix: 'app:'});
  await connect().flushall();
  await r.mset(Object.fromEntries(Array.from({length: 100}, (_, i) => [`key${i}`, i])));
  const found = [];
  for await (const page of connect().scanStream({match: 'app:*', count: 10})) found.push(...page);
  check(new Set(found).size, 100);
  check(await r.set('lock', 'me', 'PX', 60000, 'NX'), 'OK');
  check(await r.set('lock', 'you', 'PX', 60000, 'NX'), null);
  check(await r.getBuffer('lock'), 'me');
  check(await connect().quit(), 'OK');
}

run([streamsAsStrings, streamsAsBuffers, groupsAsStrings, groupsAsBuffers, everyStreamMethod, blocking,
     pipelinesAndTransactions, scriptsAreRefused, sales, passwordsAndNames, reconnects, users, pubsub, tls, keys],
    () => open.splice(0).forEach((r) => r.disconnect()));
