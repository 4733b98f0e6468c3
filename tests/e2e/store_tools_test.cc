// sluice-check and sluice-backup, as an operator calls them, on the stores of a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;

ProgramResult Check(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SLUICE_CHECK_BINARY);
  return RunProgram(arguments);
}
ProgramResult Backup(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SLUICE_BACKUP_BINARY);
  return RunProgram(arguments);
}

void Add(RedisClient& client, int entries) {
  for (int i = 0; i < entries; ++i) client.Do({"XADD", "orders", "*", "n", std::to_string(i)});
}

void FlipByte(const std::string& path, uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  ASSERT_NE(byte, EOF);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 1));
}

// The number behind `before` in what sluice-check said.
uint64_t NumberAfter(const std::string& text, const std::string& before) {
  const size_t at = text.rfind(before);
  if (at == std::string::npos) throw std::runtime_error("no '" + before + "' in:\n" + text);
  return std::stoull(text.substr(at + before.size()));
}

TEST(StoreTools, CheckOfASoundStoreAndOfOneInUse) {
  ServerProcess server;
  {
    RedisClient client(server.port());
    Add(client, 20);
  }
  const ProgramResult in_use = Check({server.directory()});
  EXPECT_EQ(in_use.status, 3);
  EXPECT_THAT(in_use.output, HasSubstr("another server has this store open"));
  EXPECT_EQ(Check({server.directory(), "--repair", "--yes"}).status, 3);

  EXPECT_EQ(server.Stop(), 0);
  const ProgramResult sound = Check({server.directory()});
  EXPECT_EQ(sound.status, 0) << sound.output;
  EXPECT_THAT(sound.output, HasSubstr("20 records, 21 events"));
  EXPECT_THAT(sound.output, HasSubstr("after a clean stop\nthe store is sound\n"));

  const ProgramResult records = Check({server.directory(), "--segments", "--batches", "--stream", "orders"});
  EXPECT_THAT(records.output, HasSubstr("segment 1  base 0"));
  EXPECT_THAT(records.output, HasSubstr("  closing\n"));
  EXPECT_THAT(records.output, HasSubstr("fields=\"$1\\r\\nn\\r\\n$2\\r\\n19\\r\\n\""));
  EXPECT_EQ(Check({server.directory(), "--stream", "another"}).output.find("AppendEntry"), std::string::npos);
  const uint64_t end = NumberAfter(records.output, "the log ends at LSN ");
  const ProgramResult none = Check({server.directory(), "--records", "--from", std::to_string(end)});
  EXPECT_EQ(none.output.find("AppendEntry"), std::string::npos);
}

TEST(StoreTools, TornTailIsCutAndNothingElse) {
  ServerProcess server;
  {
    RedisClient client(server.port());
    Add(client, 20);
  }
  server.Kill9();
  const std::string segment = server.directory() + "/000000000001.log";
  const uint64_t end = NumberAfter(Check({server.directory()}).output, "000000000001.log, offset ");
  // Perhaps an empty batch is the last one by now; it may go, and then the one before it.
  FlipByte(segment, end - 9);
  const ProgramResult torn = Check({server.directory()});
  EXPECT_EQ(torn.status, 1) << torn.output;
  EXPECT_THAT(torn.output, HasSubstr("TORN TAIL: " + segment + ", offset "));
  EXPECT_EQ(Check({server.directory(), "--repair"}).status, 1) << "nobody is there to be asked";
  EXPECT_EQ(Check({server.directory()}).status, 1);
  const ProgramResult repaired = Check({server.directory(), "--repair", "--yes"});
  EXPECT_EQ(repaired.status, 0) << repaired.output;
  EXPECT_THAT(repaired.output, HasSubstr("lost by that: 0 records"));
  EXPECT_FALSE(std::filesystem::exists(segment + ".damaged")) << "a torn tail is nothing to keep";
  server.Start();
  RedisClient client(server.port());
  EXPECT_GE(client.Do({"XLEN", "orders"})->integer, 19);
}

TEST(StoreTools, DamageIsShownAndSetAside) {
  ServerProcess server({"--segment-bytes", "64kb"});
  {
    RedisClient client(server.port());
    for (int i = 0; i < 300; ++i) client.Do({"XADD", "orders", "*", "n", std::string(1000, 'x')});
  }
  EXPECT_EQ(server.Stop(), 0);
  FlipByte(server.directory() + "/000000000003.log", 30'000);
  const ProgramResult damaged = Check({server.directory()});
  EXPECT_EQ(damaged.status, 2) << damaged.output;
  EXPECT_THAT(damaged.output, HasSubstr("DAMAGED: " + server.directory() + "/000000000003.log, offset "));
  {
    // A start reads the checkpoint and not the messages: the damage answers whoever reads there.
    server.Start();
    RedisClient client(server.port());
    try {
      client.Do({"XRANGE", "orders", "-", "+"});
      ADD_FAILURE() << "damaged messages were served";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("DAMAGED " + server.directory() + "/000000000003.log, offset "));
    }
    EXPECT_EQ(server.Stop(), 0);
  }

  const ProgramResult repaired = Check({server.directory(), "--repair", "--yes"});
  EXPECT_EQ(repaired.status, 0) << repaired.output;
  EXPECT_THAT(repaired.output, HasSubstr("set the segments behind it aside"));
  const uint64_t lost = NumberAfter(repaired.output, "lost by that: ");
  EXPECT_GT(lost, 50u);
  EXPECT_TRUE(std::filesystem::exists(server.directory() + "/000000000003.log.damaged"));
  EXPECT_TRUE(std::filesystem::exists(server.directory() + "/000000000004.log.damaged"));
  server.Start();
  RedisClient client(server.port());
  EXPECT_EQ(client.Do({"XLEN", "orders"})->integer, 300 - 1 - static_cast<int64_t>(lost));
}

TEST(StoreTools, WhatCannotBeLookedAt) {
  TemporaryDirectory home;
  EXPECT_EQ(Check({home.path()}).status, 3) << "no store";
  EXPECT_EQ(Check({home.path() + "/missing"}).status, 3);
  EXPECT_EQ(Check({}).status, 3);
  EXPECT_EQ(Check({home.path(), "--from", "x"}).status, 3);
  for (const size_t length : {300u, 5000u, 100'000u}) {
    const ProgramResult result = Check({"/" + std::string(length, 'a')});
    EXPECT_EQ(result.status, 3);
    EXPECT_LT(result.output.size(), length + 200);
    EXPECT_EQ(Backup({"/" + std::string(length, 'a'), home.path() + "/copy"}).status, 1);
  }
  // A pipe of a segment's name would be waited for without end.
  ASSERT_EQ(::mkfifo((home.path() + "/000000000001.log").c_str(), 0600), 0);
  EXPECT_EQ(Check({home.path()}).status, 3);
  EXPECT_EQ(Backup({home.path(), home.path() + "/copy"}).status, 1);
}

TEST(StoreTools, BackupUnderLoadHoldsAllThatWasAcknowledgedBefore) {
  ServerProcess server({"--segment-bytes", "256kb"});
  std::atomic<bool> ending = false;
  std::atomic<int64_t> acknowledged = 0;
  std::thread load([&] {
    RedisClient client(server.port());
    while (!ending) {
      for (int i = 0; i < 50; ++i) client.Append({"XADD", "orders", "*", "n", std::string(200, 'x')});
      for (int i = 0; i < 50; ++i) {
        client.Receive();
        ++acknowledged;
      }
    }
  });
  TemporaryDirectory home;
  for (int round = 0; round < 3; ++round) {
    const Deadline deadline(kPatience);
    const int64_t target = acknowledged + 3000;
    while (acknowledged < target && !deadline.over()) std::this_thread::yield();
    const int64_t before = acknowledged;
    const std::string copy = home.path() + "/copy" + std::to_string(round);
    const ProgramResult copied = Backup({server.directory(), copy, "--verify"});
    const int64_t after = acknowledged + 50;
    ASSERT_EQ(copied.status, 0) << copied.output;
    EXPECT_EQ(Check({copy}).status, 0);
    EXPECT_EQ(Backup({server.directory(), copy}).status, 1) << "it is not empty";
    ServerProcess restored({"--dir", copy});
    RedisClient client(restored.port());
    const int64_t entries = client.Do({"XLEN", "orders"})->integer;
    EXPECT_GE(entries, before);
    EXPECT_LE(entries, after + 50);
    client.Do({"XADD", "orders", "*", "n", "goes on"});
    EXPECT_EQ(restored.Stop(), 0);
    EXPECT_EQ(Check({copy}).status, 0);
  }
  ending = true;
  load.join();
}

}  // namespace
}  // namespace sluice::tests
