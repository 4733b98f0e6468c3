# Ruby's redis against the built server. SLUICE_PORT names the server's port.
require 'redis'
require 'set'

PORT = Integer(ENV.fetch('SLUICE_PORT'))
CALLED = Set.new

# Remembers which stream methods were called.
class Client < Redis
  Redis.instance_methods.grep(/^x[a-z]/).each do |name|
    define_method(name) do |*args, **options, &block|
      CALLED << name
      super(*args, **options, &block)
    end
  end
end

def connect(**options)
  Client.new(**{host: '127.0.0.1', port: PORT, timeout: 10}, **options)
end

def check(got, wanted)
  raise "got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

def refuses(part, error = Redis::CommandError)
  got = yield
rescue error => e
  raise "#{e.message.inspect} instead of #{part.inspect}" unless e.message.include?(part)
else
  raise "answered #{got.inspect} instead of #{part.inspect}"
end

def eventually(what)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10
  until yield
    raise what if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    sleep 0.005
  end
end

def streams
  r = connect
  check r.xadd('s', {f: 'one'}, id: '1-1'), '1-1'
  check r.xadd('s', {f: 'two', g: 2}, id: '2-0', maxlen: 10, approximate: true), '2-0'
  check r.xadd('s', {f: "\0\r\n"}, id: '3-0', maxlen: 2), '3-0'
  check r.xlen('s'), 2
  check r.xrange('s'), [['2-0', {'f' => 'two', 'g' => '2'}], ['3-0', {'f' => "\0\r\n"}]]
  check r.xrange('s', '(2', '+', count: 5), [['3-0', {'f' => "\0\r\n"}]]
  check r.xrevrange('s', count: 1), [['3-0', {'f' => "\0\r\n"}]]
  check r.xread('s', '0', count: 1), {'s' => [['2-0', {'f' => 'two', 'g' => '2'}]]}
  check r.xread(%w[s other], %w[$ $]), {}
  check r.xdel('s', '3-0', '9-9'), 1
  check r.xtrim('s', 0), 1
  info = r.xinfo(:stream, 's')
  check info.values_at('length', 'last-generated-id', 'first-entry'), [0, '3-0', nil]
  refuses('equal or smaller') { r.xadd('s', {f: 'v'}, id: '1-1') }
end

def groups
  r = connect
  1.upto(5) { |i| r.xadd('jobs', {n: i}, id: "#{i}-0") }
  check r.xgroup(:create, 'jobs', 'g', '0'), 'OK'
  check r.xgroup(:create, 'new', 'g', '$', mkstream: true), 'OK'
  refuses('BUSYGROUP') { r.xgroup(:create, 'jobs', 'g', '0') }
  refuses('NOGROUP') { r.xreadgroup('nogroup', 'c', 'jobs', '>') }
  check r.xreadgroup('g', 'ann', 'jobs', '>', count: 3),
        {'jobs' => [['1-0', {'n' => '1'}], ['2-0', {'n' => '2'}], ['3-0', {'n' => '3'}]]}
  check r.xreadgroup('g', 'bob', 'jobs', '>', count: 1, noack: true), {'jobs' => [['4-0', {'n' => '4'}]]}
  check r.xpending('jobs', 'g'),
        {'size' => 3, 'min_entry_id' => '1-0', 'max_entry_id' => '3-0', 'consumers' => {'ann' => '3'}}
  check r.xpending('jobs', 'g', '-', '+', 2, 'ann').map { |p| p.values_at('entry_id', 'consumer', 'count') },
        [['1-0', 'ann', 1], ['2-0', 'ann', 1]]
  check r.xclaim('jobs', 'g', 'bob', 0, '1-0', retrycount: 4), [['1-0', {'n' => '1'}]]
  check r.xclaim('jobs', 'g', 'bob', 0, '2-0', justid: true), ['2-0']
  check r.xautoclaim('jobs', 'g', 'ann', 0, '0-0', count: 1), {'next' => '2-0', 'entries' => [['1-0', {'n' => '1'}]]}
  check r.xautoclaim('jobs', 'g', 'ann', 0, '2-0', justid: true), {'next' => '0-0', 'entries' => %w[2-0 3-0]}
  check r.xack('jobs', 'g', '1-0', '2-0', '3-0', '4-0'), 3
  check r.xinfo(:groups, 'jobs').first.values_at('name', 'consumers', 'pending', 'lag'), ['g', 2, 0, 1]
  check r.xinfo(:consumers, 'jobs', 'g').map { |c| c['name'] }, %w[ann bob]
  check r.xgroup(:setid, 'jobs', 'g', '$'), 'OK'
  check r.xgroup(:delconsumer, 'jobs', 'g', 'ann'), 0
  check r.xgroup(:destroy, 'jobs', 'g'), 1
end

def every_stream_method
  all = Redis.instance_methods.grep(/^x[a-z]/)
  raise "only #{all.size} methods found" if all.size < 14
  check all - CALLED.to_a, []
end

def blocking
  r = connect
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  check r.xread('empty', '$', block: 60), {}
  raise 'the time-out is not kept' if Process.clock_gettime(Process::CLOCK_MONOTONIC) - began < 0.055
  r.xgroup(:create, 'work', 'g', '$', mkstream: true)
  done = Queue.new
  workers = 1.upto(3).map do |i|
    Thread.new do
      own = connect
      loop do
        job = own.xreadgroup('g', "w#{i}", 'work', '>', count: 1, block: 10_000)['work'][0][1]['job']
        break if job == 'stop'
        done << Integer(job)
      end
    end
  end
  eventually('nobody waits') { r.info('clients')['blocked_clients'] == '3' }
  50.times { |i| r.xadd('work', {job: i}) }
  eventually('not all is done') { done.size == 50 }
  workers.each { r.xadd('work', {job: 'stop'}) }
  workers.each(&:join)
  check Array.new(50) { done.pop }.sort, (0...50).to_a
end

def pipelines_and_transactions
  r = connect
  check r.pipelined { |p| 1.upto(500) { |i| p.xadd('s', {i: i}, id: "#{i}-0") } }, (1..500).map { |i| "#{i}-0" }
  check r.multi { |tx| tx.set('k', 'v'); tx.xadd('t', {f: 'v'}, id: '1-1'); tx.get('k') }, ['OK', '1-1', 'v']
  lost = r.watch('k') do
    connect.set('k', 'changed')
    r.multi { |tx| tx.set('k', 'lost') }
  end
  check lost, nil
  check r.get('k'), 'changed'
  refuses('unknown command') { r.multi { |tx| tx.set('k', 'lost'); tx.call(:nosuch) } }
  check r.get('k'), 'changed'
end

def scripts_are_refused
  r = connect
  %w[SECKILL.BUY INCREX].each do |named|
    refuses(named) { r.eval('return 1') }
    refuses(named) { r.evalsha('0' * 40) }
    refuses(named) { r.script(:load, 'return 1') }
  end
end

def sales
  r = connect
  check r.call(['SECKILL.CREATE', 'phone', 'STOCK', 1, 'STREAM', 'orders']), 'OK'
  code, order, available, count, replayed = r.call(['SECKILL.BUY', 'phone', 'ann'])
  check [code, available, count, replayed], [0, 0, 1, 0]
  check r.xrange('orders').map(&:first), [order]
  check r.call(['SECKILL.TRY', 'phone', 'bob']), 1
end

def passwords_and_names
  admin = connect
  named = connect(id: 'tester', db: 5)
  check named.client(:getname), 'tester'
  named.set('here', '5')
  check admin.get('here'), nil
  admin.config(:set, 'requirepass', 'secret')
  begin
    refuses('NOAUTH') { connect.get('k') }
    refuses('WRONGPASS', Redis::BaseError) { connect(password: 'wrong').ping }
    check connect(password: 'secret').ping, 'PONG'
    check connect(username: 'default', password: 'secret').ping, 'PONG'
  ensure
    admin.config(:set, 'requirepass', '')
  end
end

# What a pool does: a fixed number of connections, lent to whoever asks.
def pools_and_reconnects
  pool = Queue.new
  4.times { pool << connect }
  lend = lambda do |&use|
    r = pool.pop
    begin
      use.call(r)
    ensure
      pool << r
    end
  end
  threads = Array.new(8) { Thread.new { 50.times { lend.call { |r| r.incr('n') } } } }
  threads.each(&:join)
  admin = connect
  check admin.get('n'), '400'
  raise 'not all were closed' if admin.call([:client, :kill, :type, :normal]) < 4
  4.times { lend.call { |r| check r.get('n'), '400' } }
  ends = [-> { connect(reconnect_attempts: 0).shutdown },
          -> { Process.kill(:KILL, Integer(connect.info('server')['process_id'])) }]
  ends.each do |stop|
    life = connect.info('server')['run_id']
    stop.call
    eventually('it does not come back') do
      connect.info('server')['run_id'] != life
    rescue Redis::BaseConnectionError
      false
    end
    4.times { lend.call { |r| check r.get('n'), '400' } }
  end
end

def users
  admin = connect
  admin.call(%w[ACL SETUSER app reset on >secret ~app:* &app.* +@stream +get +acl|whoami])
  app = connect(username: 'app', password: 'secret')
  check app.call(%w[ACL WHOAMI]), 'app'
  check app.xadd('app:s', {f: 'v'}, id: '1-1'), '1-1'
  refuses('NOPERM') { app.xadd('other', {f: 'v'}) }
  refuses('NOPERM') { app.flushall }
  refuses('NOPERM', Redis::BaseError) { app.subscribe('news') { |_| } }
  check admin.call(%w[ACL DELUSER app]), 1
  refuses('', Redis::BaseError) { connect(username: 'app', password: 'secret').ping }
end

def pubsub
  r = connect
  heard = Queue.new
  listener = Thread.new do
    connect(timeout: 0).psubscribe('n*') do |on|
      on.psubscribe { |pattern, count| heard << [pattern, count] }
      on.pmessage { |_, channel, message| heard << [channel, message] }
    end
  end
  check heard.pop, ['n*', 1]
  check r.publish('news', 'one'), 1
  check heard.pop, %w[news one]
  check r.pubsub(:numpat), 1
  subscriber = connect(timeout: 0)
  other = Thread.new do
    subscriber.subscribe('jobs') do |on|
      on.subscribe { |channel, _| heard << channel }
      on.message { |_, message| message == 'stop' ? subscriber.unsubscribe('jobs') : heard << message }
    end
  end
  check heard.pop, 'jobs'
  check r.pubsub(:channels), ['jobs']
  r.publish('jobs', "\0\r\n")
  check heard.pop, "\0\r\n"
  r.publish('jobs', 'stop')
  other.join
  check r.pubsub(:channels), []
  listener.kill
  listener.join
end

def tls
  secure = lambda do |ca|
    connect(port: Integer(ENV.fetch('SLUICE_TLS_PORT')), ssl: true, ssl_params: {ca_file: ca})
  end
  r = secure.call(ENV.fetch('SLUICE_CA'))
  check r.xadd('s', {f: 'v' * 100_000}, id: '1-1'), '1-1'
  check connect.xlen('s'), 1
  check r.xrange('s'), [['1-1', {'f' => 'v' * 100_000}]]
  check r.pipelined { |p| 300.times { |i| p.set("k#{i}", i) } }, ['OK'] * 300
  check r.xread('s', '$', block: 20), {}
  connect.call([:client, :kill, :type, :normal])
  check r.get('k7'), '7'
  begin
    secure.call(ENV.fetch('SLUICE_OTHER_CA')).ping
    raise 'a certificate of nobody known is taken'
  rescue Redis::CannotConnectError, OpenSSL::SSL::SSLError => e
    raise e unless e.message.include?('certificate verify failed')
  end
end

def keys
  r = connect
  r.mset(*(0...100).flat_map { |i| ["key:#{i}", i] })
  check r.scan_each(match: 'key:*', count: 7).to_a.uniq.size, 100
  check r.set('lock', 'me', nx: true, px: 60_000), true
  check r.set('lock', 'you', nx: true, px: 60_000), false
  check r.del('lock', 'nobody'), 1
end

%i[streams groups every_stream_method blocking pipelines_and_transactions scripts_are_refused sales passwords_and_names
   pools_and_reconnects users pubsub tls keys].each do |part|
  connect.flushall
  begin
    send(part)
  rescue StandardError => e
    abort "FAILED #{part}: #{e.full_message}"
  end
  puts "ok #{part}"
end
