<?php
// phpredis against the built server. SLUICE_PORT names the server's port.
declare(strict_types=1);

set_error_handler(function (int $level, string $message, string $file, int $line) {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$port = (int)getenv('SLUICE_PORT');
$called = [];

function connect(): Redis
{
    global $port;
    $redis = new Redis();
    $redis->connect('127.0.0.1', $port, 10);
    $redis->setOption(Redis::OPT_READ_TIMEOUT, 10);
    return $redis;
}

// Calls a stream method, and remembers which.
function x(Redis $redis, string $method, ...$arguments)
{
    global $called;
    $called[strtolower($method)] = true;
    return $redis->$method(...$arguments);
}

function check($got, $wanted): void
{
    if ($got === $wanted) return;
    throw new Exception('got ' . var_export($got, true) . ', wanted ' . var_export($wanted, true));
}

function refuses(string $part, callable $call, Redis $redis): void
{
    $redis->clearLastError();
    try {
        $got = $call();
        $error = $redis->getLastError();
    } catch (RedisException $e) {
        $got = null;
        $error = $e->getMessage();
    }
    if ($error !== null && str_contains($error, $part)) return;
    throw new Exception(var_export($got, true) . " with error '$error' instead of '$part'");
}

function eventually(string $what, callable $test): void
{
    $deadline = microtime(true) + 10;
    while (!$test()) {
        if (microtime(true) > $deadline) throw new Exception($what);
        usleep(5000);
    }
}

function streams(): void
{
    $r = connect();
    check(x($r, 'xAdd', 's', '1-1', ['f' => 'one']), '1-1');
    check(x($r, 'xAdd', 's', '2-0', ['f' => 'two', 'g' => '2'], 10, true), '2-0');
    check(x($r, 'xAdd', 's', '3-0', ['f' => "\0\r\n"], 2), '3-0');
    check(x($r, 'xLen', 's'), 2);
    check(x($r, 'xRange', 's', '-', '+'), ['2-0' => ['f' => 'two', 'g' => '2'], '3-0' => ['f' => "\0\r\n"]]);
    check(x($r, 'xRange', 's', '(2', '+', 5), ['3-0' => ['f' => "\0\r\n"]]);
    check(x($r, 'xRevRange', 's', '+', '-', 1), ['3-0' => ['f' => "\0\r\n"]]);
    check(x($r, 'xDel', 's', ['3-0', '9-9']), 1);
    check(x($r, 'xTrim', 's', 1), 0);
    check(x($r, 'xRead', ['s' => '0', 'other' => '0'], 10), ['s' => ['2-0' => ['f' => 'two', 'g' => '2']]]);
    check(x($r, 'xRead', ['s' => '$']), []);
    $info = x($r, 'xInfo', 'STREAM', 's');
    check([$info['length'], $info['last-generated-id'], $info['first-entry']], [1, '3-0', ['2-0' => ['f' => 'two', 'g' => '2']]]);
    refuses('equal or smaller', fn() => x($r, 'xAdd', 's', '1-1', ['f' => 'v']), $r);
}

function groups(): void
{
    $r = connect();
    for ($i = 1; $i <= 5; ++$i) x($r, 'xAdd', 'jobs', "$i-0", ['n' => (string)$i]);
    check(x($r, 'xGroup', 'CREATE', 'jobs', 'g', '0'), true);
    check(x($r, 'xGroup', 'CREATE', 'new', 'g', '$', true), true);
    refuses('BUSYGROUP', fn() => x($r, 'xGroup', 'CREATE', 'jobs', 'g', '0'), $r);
    refuses('NOGROUP', fn() => x($r, 'xReadGroup', 'nogroup', 'c', ['jobs' => '>']), $r);
    check(x($r, 'xReadGroup', 'g', 'ann', ['jobs' => '>'], 3),
          ['jobs' => ['1-0' => ['n' => '1'], '2-0' => ['n' => '2'], '3-0' => ['n' => '3']]]);
    check(x($r, 'xReadGroup', 'g', 'ann', ['jobs' => '2']), ['jobs' => ['3-0' => ['n' => '3']]]);
    check(x($r, 'xPending', 'jobs', 'g'), [3, '1-0', '3-0', [['ann', '3']]]);
    $pending = x($r, 'xPending', 'jobs', 'g', '-', '+', 2, 'ann');
    check(array_map(fn($p) => [$p[0], $p[1], $p[3]], $pending), [['1-0', 'ann', 1], ['2-0', 'ann', 1]]);
    check(x($r, 'xClaim', 'jobs', 'g', 'bob', 0, ['1-0'], ['RETRYCOUNT' => 4]), ['1-0' => ['n' => '1']]);
    check(x($r, 'xClaim', 'jobs', 'g', 'bob', 0, ['2-0'], ['IDLE' => 10, 'JUSTID']), ['2-0']);
    check(x($r, 'xAck', 'jobs', 'g', ['1-0', '2-0', '3-0', '4-0']), 3);
    $group = x($r, 'xInfo', 'GROUPS', 'jobs')[0];
    check([$group['name'], $group['consumers'], $group['pending'], $group['lag']], ['g', 2, 0, 2]);
    check(array_column(x($r, 'xInfo', 'CONSUMERS', 'jobs', 'g'), 'name'), ['ann', 'bob']);
    check(x($r, 'xGroup', 'SETID', 'jobs', 'g', '$'), true);
    check(x($r, 'xGroup', 'DELCONSUMER', 'jobs', 'g', 'ann'), 0);
    check(x($r, 'xGroup', 'DESTROY', 'jobs', 'g'), 1);
}

function everyStreamMethod(): void
{
    global $called;
    $all = array_filter(array_map('strtolower', get_class_methods('Redis')), fn($name) => preg_match('/^x[a-z]/', $name));
    if (count($all) < 13) throw new Exception('only ' . count($all) . ' methods found');
    check(array_values(array_diff($all, array_keys($called))), []);
}

// Runs `work` in a process of its own; gives a function that waits for its end, which must be a good one.
function beside(callable $work): callable
{
    $pid = pcntl_fork();
    if ($pid === 0) {
        try {
            $work();
            exit(0);
        } catch (Throwable $e) {
            fwrite(STDERR, "$e\n");
            exit(1);
        }
    }
    return function () use ($pid) {
        pcntl_waitpid($pid, $status);
        check(pcntl_wexitstatus($status), 0);
    };
}

function blocking(): void
{
    $r = connect();
    $began = microtime(true);
    check($r->xRead(['empty' => '$'], 1, 60), []);
    if (microtime(true) - $began < 0.055) throw new Exception('the time-out is not kept');
    $r->xGroup('CREATE', 'work', 'g', '$', true);
    $worker = fn(string $name) => function () use ($name) {
        $own = connect();
        for (;;) {
            foreach ($own->xReadGroup('g', $name, ['work' => '>'], 1, 10000)['work'] as $fields) {
                if ($fields['job'] === 'stop') return;
                $own->incr('done:' . $fields['job']);
            }
        }
    };
    $workers = array_map(fn($i) => beside($worker("w$i")), [1, 2, 3]);
    eventually('nobody waits', fn() => $r->info('clients')['blocked_clients'] === 3);
    for ($i = 0; $i < 30; ++$i) $r->xAdd('work', '*', ['job' => (string)$i]);
    $names = array_map(fn($i) => "done:$i", range(0, 29));
    eventually('not all is done', fn() => !in_array(false, $r->mGet($names), true));
    foreach ($workers as $_) $r->xAdd('work', '*', ['job' => 'stop']);
    foreach ($workers as $end) $end();
    check(array_unique($r->mGet($names)), ['1']);
}

function pipelinesAndTransactions(): void
{
    $r = connect();
    $pipe = $r->multi(Redis::PIPELINE);
    for ($i = 1; $i <= 200; ++$i) $pipe->xAdd('s', "$i-0", ['i' => (string)$i]);
    check($pipe->exec(), array_map(fn($i) => "$i-0", range(1, 200)));
    check($r->multi()->set('k', 'v')->xAdd('t', '1-1', ['f' => 'v'])->get('k')->exec(), [true, '1-1', 'v']);
    $r->watch('k');
    connect()->set('k', 'changed');
    check($r->multi()->set('k', 'lost')->exec(), false);
    check($r->get('k'), 'changed');
}

function scriptsAreRefused(): void
{
    $r = connect();
    foreach (['SECKILL.BUY', 'INCREX'] as $named) {
        refuses($named, fn() => $r->eval('return 1'), $r);
        refuses($named, fn() => $r->evalSha(str_repeat('0', 40)), $r);
        refuses($named, fn() => $r->script('load', 'return 1'), $r);
    }
}

function sales(): void
{
    $r = connect();
    check($r->rawCommand('SECKILL.CREATE', 'phone', 'STOCK', '1', 'STREAM', 'orders'), true);
    [$code, $order, $available, $count, $replayed] = $r->rawCommand('SECKILL.BUY', 'phone', 'ann');
    check([$code, $available, $count, $replayed], [0, 0, 1, 0]);
    check(array_keys($r->xRange('orders', '-', '+')), [$order]);
    check($r->rawCommand('SECKILL.TRY', 'phone', 'bob'), 1);
}

function passwordsAndNames(): void
{
    $admin = connect();
    $named = connect();
    check($named->client('setname', 'tester'), true);
    check($named->client('getname'), 'tester');
    check($named->select(5), true);
    $named->set('here', '5');
    check($admin->get('here'), false);
    $admin->config('SET', 'requirepass', 'secret');
    try {
        $r = connect();
        refuses('NOAUTH', fn() => $r->get('k'), $r);
        refuses('WRONGPASS', fn() => $r->auth('wrong'), $r);
        check($r->auth('secret'), true);
        check(connect()->auth(['default', 'secret']), true);
    } finally {
        $admin->config('SET', 'requirepass', '');
    }
}

function poolsAndReconnects(): void
{
    global $port;
    $kept = function () use ($port) {
        $r = new Redis();
        $r->pconnect('127.0.0.1', $port, 10, 'pool');
        return $r;
    };
    $kept()->set('k', 'v');
    $id = $kept()->client('id');
    check($kept()->client('id'), $id);  // the pool's one connection
    $admin = connect();
    check($admin->rawCommand('CLIENT', 'KILL', 'ID', (string)$id), 1);
    check($kept()->get('k'), 'v');
    // A connection that was closed meanwhile is made anew by itself.
    $r = connect();
    check($admin->rawCommand('CLIENT', 'KILL', 'ID', (string)$r->client('id')), 1);
    check($r->get('k'), 'v');
    $ends = [fn() => connect()->rawCommand('SHUTDOWN', 'NOSAVE'),
             fn() => posix_kill((int)connect()->info('server')['process_id'], SIGKILL)];
    foreach ($ends as $end) {
        $life = connect()->info('server')['run_id'];
        try {
            $end();
        } catch (RedisException) {  // it is gone before it answers
        }
        eventually('it does not come back', function () use ($life) {
            try {
                return connect()->info('server')['run_id'] !== $life;
            } catch (RedisException) {
                return false;
            }
        });
        check(connect()->get('k'), 'v');
        check($kept()->get('k'), 'v');
    }
}

function users(): void
{
    $admin = connect();
    check($admin->acl('SETUSER', 'app', 'reset', 'on', '>secret', '~app:*', '+@stream', '+get', '+acl|whoami'), true);
    $app = connect();
    check($app->auth(['app', 'secret']), true);
    check($app->acl('WHOAMI'), 'app');
    check($app->xAdd('app:s', '1-1', ['f' => 'v']), '1-1');
    refuses('NOPERM', fn() => $app->xAdd('other', '*', ['f' => 'v']), $app);
    refuses('NOPERM', fn() => $app->flushAll(), $app);
    refuses('WRONGPASS', fn() => connect()->auth(['app', 'wrong']), $app);
    check(in_array('app', $admin->acl('USERS'), true), true);
    check($admin->acl('DELUSER', 'app'), 1);
}

function pubsub(): void
{
    $r = connect();
    $note = fn(...$words) => connect()->append('heard', implode(' ', $words) . "\n");
    $ends = [
        beside(function () use ($note) {
            try {
                connect()->subscribe(['news', 'jobs'], fn($from, $channel, $message) => $note($channel, $message));
            } catch (RedisException) {  // it is told to go by closing its connection
            }
        }),
        beside(function () use ($note) {
            try {
                connect()->psubscribe(['n*'], fn($from, $pattern, $channel, $message) => $note($pattern, $channel, $message));
            } catch (RedisException) {
            }
        }),
    ];
    eventually('nobody listens', fn() =>
        $r->pubsub('numpat') === 1 && $r->pubsub('numsub', ['news', 'jobs']) == ['news' => 1, 'jobs' => 1]);
    check($r->publish('news', 'one'), 2);
    check($r->publish('jobs', 'two'), 1);
    $lines = fn() => array_filter(explode("\n", (string)$r->get('heard')));
    eventually('not all is heard', fn() => count($lines()) === 3);
    $heard = $lines();
    sort($heard);
    check($heard, ['jobs two', 'n* news one', 'news one']);
    check($r->rawCommand('CLIENT', 'KILL', 'TYPE', 'pubsub'), 2);
    foreach ($ends as $end) $end();
}

function tls(): void
{
    $secure = function (string $authority) {
        $r = new Redis();
        $r->connect('tls://127.0.0.1', (int)getenv('SLUICE_TLS_PORT'), 10, null, 0, 0, ['stream' => ['cafile' => getenv($authority)]]);
        return $r;
    };
    $r = $secure('SLUICE_CA');
    check($r->xAdd('s', '1-1', ['f' => str_repeat('v', 100000)]), '1-1');
    check(connect()->xLen('s'), 1);
    check($r->xRange('s', '-', '+'), ['1-1' => ['f' => str_repeat('v', 100000)]]);
    $pipe = $r->multi(Redis::PIPELINE);
    for ($i = 0; $i < 300; ++$i) $pipe->set("k$i", 'v');
    check($pipe->exec(), array_fill(0, 300, true));
    try {
        $secure('SLUICE_OTHER_CA')->ping();
    } catch (RedisException | ErrorException $e) {
        if (preg_match('/certificate verify failed|SSL|connect/', $e->getMessage())) return;
        throw $e;
    }
    throw new Exception('a certificate of nobody known is taken');
}

function keys(): void
{
    $r = connect();
    $r->mSet(array_combine(array_map(fn($i) => "key:$i", range(0, 99)), array_map('strval', range(0, 99))));
    $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $found = [];
    $cursor = null;
    while (($page = $r->scan($cursor, 'key:*', 7)) !== false) $found = array_merge($found, $page);
    check(count(array_unique($found)), 100);
    check($r->set('lock', 'me', ['nx', 'px' => 60000]), true);
    check($r->set('lock', 'you', ['nx', 'px' => 60000]), false);
    check($r->type('key:1'), Redis::REDIS_STRING);
    $r->xAdd('s', '*', ['f' => 'v']);
    check($r->type('s'), Redis::REDIS_STREAM);
    check($r->del('lock', 's'), 2);
}

foreach (['streams', 'groups', 'everyStreamMethod', 'blocking', 'pipelinesAndTransactions', 'scriptsAreRefused', 'sales',
          'passwordsAndNames', 'poolsAndReconnects', 'users', 'pubsub', 'tls', 'keys'] as $part) {
    connect()->flushAll();
    try {
        $part();
    } catch (Throwable $e) {
        fwrite(STDERR, "FAILED $part: $e\n");
        exit(1);
    }
    echo "ok $part\n";
}
