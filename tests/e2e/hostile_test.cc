// What a hostile or broken client may send: an error or a closed connection, bounded memory, and everybody
// else served.
//
// What has gone wrong elsewhere, and where it is tested here (names are of this file where no other is
// given):
//
//   CVE-2021-32765, -32675   lengths that are announced    Announced*, AnnouncedLengthsFromManyConnections
//   CVE-2022-31144, -35951   counts, deleted entries       CountsOfEverySize; golden/xautoclaim.txt
//   CVE-2025-62507           a hundred thousand IDs        LargeAndPathologicalArguments, AHundredThousandIds
//   CVE-2023-36824, -41053   positions of keys             unit AclAccess; fuzz/acl_fuzz.cc
//   CVE-2022-36021, 2024-31228  patterns of many stars     PatternsOfTenThousandStars; AclFileTest; unit Glob
//   CVE-2024-31227, -51741   malformed selectors           unit AclUser; AclFileTest; MalformedSelectors;
//   acl_fuzz CVE-2025-21605           unread before AUTH            BeforeAuthOnlySmallRequests; unit
//   ServerTest CVE-2025-48367           a flood of protocol errors    AFloodOfProtocolErrors CVE-2025-67733
//   CR and LF in errors           NoReplyCanBeForgedByWhatIsEchoed; unit ReplyWriter CVE-2026-23479 closed
//   while it is woken      unit PubsubTest CVE-2026-81934           TLS closed with data pending  TlsTest
//   CVE-2025-27151           over-long paths               StoreTools; OverLongPathsAreRefused
//   CVE-2023-45145           a unix socket's mode          TheSocketIsNobodyElsesBeforeItHasItsMode
//   cross-protocol           POST and Host:                AnotherProtocolsGreetingIsTheEnd
//   defaults                                               DefaultsAreCautious
//
// Crowds of them: crowd_test.cc.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int kPatienceMs = 30'000;
constexpr uint64_t kMebibyte = 1 << 20;

class HostileTest : public testing::Test {
 protected:
  // After whatever happened: a known client and a new one are served, and memory did not grow by more than
  // `mib`.
  void ExpectServedWithin(uint64_t mib) {
    EXPECT_EQ(TextOf(*known_.Do({"ECHO", "still here"})), "still here");
    RedisClient fresh(server_.port());
    EXPECT_EQ(fresh.Do({"XLEN", "s"})->integer, 1);
    EXPECT_LE(server_.ResidentBytes(), resident_before_ + mib * kMebibyte);
  }

  // A connection that has sent `bytes`; the server may have closed it meanwhile.
  std::unique_ptr<SocketClient> Sent(std::string_view bytes) {
    auto client = std::make_unique<SocketClient>();
    EXPECT_TRUE(client->Connect(server_.port()));
    client->SendBytes(bytes);
    return client;
  }

  // The error that `bytes` earn, after which the connection ends.
  std::string ErrorFor(std::string_view bytes) {
    const auto client = Sent(bytes);
    const Stage::Heard heard = client->Receive(kPatienceMs);
    EXPECT_EQ(heard.outcome, Stage::Outcome::kReply) << Quoted(bytes.substr(0, 60));
    EXPECT_EQ(heard.reply.type, Reply::Type::kError) << Quoted(bytes.substr(0, 60));
    EXPECT_EQ(client->Receive(kPatienceMs).outcome, Stage::Outcome::kClosed) << Quoted(bytes.substr(0, 60));
    return heard.reply.text;
  }

  void SetUp() override { resident_before_ = server_.ResidentBytes(); }

  ServerProcess server_{{"--client-output-buffer-limit", "normal 32mb 0 0"}};
  RedisClient known_{server_.port()};
  RedisReply entry_ = known_.Do({"XADD", "s", "1-1", "f", "v"});
  uint64_t resident_before_ = 0;
};

TEST_F(HostileTest, WhatIsNotRespIsAnErrorAndTheEnd) {
  EXPECT_EQ(ErrorFor("*1\r\n:5\r\n"), "ERR Protocol error: expected '$', got ':'");
  EXPECT_EQ(ErrorFor("*x\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorFor("*2147483648\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$-1\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$x\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$9000000000000000000\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*1\r\n$2147483648\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("*2\r\n$4\r\nECHO\r\n$05\r\nhello\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorFor("SET key \"half\r\n"), "ERR Protocol error: unbalanced quotes in request");
  EXPECT_EQ(ErrorFor(std::string(70'000, 'a')), "ERR Protocol error: too big inline request");
  ExpectServedWithin(16);
}

TEST_F(HostileTest, WhatHoldsNoRequestIsPassedOver) {
  const auto client = Sent("*-2\r\n*0\r\n\r\n*-1\r\nPING\r\n");
  const Stage::Heard heard = client->Receive(kPatienceMs);
  EXPECT_EQ(heard.reply.text, "PONG");
  ExpectServedWithin(16);
}

TEST_F(HostileTest, GarbageBytes) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 3000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Half of them look like RESP for a while.
    if (i % 2 == 0) bytes = "*3\r\n$" + bytes;
    Sent(bytes);
  }
  ExpectServedWithin(32);
}

TEST_F(HostileTest, AnotherProtocolsGreetingIsTheEnd) {
  for (const std::string greeting : {"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET key stolen\r\n",
                                     "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET key stolen\r\n"}) {
    const auto client = Sent(greeting);
    Stage::Heard heard;
    do {
      heard = client->Receive(kPatienceMs);
    } while (heard.outcome == Stage::Outcome::kReply);
    EXPECT_EQ(heard.outcome, Stage::Outcome::kClosed);
  }
  EXPECT_EQ(known_.Do({"EXISTS", "key"})->integer, 0);
  ExpectServedWithin(16);
}

// Ten thousand of them, and the log has a handful of lines.
TEST_F(HostileTest, AFloodOfProtocolErrors) {
  const size_t logged = server_.Log().size();
  const std::vector<std::string> wires = {"*1\r\n:5\r\n",  "*x\r\n", "POST / HTTP/1.1\r\n",
                                          "*1\r\n$-7\r\n", "'half",  "Host: here\r\n"};
  for (int i = 0; i < 5'000; ++i) {
    Sent(wires[static_cast<size_t>(i) % wires.size()]);
    if (i % 500 == 0) {
      EXPECT_EQ(TextOf(*known_.Do({"ECHO", "served"})), "served");
    }
  }
  EXPECT_LT(server_.Log().size(), logged + 20'000) << server_.Log().substr(logged, 2'000);
  ExpectServedWithin(32);
}

TEST_F(HostileTest, AnotherProtocolIsLoggedOnce) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Sent("POST / HTTP/1.1\r\nHost: x\r\n\r\nSET key stolen\r\n")->Receive(kPatienceMs).outcome,
              Stage::Outcome::kClosed);
  }
  const std::string log = server_.Log();
  size_t lines = 0;
  for (size_t at = 0; (at = log.find("speaks HTTP", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GE(lines, 1u);
  EXPECT_LE(lines, 3u) << "once in a while, not once a connection";
}

TEST_F(HostileTest, AnnouncedLengthsFromManyConnections) {
  ServerProcess guarded({"--requirepass", "secret"});
  RedisClient admin(guarded.port());
  admin.Do({"AUTH", "secret"});
  const uint64_t before = guarded.ResidentBytes();
  std::vector<std::unique_ptr<SocketClient>> clients;
  const auto send = [&](const std::string& bytes) {
    clients.push_back(std::make_unique<SocketClient>());
    ASSERT_TRUE(clients.back()->Connect(guarded.port()));
    clients.back()->SendBytes(bytes);
  };
  const std::string auth = EncodeRequest({"AUTH", "secret"});
  for (int i = 0; i < 100; ++i) {
    for (const std::string& first : {std::string(), auth}) {
      for (const char* length : {"*2147483647\r\n", "*1048576\r\n$3\r\n", "*-2\r\n", "*10\r\n$16384\r\nx",
                                 "*1\r\n$9000000000000000000\r\n", "*2\r\n$4\r\nECHO\r\n$67108864\r\nx"}) {
        send(first + length);
      }
    }
  }
  EXPECT_EQ(TextOf(*admin.Do({"ECHO", "still here"})), "still here");
  EXPECT_LE(guarded.ResidentBytes(), before + 64 * kMebibyte);
}

TEST_F(HostileTest, HalfRequestsFromManyConnections) {
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 200; ++i)
    clients.push_back(Sent("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$60000000\r\nand then nothing"));
  ExpectServedWithin(32);
  clients.clear();
  EXPECT_EQ(known_.Do({"EXISTS", "key"})->integer, 0);
}

TEST_F(HostileTest, AnnouncedLengthsCostNothingUntilTheBytesArrive) {
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(Sent("*1048576\r\n$3\r\nDEL\r\n"));
  ExpectServedWithin(32);
}

TEST_F(HostileTest, AMillionArguments) {
  std::string wire = "*1000001\r\n$3\r\nDEL\r\n";
  for (int i = 0; i < 1'000'000; ++i) wire += "$1\r\nx\r\n";
  const auto client = Sent(wire);
  const Stage::Heard heard = client->Receive(kPatienceMs);
  EXPECT_EQ(FormatReply(heard.reply), "(integer) 0");
  client->Send({"PING"});
  EXPECT_EQ(client->Receive(kPatienceMs).reply.text, "PONG");
  client->Close();
  EXPECT_EQ(ErrorFor("*1048577\r\n$3\r\nDEL\r\n"), "ERR Protocol error: invalid multibulk length");
  // What the large request took is given back, once its client is gone.
  ExpectServedWithin(64);
}

TEST_F(HostileTest, ALargeValueGoesInAndOut) {
  const std::string value(20 * kMebibyte, 'v');
  RedisClient client(server_.port());
  client.Do({"SET", "large", value});
  EXPECT_EQ(TextOf(*client.Do({"GET", "large"})), value);
  client.Do({"DEL", "large"});
  EXPECT_EQ(ErrorFor("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$67108865\r\n"),
            "ERR Protocol error: invalid bulk length");
}

// It sends and sends and never reads: its replies are bounded, then it is closed.
TEST_F(HostileTest, AClientThatNeverReads) {
  known_.Do({"SET", "value", std::string(100'000, 'v')});
  SocketClient client;
  ASSERT_TRUE(client.Connect(server_.port()));
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += EncodeRequest({"GET", "value"});  // 200 MB of replies
  size_t sent = 0;
  bool closed = false;
  const Deadline deadline(kPatience);
  while (!closed && !deadline.over()) {
    sent += client.TrySendBytes(std::string_view(requests).substr(sent));
    const RedisReply list = known_.Do({"INFO", "clients"});
    closed = TextOf(*list).find("connected_clients:1\r\n") != std::string_view::npos;
    EXPECT_LE(server_.ResidentBytes(), resident_before_ + 96 * kMebibyte);
    if (sent == requests.size()) sent = 0;
  }
  EXPECT_TRUE(closed) << "a client that never reads is kept";
  ExpectServedWithin(96);
}

TEST_F(HostileTest, BeforeAuthOnlySmallRequests) {
  ServerProcess guarded({"--requirepass", "secret"});
  const auto error_for = [&](std::string_view bytes) {
    SocketClient client;
    EXPECT_TRUE(client.Connect(guarded.port()));
    client.SendBytes(bytes);
    return client.Receive(kPatienceMs).reply.text;
  };
  EXPECT_EQ(error_for("*11\r\n$4\r\nPING\r\n"), "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(error_for("*2\r\n$4\r\nPING\r\n$16385\r\n"), "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(error_for("PING\r\n"), "NOAUTH Authentication required.");

  // Unauthenticated, flooding, and deaf to the answers.
  SocketClient deaf;
  ASSERT_TRUE(deaf.Connect(guarded.port()));
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "PING\r\n";
  const uint64_t before = guarded.ResidentBytes();
  size_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    const size_t more = deaf.TrySendBytes(std::string_view(flood).substr(sent));
    sent = (sent + more) % flood.size();
    if (i % 100 == 0) {
      SocketClient other;
      ASSERT_TRUE(other.Connect(guarded.port()));
      other.Send({"AUTH", "secret"});
      EXPECT_EQ(other.Receive(kPatienceMs).reply.text, "OK");
    }
  }
  EXPECT_LE(guarded.ResidentBytes(), before + 32 * kMebibyte);
}

TEST_F(HostileTest, MoreClientsThanAllowed) {
  ServerProcess small({"--maxclients", "10"});
  std::vector<std::unique_ptr<SocketClient>> clients;
  std::string refusal;
  for (int i = 0; i < 20 && refusal.empty(); ++i) {
    clients.push_back(std::make_unique<SocketClient>());
    ASSERT_TRUE(clients.back()->Connect(small.port()));
    clients.back()->Send({"PING"});
    const Stage::Heard heard = clients.back()->Receive(kPatienceMs);
    if (heard.reply.type == Reply::Type::kError) refusal = heard.reply.text;
  }
  EXPECT_EQ(refusal, "ERR max number of clients reached");
  EXPECT_EQ(clients.size(), 11u);
  EXPECT_EQ(clients.back()->Receive(kPatienceMs).outcome, Stage::Outcome::kClosed);
  clients.clear();
  // Once they are gone there is room again. They go when the server notices.
  const Deadline deadline(kPatience);
  bool served = false;
  while (!served && !deadline.over()) {
    SocketClient client;
    ASSERT_TRUE(client.Connect(small.port()));
    client.Send({"PING"});
    served = client.Receive(kPatienceMs).reply.text == "PONG";
  }
  EXPECT_TRUE(served);
}

// 100,000 IDs in one command, and patterns made to explode.
TEST_F(HostileTest, LargeAndPathologicalArguments) {
  std::vector<std::string> ack = {"XACK", "s", "g"};
  for (int i = 0; i < 100'000; ++i) ack.push_back(std::to_string(i + 1) + "-1");
  known_.Do({"XGROUP", "CREATE", "s", "g", "0"});
  known_.Do({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  EXPECT_EQ(known_.Do(ack)->integer, 1);
  ack[0] = "XDEL";
  ack.erase(ack.begin() + 2);
  EXPECT_EQ(known_.Do(ack)->integer, 1);
  known_.Do({"XADD", "s", "9-1", "f", "v"});
  known_.Do({"SET", std::string(10'000, 'a'), "v"});
  std::string pattern;
  for (int i = 0; i < 5'000; ++i) pattern += "*a";
  EXPECT_EQ(known_.Do({"KEYS", pattern + "b"})->elements, 0u);
  EXPECT_EQ(known_.Do({"CONFIG", "GET", pattern + "b"})->elements, 0u);
  ExpectServedWithin(64);
}

// As a client hears it, whatever it is: an error's text, or the reply as the goldens write it.
std::string Heard(RedisClient& client, const std::vector<std::string>& words) {
  client.Append(words);
  const RedisReply reply = client.Receive();
  if (reply == nullptr) return "(closed)";
  if (reply->type == REDIS_REPLY_ERROR) return std::string(TextOf(*reply));
  return reply->type == REDIS_REPLY_INTEGER ? std::to_string(reply->integer) : "a reply";
}

TEST_F(HostileTest, AHundredThousandIds) {
  constexpr int kIds = 100'000;
  std::vector<std::string> ids;
  for (int i = 0; i < kIds; ++i) ids.push_back(std::to_string(i + 1) + "-1");
  known_.Do({"XGROUP", "CREATE", "s", "g", "0"});
  known_.Do({"XADD", "s", "2-1", "f", "v"});
  known_.Do({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  const auto with_ids = [&](std::vector<std::string> words, std::vector<std::string> behind = {}) {
    words.insert(words.end(), ids.begin(), ids.end());
    words.insert(words.end(), behind.begin(), behind.end());
    return words;
  };
  const std::string count = std::to_string(kIds);
  EXPECT_EQ(known_.Do(with_ids({"XCLAIM", "s", "g", "d", "0"}))->elements, 2u);
  EXPECT_EQ(known_.Do(with_ids({"XCLAIM", "s", "g", "e", "0"}, {"JUSTID"}))->elements, 2u);
  EXPECT_EQ(known_.Do(with_ids({"XNACK", "s", "g", "FAIL", "IDS", count}))->integer, 2);
  EXPECT_EQ(known_.Do(with_ids({"XACKDEL", "s", "g", "KEEPREF", "IDS", count}))->elements, size_t{kIds});
  EXPECT_EQ(known_.Do(with_ids({"XDELEX", "s", "DELREF", "IDS", count}))->elements, size_t{kIds});
  // More and fewer than there are.
  for (const char* wrong :
       {"99999", "100001", "0", "-1", "9223372036854775807", "18446744073709551616", "x"}) {
    EXPECT_THAT(Heard(known_, with_ids({"XDELEX", "s", "IDS", wrong})), StartsWith("ERR")) << wrong;
    EXPECT_THAT(Heard(known_, with_ids({"XACKDEL", "s", "g", "IDS", wrong})), StartsWith("ERR")) << wrong;
  }
  EXPECT_THAT(Heard(known_, with_ids({"XPENDING", "s", "g"})), StartsWith("ERR"));
  RedisClient fresh(server_.port());
  EXPECT_EQ(fresh.Do({"XLEN", "s"})->integer, 0);
  EXPECT_LE(server_.ResidentBytes(), resident_before_ + 128 * kMebibyte);
}

// Every command that takes a count, with the counts that arithmetic goes wrong on. `?` is where it goes.
TEST_F(HostileTest, CountsOfEverySize) {
  const std::vector<std::string> commands = {"XRANGE s - + COUNT ?",
                                             "XREVRANGE s + - COUNT ?",
                                             "XREAD COUNT ? STREAMS s 0",
                                             "XREADGROUP GROUP g c COUNT ? STREAMS s >",
                                             "XREADGROUP GROUP g c COUNT ? STREAMS s 0",
                                             "XREADGROUP GROUP g c CLAIM ? STREAMS s >",
                                             "XPENDING s g - + ?",
                                             "XPENDING s g IDLE ? - + 10",
                                             "XAUTOCLAIM s g c 0 0 COUNT ?",
                                             "XAUTOCLAIM s g c ? 0",
                                             "XCLAIM s g c ? 1-1",
                                             "XCLAIM s g c 0 1-1 RETRYCOUNT ?",
                                             "XCLAIM s g c 0 1-1 IDLE ?",
                                             "XCLAIM s g c 0 1-1 TIME ?",
                                             "XINFO STREAM s FULL COUNT ?",
                                             "XADD t MAXLEN = ? * f v",
                                             "XADD t MAXLEN ~ 1 LIMIT ? * f v",
                                             "XTRIM t MAXLEN ?",
                                             "XTRIM t MAXLEN ~ 1 LIMIT ?",
                                             "XNACK s g FAIL IDS ? 1-1",
                                             "XGROUP SETID s g 0 ENTRIESREAD ?",
                                             "XSETID t 9-9 ENTRIESADDED ?",
                                             "SCAN 0 COUNT ?",
                                             "SCAN ?",
                                             "SLOWLOG GET ?",
                                             "ACL LOG ?",
                                             "ACL GENPASS ?",
                                             "OBJECT FREQ ?",
                                             "GETRANGE k ? ?",
                                             "SETRANGE k ? v",
                                             "INCRBY n ?",
                                             "DECRBY n ?",
                                             "INCREX n BYINT ?",
                                             "EXPIRE k ?",
                                             "PEXPIREAT k ?",
                                             "SET k v PX ?",
                                             "COPY s s2 DB ?",
                                             "SELECT ?",
                                             "SWAPDB ? ?",
                                             "SECKILL.CREATE item2 STOCK ?",
                                             "SECKILL.CREATE item3 STOCK 1 LIMIT ?",
                                             "SECKILL.ADDSTOCK item ?",
                                             "SECKILL.BUY item u QTY ?",
                                             "SECKILL.BUYERS item 0 COUNT ?",
                                             "CLIENT PAUSE ? WRITE",
                                             "CLIENT KILL ID ?",
                                             "HELLO ?",
                                             "WAIT ? 1"};
  const std::vector<std::string> counts = {"0",
                                           "-1",
                                           "1",
                                           "4294967295",
                                           "4294967296",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "9223372036854775808",
                                           "18446744073709551615",
                                           "18446744073709551616",
                                           "1e3",
                                           "+1",
                                           " 1",
                                           "",
                                           "0x10",
                                           std::string(400, '9')};
  known_.Do({"SECKILL.CREATE", "item", "STOCK", "5"});
  known_.Do({"XGROUP", "CREATE", "s", "g", "0"});
  // Some of what is pending is deleted.
  for (const char* id : {"2-1", "3-1", "4-1"}) known_.Do({"XADD", "s", id, "f", "v"});
  known_.Do({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  known_.Do({"XDEL", "s", "2-1", "4-1"});
  RedisClient admin(server_.port());
  for (const std::string& command : commands) {
    for (const std::string& count : counts) {
      std::vector<std::string> words;
      std::istringstream in(command);
      for (std::string word; in >> word;) words.push_back(word == "?" ? count : word);
      const std::string heard = Heard(known_, words);
      ASSERT_NE(heard, "(closed)") << command << " with " << count;
      admin.Do({"CLIENT", "UNPAUSE"});
      // What no number of 64 bits is, is none.
      const bool absurd = count.size() == 400 || count == "1e3" || count.empty() || count == "0x10";
      if (absurd && words[0] != "OBJECT") {
        EXPECT_THAT(heard, testing::ContainsRegex("^(ERR|NOPROTO)")) << command << " with '" << count << "'";
      }
      known_.Do({"SELECT", "0"});
    }
  }
  EXPECT_EQ(known_.Do({"XLEN", "s"})->integer, 2);
  EXPECT_LE(server_.ResidentBytes(), resident_before_ + 96 * kMebibyte);
}

// 10,000 stars, wherever there is a pattern, against what almost matches.
TEST_F(HostileTest, PatternsOfTenThousandStars) {
  std::string pattern;
  for (int i = 0; i < 10'000; ++i) pattern += "*a";
  pattern += "*b";
  std::string sets;
  for (int i = 0; i < 5'000; ++i) sets += "*[^b]?";
  known_.Do({"SET", std::string(20'000, 'a'), "v"});
  RedisClient listener(server_.port());
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& hostile : {pattern, sets + "b", std::string(10'000, '*') + "b",
                                     std::string(10'000, '['), std::string(9'999, '\\')}) {
    Heard(known_, {"KEYS", hostile});
    Heard(known_, {"SCAN", "0", "MATCH", hostile, "COUNT", "1000"});
    Heard(known_, {"CONFIG", "GET", hostile});
    Heard(known_, {"PUBSUB", "CHANNELS", hostile});
    Heard(known_, {"COMMAND", "LIST", "FILTERBY", "PATTERN", hostile});
    Heard(listener, {"PSUBSCRIBE", hostile});
    known_.Do({"PUBLISH", std::string(20'000, 'a'), "v"});
    Heard(known_, {"ACL", "SETUSER", "u", "~" + hostile, "&" + hostile});
    Heard(known_, {"ACL", "DRYRUN", "u", "GET", std::string(20'000, 'a')});
  }
  // Each is far below a second; a machine may be busy and run sanitizers.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  ExpectServedWithin(64);
}

TEST_F(HostileTest, MalformedSelectors) {
  ServerProcess server({"--aclfile", "/dev/null"});
  RedisClient admin(server.port());
  const std::vector<std::string> rules = {"(",
                                          ")",
                                          "((",
                                          "()",
                                          "(+get",
                                          "(+get ~k))",
                                          "( ( +get ) )",
                                          "(%",
                                          "(%R",
                                          "(%R~",
                                          "(%RX~k)",
                                          "%~k",
                                          "(+get|",
                                          "+|get",
                                          "(" + std::string(70'000, '~'),
                                          "(~k\r\n)",
                                          "(\x00)",
                                          "(+@)",
                                          "+@nosuch",
                                          "(>p)",
                                          "~",
                                          "&",
                                          "#",
                                          "<",
                                          "!" + std::string(64, 'g'),
                                          "+" + std::string(70'000, 'x'),
                                          "(+get) (",
                                          "sanitize-payload(",
                                          "clearselectors)"};
  for (const std::string& rule : rules) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"ACL", "SETUSER", "u", rule},
                                                  {"ACL", "SETUSER", "u", "on", rule, "(+get ~k)"},
                                                  {"ACL", "SETUSER", rule, "on"},
                                                  {"ACL", "DRYRUN", "default", rule},
                                                  {"ACL", "DRYRUN", rule, "GET", "k"},
                                                  {"ACL", "GETUSER", rule},
                                                  {"ACL", "DELUSER", rule},
                                                  {"ACL", "CAT", rule}}) {
      ASSERT_NE(Heard(admin, words), "(closed)") << rule.substr(0, 20);
    }
  }
  EXPECT_EQ(TextOf(*admin.Do({"PING"})), "PONG");
  EXPECT_EQ(TextOf(*admin.Do({"ACL", "WHOAMI"})), "default");
}

// One line of a reply, whatever is echoed in it.
TEST_F(HostileTest, NoReplyCanBeForgedByWhatIsEchoed) {
  const std::string evil = "x\r\n+FORGED\r\n:1\r\n";
  const std::vector<std::vector<std::string>> requests = {
      {evil},
      {"nosuch", evil},
      {"CLIENT", evil},
      {"XGROUP", evil},
      {"CONFIG", "SET", evil, "v"},
      {"CONFIG", "SET", "port", evil},
      {"CONFIG", "SET", "maxmemory", evil},
      {"XREADGROUP", "GROUP", evil, "c", "STREAMS", evil, ">"},
      {"XGROUP", "CREATECONSUMER", "s", evil, "c"},
      {"XADD", "s", evil, "f", "v"},
      {"HELLO", "3", evil},
      {"HELLO", "3", "SETNAME", evil},
      {"CLIENT", "SETNAME", evil},
      {"CLIENT", "SETINFO", evil, "v"},
      {"CLIENT", "KILL", "TYPE", evil},
      {"ACL", "SETUSER", evil, evil},
      {"ACL", "SETUSER", "u", evil},
      {"ACL", "CAT", evil},
      {"ACL", "DRYRUN", evil, "GET", "k"},
      {"ACL", "DRYRUN", "default", evil},
      {"COMMAND", "INFO", evil},
      {"COMMAND", "GETKEYS", evil, evil},
      {"OBJECT", evil, "k"},
      {"SECKILL.BUY", evil, evil},
      {"SECKILL.CREATE", "i", evil, "1"},
      {"SET", "k", "v", evil, "1"},
      {"INFO", evil},
      {"LATENCY", "RESET", evil},
      {"DEBUG", evil},
      {"SUBSCRIBE", evil}};
  for (const auto& request : requests) {
    SocketClient client;
    ASSERT_TRUE(client.Connect(server_.port()));
    client.Send(request);
    client.Send({"PING"});
    bool pong = false;
    while (!pong) {
      const Stage::Heard heard = client.Receive(kPatienceMs);
      if (heard.outcome != Stage::Outcome::kReply) break;
      EXPECT_NE(heard.reply.text, "FORGED") << Quoted(request[0]);
      EXPECT_TRUE(heard.reply.type != Reply::Type::kError ||
                  heard.reply.text.find('\n') == std::string::npos);
      // A subscriber's PONG is an array.
      pong = FormatReply(heard.reply).find("PONG") != std::string::npos ||
             FormatReply(heard.reply).find("pong") != std::string::npos;
    }
    EXPECT_TRUE(pong) << Quoted(request[0]);
  }
}

TEST_F(HostileTest, OverLongPathsAreRefused) {
  const TemporaryDirectory home;
  for (const size_t length : {108u, 5'000u, 100'000u}) {
    const std::string path = home.path() + "/" + std::string(length, 'a');
    for (const char* option : {"--unixsocket", "--pidfile", "--logfile", "--aclfile", "--dir"}) {
      if (length == 108 && std::string_view(option) != "--unixsocket") continue;  // a name like another
      const ProgramResult result = RunProgram({ServerProcess::Binary(), "--port", std::to_string(FreePort()),
                                               "--dir", home.path() + "/data", option, path});
      EXPECT_NE(result.status, 0) << option << " " << length;
      EXPECT_LT(result.status, 128) << option << " " << length;
    }
    EXPECT_NE(RunProgram({ServerProcess::Binary(), path}).status, 0);
  }
}

// bind, chmod, listen: whoever connects before is refused by the kernel.
TEST_F(HostileTest, TheSocketIsNobodyElsesBeforeItHasItsMode) {
  const TemporaryDirectory home;
  const std::string path = home.path() + "/socket";
  const std::string trace = home.path() + "/trace";
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t traced =
      StartProgram({"strace", "-f", "-o", trace, "-e", "trace=bind,chmod,fchmod,fchmodat,listen",
                    ServerProcess::Binary(), "--port", "0", "--dir", home.path() + "/data",
                    "--spare-segments", "0", "--unixsocket", path, "--unixsocketperm", "700"},
                   nowhere, nowhere);
  ::close(nowhere);
  const Deadline deadline(kPatience);
  while (RunProgram({"redis-cli", "-s", path, "PING"}).output != "PONG\n") {
    ASSERT_FALSE(deadline.over()) << "the server does not come up";
  }
  RunProgram({"redis-cli", "-s", path, "SHUTDOWN", "NOSAVE"});
  ASSERT_TRUE(WaitForExit(traced, kPatience).has_value());
  std::ifstream file(trace);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string calls = text.str();
  const size_t bound = calls.find("bind(");
  const size_t mode = calls.find("chmod");
  const size_t listening = calls.find("listen(");
  ASSERT_NE(listening, std::string::npos) << calls;
  ASSERT_NE(mode, std::string::npos) << calls;
  EXPECT_LT(bound, mode) << calls;
  EXPECT_LT(mode, listening) << calls;
}

TEST_F(HostileTest, DefaultsAreCautious) {
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"bind", "127.0.0.1 -::1"},
      {"protected-mode", "yes"},
      {"enable-debug-command", "no"},
      {"maxclients", "10000"},
      {"timeout", "0"},
      {"tcp-keepalive", "300"},
      {"proto-max-bulk-len", std::to_string(64 * kMebibyte)},
      {"metrics-port", "0"},
      {"tls-auth-clients", "yes"},
      {"acl-pubsub-default", "resetchannels"}};
  const ServerProcess plain;
  RedisClient client(plain.port());
  for (const auto& [name, value] : wanted) {
    EXPECT_EQ(TextOf(ElementOf(*client.Do({"CONFIG", "GET", name}), 1)), value) << name;
  }
  EXPECT_THAT(std::string(TextOf(ElementOf(*client.Do({"CONFIG", "GET", "client-output-buffer-limit"}), 1))),
              StartsWith("normal 268435456 0 0"));
  for (const char* refused : {"DEBUG", "MODULE", "RESTORE", "EVAL", "MIGRATE"}) {
    EXPECT_THAT(Heard(client, {refused, "LOAD", "x", "y"}), StartsWith("ERR")) << refused;
  }
  for (const char* at_start :
       {"port", "dir", "bind", "aclfile", "enable-debug-command", "unixsocket", "logfile"}) {
    EXPECT_THAT(Heard(client, {"CONFIG", "SET", at_start, "yes"}), HasSubstr("immutable")) << at_start;
  }
}

}  // namespace
}  // namespace sluice::tests
