// Every command's function. Which name leads to which is the table's business (command_table.cc).
#pragma once

#include "server/commands/context.h"

namespace sluice::commands {

// stream_append.cc
void Xadd(Context& ctx);
void Xtrim(Context& ctx);
void Xsetid(Context& ctx);

// stream_delete.cc
void Xdel(Context& ctx);
void Xdelex(Context& ctx);
void Xackdel(Context& ctx);

// stream_idempotence.cc
void Xidmprecord(Context& ctx);

// stream_settings.cc
void Xcfgset(Context& ctx);

// stream_nack.cc
void Xnack(Context& ctx);

// stream_range.cc
void Xlen(Context& ctx);
void Xrange(Context& ctx);
void Xrevrange(Context& ctx);

// stream_read.cc
void Xread(Context& ctx);

// stream_read_group.cc
void Xreadgroup(Context& ctx);

// stream_group.cc
void XgroupCreate(Context& ctx);
void XgroupSetid(Context& ctx);
void XgroupDestroy(Context& ctx);
void XgroupCreateconsumer(Context& ctx);
void XgroupDelconsumer(Context& ctx);

// stream_pending.cc
void Xack(Context& ctx);
void Xpending(Context& ctx);

// stream_claim.cc
void Xclaim(Context& ctx);
void Xautoclaim(Context& ctx);

// stream_info.cc
void XinfoStream(Context& ctx);
void XinfoGroups(Context& ctx);
void XinfoConsumers(Context& ctx);

// strings.cc
void Set(Context& ctx);
void Get(Context& ctx);
void Setnx(Context& ctx);
void Setex(Context& ctx);
void Psetex(Context& ctx);
void Getset(Context& ctx);
void Getdel(Context& ctx);
void Getex(Context& ctx);
void Mget(Context& ctx);
void Mset(Context& ctx);
void Msetnx(Context& ctx);
void Strlen(Context& ctx);
void Append(Context& ctx);
void Setrange(Context& ctx);
void Getrange(Context& ctx);

// counters.cc
void Incr(Context& ctx);
void Decr(Context& ctx);
void Incrby(Context& ctx);
void Decrby(Context& ctx);
void Incrbyfloat(Context& ctx);
void Increx(Context& ctx);

// expiry.cc
void Expire(Context& ctx);
void Pexpire(Context& ctx);
void Expireat(Context& ctx);
void Pexpireat(Context& ctx);
void Ttl(Context& ctx);
void Pttl(Context& ctx);
void Expiretime(Context& ctx);
void Pexpiretime(Context& ctx);
void Persist(Context& ctx);

// copy.cc
void Copy(Context& ctx);

// transaction.cc
void Multi(Context& ctx);
void Exec(Context& ctx);
void Discard(Context& ctx);
void Watch(Context& ctx);
void Unwatch(Context& ctx);

// keys.cc
void Del(Context& ctx);
void Exists(Context& ctx);
void Type(Context& ctx);
void Keys_(Context& ctx);
void Scan(Context& ctx);
void Rename(Context& ctx);
void Renamenx(Context& ctx);
void Move(Context& ctx);
void Swapdb(Context& ctx);
void Randomkey(Context& ctx);
void Flushall(Context& ctx);
void Flushdb(Context& ctx);
void Dbsize(Context& ctx);
void Select(Context& ctx);

// seckill_item.cc
void SeckillCreate(Context& ctx);
void SeckillConfig(Context& ctx);
void SeckillAddstock(Context& ctx);
void SeckillPause(Context& ctx);
void SeckillResume(Context& ctx);

// seckill_buy.cc
void SeckillBuy(Context& ctx);
void SeckillTry(Context& ctx);

// seckill_bundle.cc
void SeckillMbuy(Context& ctx);

// seckill_settle.cc
void SeckillConfirm(Context& ctx);
void SeckillCancel(Context& ctx);
void SeckillExtend(Context& ctx);

// seckill_query.cc
void SeckillGet(Context& ctx);
void SeckillStats(Context& ctx);
void SeckillOrder(Context& ctx);
void SeckillUser(Context& ctx);
void SeckillBuyers(Context& ctx);
void SeckillList(Context& ctx);
void SeckillAudit(Context& ctx);

// connection.cc
void Ping(Context& ctx);
void Echo(Context& ctx);
void Hello(Context& ctx);
void Auth(Context& ctx);
void Quit(Context& ctx);
void Reset(Context& ctx);

// client.cc
void ClientId(Context& ctx);
void ClientGetname(Context& ctx);
void ClientSetname(Context& ctx);
void ClientSetinfo(Context& ctx);
void ClientInfo(Context& ctx);
void ClientList(Context& ctx);
void ClientKill(Context& ctx);
void ClientUnblock(Context& ctx);

// client_modes.cc
void ClientCaching(Context& ctx);
void ClientGetredir(Context& ctx);
void ClientNoEvict(Context& ctx);
void ClientNoTouch(Context& ctx);
void ClientPause(Context& ctx);
void ClientReply(Context& ctx);
void ClientTracking(Context& ctx);
void ClientTrackinginfo(Context& ctx);
void ClientUnpause(Context& ctx);

// pubsub.cc
void Subscribe(Context& ctx);
void Psubscribe(Context& ctx);
void Ssubscribe(Context& ctx);
void Unsubscribe(Context& ctx);
void Punsubscribe(Context& ctx);
void Sunsubscribe(Context& ctx);
void Publish(Context& ctx);
void Spublish(Context& ctx);
void PubsubChannels(Context& ctx);
void PubsubNumpat(Context& ctx);
void PubsubNumsub(Context& ctx);
void PubsubShardchannels(Context& ctx);
void PubsubShardnumsub(Context& ctx);

// monitor.cc
void Monitor(Context& ctx);

// slowlog.cc
void SlowlogGet(Context& ctx);
void SlowlogLen(Context& ctx);
void SlowlogReset(Context& ctx);

// latency.cc
void LatencyDoctor(Context& ctx);
void LatencyGraph(Context& ctx);
void LatencyHistogram(Context& ctx);
void LatencyHistory(Context& ctx);
void LatencyLatest(Context& ctx);
void LatencyReset(Context& ctx);

// object.cc
void ObjectEncoding(Context& ctx);
void ObjectFreq(Context& ctx);
void ObjectIdletime(Context& ctx);
void ObjectRefcount(Context& ctx);

// memory.cc
void MemoryDoctor(Context& ctx);
void MemoryMallocStats(Context& ctx);
void MemoryPurge(Context& ctx);

// memory_stats.cc
void MemoryStats(Context& ctx);
void MemoryUsage(Context& ctx);

// lolwut.cc
void Lolwut(Context& ctx);

// debug.cc
void DebugDigest(Context& ctx);
void DebugError(Context& ctx);
void DebugLog(Context& ctx);
void DebugObject(Context& ctx);
void DebugProtocol(Context& ctx);
void DebugSleep(Context& ctx);

// command_docs.cc
void CommandAll(Context& ctx);
void CommandCount(Context& ctx);
void CommandInfo(Context& ctx);
void CommandDocs(Context& ctx);
void CommandList(Context& ctx);
void CommandGetkeys(Context& ctx);
void CommandGetkeysandflags(Context& ctx);

// acl.cc
void AclCat(Context& ctx);
void AclDryrun(Context& ctx);
void AclGenpass(Context& ctx);
void AclLog(Context& ctx);
void AclWhoami(Context& ctx);

// acl_administration.cc
void AclDeluser(Context& ctx);
void AclGetuser(Context& ctx);
void AclList(Context& ctx);
void AclLoad(Context& ctx);
void AclSave(Context& ctx);
void AclSetuser(Context& ctx);
void AclUsers(Context& ctx);

// info.cc
void Info(Context& ctx);

// checkpoint.cc
void Bgsave(Context& ctx);
void Save(Context& ctx);
void Lastsave(Context& ctx);
void Bgrewriteaof(Context& ctx);

// server.cc
void ConfigGet(Context& ctx);
void ConfigRewrite(Context& ctx);
void ConfigSet(Context& ctx);
void ConfigResetstat(Context& ctx);
void TimeNow(Context& ctx);
void Shutdown(Context& ctx);

// help.cc: the HELP subcommand of every container.
void Help(Context& ctx);

}  // namespace sluice::commands
