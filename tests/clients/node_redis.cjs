// node-redis against the built server, in RESP2 and in RESP3.
const {createClient, createClientPool, WatchError} = require('redis');
const {assert, port, secure, plain, check, refuses, eventually, run} = require('./check.cjs');

const called = new Set();
const open = [];
let resp = 2;

// A client that remembers which stream methods were called.
function watched(client) {
  return new Proxy(client, {
    get(target, name) {
      if (typeof name === 'string' && /^x[A-Z]/.test(name)) called.add(name);
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function connect(options = {}) {
  const client = createClient({socket: {port, reconnectStrategy: 10}, RESP: resp, unstableResp3: true, ...options});
  client.on('error', () => {});  // the end of a connection is what some parts are about; replies tell the rest
  open.push(client);
  await client.connect();
  return watched(client);
}

// What a reading gave, [[key, [id, ...]], ...], from the shapes of both protocols.
function read(reply) {
  if (reply === null) return null;
  if (Array.isArray(reply)) return reply.map((s) => [s.name, s.messages.map((m) => [m.id, plain(m.message)])]);
  return Object.entries(plain(reply)).map(([key, entries]) => [key, entries.map(([id, fields]) => [id, paired(fields)])]);
}
function paired(list) {
  const object = {};
  for (let i = 0; i < list.length; i += 2) object[list[i]] = list[i + 1];
  return object;
}
const messages = (list) => list.map((m) => [m.id, plain(m.message)]);

async function streams() {
  const r = await connect();
  check(await r.xAdd('s', '1-1', {f: 'one'}), '1-1');
  check(await r.xAdd('s', '2-*', {f: 'two', g: '2'}, {TRIM: {strategy: 'MAXLEN', strategyModifier: '=', threshold: 9}}), '2-0');
  check(await r.xAddNoMkStream('nobody', '*', {f: 'v'}), null);
  const once = {IDMP: {pid: 'p', iid: 'i'}};
  check(await r.xAdd('s', '*', {f: 'v'}, once) === await r.xAdd('s', '*', {f: 'v'}, once), true);
  const auto = {IDMPAUTO: {pid: 'q'}, policy: 'KEEPREF'};
  check(await r.xAdd('s', '*', {f: 'w'}, auto) === await r.xAdd('s', '*', {f: 'w'}, auto), true);
  check(await r.xLen('s'), 4);
  check(await r.xCfgSet('s', {IDMP_DURATION: 60, IDMP_MAXSIZE: 10}), 'OK');
  const newest = await r.xRevRange('s', '+', '-', {COUNT: 2});
  check(await r.xDel('s', newest.map((m) => m.id)), 2);
  check(messages(await r.xRange('s', '-', '+')), [['1-1', {f: 'one'}], ['2-0', {f: 'two', g: '2'}]]);
  check(await r.xTrim('s', 'MINID', 2), 1);
  check(read(await r.xRead({key: 's', id: '0'}, {COUNT: 5})), [['s', [['2-0', {f: 'two', g: '2'}]]]]);
  check(read(await r.xRead([{key: 's', id: '$'}, {key: 'other', id: '0'}])), null);
  check(await r.xDelEx('s', ['2-0', '9-9'], 'DELREF'), [1, -1]);
  check(await r.xSetId('s', '99999999999999-5', {ENTRIESADDED: 7, MAXDELETEDID: '99999999999999-1'}), 'OK');
  const info = plain(await r.xInfoStream('s'));
  check([info.length, info['last-generated-id'], info['entries-added'], info['max-deleted-entry-id'], info['first-entry']],
        [0, '99999999999999-5', 7, '99999999999999-1', null]);
  await refuses('equal or smaller', r.xAdd('s', '1-1', {f: 'v'}));
}

async function groups() {
  const r = await connect();
  for (let i = 1; i <= 6; ++i) await r.xAdd('jobs', `${i}-0`, {n: String(i)});
  check(await r.xGroupCreate('jobs', 'g', '0'), 'OK');
  check(await r.xGroupCreate('new', 'g', '$', {MKSTREAM: true, ENTRIESREAD: 1}), 'OK');
  await refuses('BUSYGROUP', r.xGroupCreate('jobs', 'g', '0'));
  await refuses('NOGROUP', r.xReadGroup('nogroup', 'c', {key: 'jobs', id: '>'}));
  check(await r.xGroupCreateConsumer('jobs', 'g', 'idler'), 1);
  check(read(await r.xReadGroup('g', 'ann', {key: 'jobs', id: '>'}, {COUNT: 4})),
        [['jobs', [1, 2, 3, 4].map((n) => [`${n}-0`, {n: String(n)}])]]);
  check(await r.xPending('jobs', 'g'), {pending: 4, firstId: '1-0', lastId: '4-0', consumers: [{name: 'ann', deliveriesCounter: 4}]});
  check((await r.xPendingRange('jobs', 'g', '-', '+', 2, {IDLE: 0, consumer: 'ann'})).map((p) => [p.id, p.consumer, p.deliveriesCounter]),
        [['1-0', 'ann', 1], ['2-0', 'ann', 1]]);
  check(messages(await r.xClaim('jobs', 'g', 'bob', 0, '1-0', {RETRYCOUNT: 3})), [['1-0', {n: '1'}]]);
  check(await r.xClaimJustId('jobs', 'g', 'bob', 0, ['2-0'], {IDLE: 5}), ['2-0']);
  const claimed = await r.xAutoClaim('jobs', 'g', 'cid', 0, '1', {COUNT: 2});
  check([claimed.nextId, messages(claimed.messages), claimed.deletedMessages], ['3-0', [['1-0', {n: '1'}], ['2-0', {n: '2'}]], []]);
  check(await r.xAutoClaimJustId('jobs', 'g', 'dan', 0, '3'), {nextId: '0-0', messages: ['3-0', '4-0'], deletedMessages: []});
  check(await r.xAckDel('jobs', 'g', ['1-0', '9-9'], 'DELREF'), [1, -1]);
  check(await r.xAck('jobs', 'g', ['2-0', '3-0', '4-0', '5-0']), 3);
  const [group] = plain(await r.xInfoGroups('jobs'));
  check(group, {name: 'g', consumers: 5, pending: 0, 'last-delivered-id': '4-0', 'entries-read': 4, lag: 2});
  check(plain(await r.xInfoConsumers('jobs', 'g')).map((c) => [c.name, c.pending]),
        [['ann', 0], ['bob', 0], ['cid', 0], ['dan', 0], ['idler', 0]]);
  check(await r.xGroupSetId('jobs', 'g', '$', {ENTRIESREAD: 6}), 'OK');
  check(await r.xGroupDelConsumer('jobs', 'g', 'ann'), 0);
  check(await r.xGroupDestroy('jobs', 'g'), 1);
}

async function everyStreamMethod() {
  const all = new Set();
  for (let o = createClient(); o; o = Object.getPrototypeOf(o)) {
    for (const name of Object.getOwnPropertyNames(o)) if (/^x[A-Z]/.test(name)) all.add(name);
  }
  assert(all.size >= 28, `only ${all.size} methods found`);
  check([...all].filter((name) => !called.has(name)), []);
}

async function blocking() {
  const r = await connect();
  const began = Date.now();
  check(await r.xRead({key: 'empty', id: '$'}, {BLOCK: 60}), null);
  assert(Date.now() - began >= 55);
  await r.xGroupCreate('work', 'g', '$', {MKSTREAM: true});
  const done = [];
  const workers = [1, 2, 3].map(async (i) => {
    const own = await connect();
    for (;;) {
      const [[, [[, {job}]]]] = read(await own.xReadGroup('g', `w${i}`, {key: 'work', id: '>'}, {COUNT: 1, BLOCK: 10000}));
      if (job === 'stop') return;
      done.push(Number(job));
    }
  });
  await eventually('nobody waits', async () => /blocked_clients:3\r\n/.test(await r.info('clients')));
  for (let i = 0; i < 50; ++i) await r.xAdd('work', '*', {job: String(i)});
  await eventually('not all is done', () => done.length === 50);
  for (let i = 0; i < 3; ++i) await r.xAdd('work', '*', {job: 'stop'});
  await Promise.all(workers);
  check(done.sort((a, b) => a - b), [...Array(50).keys()]);
}

async function pipelinesAndTransactions() {
  const r = await connect();
  // What is asked in one go leaves as one pipeline.
  check(await Promise.all(Array.from({length: 500}, (_, i) => r.xAdd('s', `${i + 1}-0`, {i: String(i)}))),
        Array.from({length: 500}, (_, i) => `${i + 1}-0`));
  check(await r.multi().set('k', 'v').xAdd('t', '1-1', {f: 'v'}).get('k').exec(), ['OK', '1-1', 'v']);
  await r.watch('k');
  await (await connect()).set('k', 'changed');
  await assert.rejects(r.multi().set('k', 'lost').exec(), WatchError);
  check(await r.get('k'), 'changed');
  await refuses('unknown command', r.multi().set('k', 'lost').addCommand(['NOSUCH']).exec());
  check(await r.get('k'), 'changed');
}

async function scriptsAreRefused() {
  const r = await connect();
  for (const refused of [() => r.eval('return 1'), () => r.evalSha('0'.repeat(40)), () => r.scriptLoad('return 1'),
                         () => r.fCall('f', {keys: [], arguments: []})]) {
    await refuses('SECKILL.BUY', refused());
    await refuses('INCREX', refused());
  }
}

async function sales() {
  const r = await connect();
  check(await r.sendCommand(['SECKILL.CREATE', 'phone', 'STOCK', '1', 'STREAM', 'orders']), 'OK');
  const [code, order, available, count, replayed] = await r.sendCommand(['SECKILL.BUY', 'phone', 'ann']);
  check([code, available, count, replayed], [0, 0, 1, 0]);
  check((await r.xRange('orders', '-', '+')).map((m) => m.id), [order]);
  check(await r.sendCommand(['SECKILL.TRY', 'phone', 'bob']), 1);
  const item = await r.sendCommand(['SECKILL.GET', 'phone']);
  check(resp === 3 ? plain(item).sold : paired(item).sold, 1);
}

async function passwordsAndNames() {
  const admin = await connect();
  const named = await connect({name: 'tester', database: 5});
  check(await named.clientGetName(), 'tester');
  assert.match(await named.sendCommand(['CLIENT', 'INFO']), new RegExp(`name=tester .*db=5 .*resp=${resp}.*lib-name=node-redis`));
  await admin.configSet('requirepass', 'secret');
  try {
    await refuses(/NOAUTH/, connect({socket: {port, reconnectStrategy: false}}).then((c) => c.get('k')));
    check(await (await connect({password: 'secret'})).ping(), 'PONG');
    check(await (await connect({username: 'default', password: 'secret'})).ping(), 'PONG');
  } finally {
    await admin.configSet('requirepass', '');
  }
}

async function poolsAndReconnects() {
  const pool = createClientPool({socket: {port, reconnectStrategy: 10}, RESP: resp}, {minimum: 1, maximum: 4});
  pool.on('error', () => {});
  await pool.connect();
  check((await Promise.all(Array.from({length: 100}, () => pool.incr('n')))).sort((a, b) => a - b),
        Array.from({length: 100}, (_, i) => i + 1));
  const admin = await connect();
  const r = await connect();
  await r.xAdd('news', '1-1', {f: 'v'});
  check(await admin.sendCommand(['CLIENT', 'KILL', 'ID', String(await r.clientId())]), 1);
  await eventually('it does not come back', () => r.get('n').then((n) => n === '100', () => false));
  for (const end of [(c) => c.sendCommand(['SHUTDOWN', 'NOSAVE']),
                     async (c) => process.kill(Number(/process_id:(\d+)/.exec(await c.info('server'))[1]), 'SIGKILL')]) {
    const life = /run_id:(\w+)/.exec(await r.info('server'))[1];
    await Promise.resolve(end(await connect({socket: {port, reconnectStrategy: false}}))).catch(() => {});
    await eventually('it does not come back', () =>
      r.info('server').then((info) => /run_id:(\w+)/.exec(info)[1] !== life, () => false));
    check(await r.get('n'), '100');
    check(await r.xLen('news'), 1);
    await eventually('the pool does not come back', () => pool.get('n').then((n) => n === '100', () => false));
  }
  pool.destroy();
}

async function users() {
  const admin = await connect();
  check(await admin.aclSetUser('app', ['reset', 'on', '>secret', '~app:*', '&app.*', '+@stream', '+@connection', '+@pubsub', '+acl|whoami']),
        'OK');
  const app = await connect({username: 'app', password: 'secret'});
  check(await app.aclWhoAmI(), 'app');
  check(await app.xAdd('app:s', '1-1', {f: 'v'}), '1-1');
  for (const forbidden of [() => app.xAdd('other', '*', {f: 'v'}), () => app.flushAll(), () => app.subscribe('news', () => {})]) {
    await refuses('NOPERM', forbidden());
  }
  await refuses('WRONGPASS', connect({username: 'app', password: 'wrong', socket: {port, reconnectStrategy: false}}));
  const user = plain(await admin.aclGetUser('app'));
  check([user.keys, user.channels, user.flags], ['~app:*', '&app.*', ['on', 'sanitize-payload']]);
  assert((await admin.aclLog()).length >= 3);
  check(await admin.aclDelUser('app'), 1);
}

async function pubsub() {
  const r = await connect();
  const listener = await connect();
  const heard = [];
  await listener.subscribe(['news', '__seckill__:phone'], (message, channel) => heard.push([channel, message]));
  await listener.pSubscribe('n*', (message, channel) => heard.push(['n*', channel, message]));
  await listener.sSubscribe('shard', (message, channel) => heard.push([channel, message]));
  check(await r.publish('news', 'one'), 2);
  check(await r.sPublish('shard', 'two'), 1);
  await eventually('not all is heard', () => heard.length === 3);
  check(heard.splice(0).sort(), [['n*', 'news', 'one'], ['news', 'one'], ['shard', 'two']]);
  check(await r.pubSubChannels('n*'), ['news']);
  // Its connection is closed: it subscribes again by itself.
  check(await r.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']), 1);
  await eventually('it does not come back', async () => await r.publish('news', 'three') === 2);
  await eventually('it hears nothing', () => heard.some((message) => message[1] === 'three'));
  await r.sendCommand(['SECKILL.CREATE', 'phone', 'STOCK', '1']);
  await r.sendCommand(['SECKILL.TRY', 'phone', 'ann']);
  await eventually('the end is not heard', () => heard.some((m) => m[0] === '__seckill__:phone' && m[1] === 'soldout'));
  if (resp === 3) check(await listener.get('nobody'), null);  // beside its subscriptions
  await listener.unsubscribe(['news', '__seckill__:phone']);
  await listener.pUnsubscribe('n*');
  await listener.sUnsubscribe('shard');
  check(await listener.get('nobody'), null);
}

async function tls() {
  const r = await connect({socket: {port: secure.port, tls: true, ...secure.trusting(), reconnectStrategy: 10}});
  check(await r.xAdd('s', '1-1', {f: 'v'.repeat(100000)}), '1-1');
  check(await (await connect()).xLen('s'), 1);
  check(messages(await r.xRange('s', '-', '+')), [['1-1', {f: 'v'.repeat(100000)}]]);
  check(await Promise.all(Array.from({length: 300}, () => r.incr('n'))), Array.from({length: 300}, (_, i) => i + 1));
  await refuses('certificate', connect({socket: {port: secure.port, tls: true, ...secure.mistrusting(), reconnectStrategy: false}}));
}

async function keys() {
  const r = await connect();
  for (let i = 0; i < 100; ++i) await r.set(`key${i}`, String(i));
  const found = new Set();
  for await (const page of r.scanIterator({MATCH: 'key*', COUNT: 10})) page.forEach((key) => found.add(key));
  check(found.size, 100);
  check(await r.set('lock', 'me', {expiration: {type: 'PX', value: 60000}, condition: 'NX'}), 'OK');
  check(await r.set('lock', 'you', {condition: 'NX'}), null);
  assert(await r.pTTL('lock') > 50000);
}

const parts = [streams, groups, everyStreamMethod, blocking, pipelinesAndTransactions, scriptsAreRefused, sales, passwordsAndNames,
               poolsAndReconnects, users, pubsub, tls, keys];
function inProtocol(version) {
  return parts.map((part) => ({
    [`${part.name} in RESP${version}`]: async () => {
      resp = version;
      if (part === streams) called.clear();
      await (await connect()).flushAll();
      await part();
    },
  })).map((named) => Object.values(named)[0]);
}
run([...inProtocol(2), ...inProtocol(3)], () => open.splice(0).forEach((client) => client.isOpen && client.destroy()));
