// flash-sale as somebody calls it: a sale is proven, also under kill -9; what a thief does to it is found.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"

namespace sluice::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Arguments = std::vector<std::string>;

ProgramResult FlashSale(Arguments arguments) {
  arguments.insert(arguments.begin(), SLUICE_FLASH_SALE_BINARY);
  return RunProgram(arguments);
}

// A sale of a moment; what is said later counts.
Arguments Small(const ServerProcess& server, Arguments more = {}) {
  Arguments all = {"--port",     std::to_string(server.port()),
                   "--item",     "sale",
                   "--stock",    "200",
                   "--tries",    "20000",
                   "--users",    "4000",
                   "--clients",  "10",
                   "--pipeline", "16",
                   "--quiet"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string Number(const std::string& json, const std::string& name) {
  const std::string before = "\"" + name + "\": ";
  const size_t at = json.find(before);
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in:\n" + json);
  return json.substr(at + before.size(), json.find_first_of(",}", at) - at - before.size());
}

TEST(FlashSale, ASaleIsProvenAndCleanedUp) {
  ServerProcess server;
  const ProgramResult sale = FlashSale(Small(server, {"--json"}));
  EXPECT_EQ(sale.status, 0) << sale.output;
  EXPECT_EQ(Number(sale.output, "proven"), "true");
  EXPECT_EQ(Number(sale.output, "sold"), "200");
  EXPECT_EQ(Number(sale.output, "tries"), "20000");
  EXPECT_GT(std::stoull(Number(sale.output, "replays")), 0u) << "winners click twice";
  RedisClient client(server.port());
  EXPECT_EQ(client.Do({"EXISTS", "sale", "sale:orders"})->integer, 0);

  const ProgramResult told =
      FlashSale(Small(server, {"--limit", "3", "--no-reqid", "--workers", "0", "--keep"}));
  EXPECT_EQ(told.status, 0) << told.output;
  EXPECT_THAT(told.output, AllOf(HasSubstr("ok     200 pieces: 200 sold"), HasSubstr("the proof holds")));
  EXPECT_EQ(client.Do({"XLEN", "sale:orders"})->integer, 200);
  const ProgramResult again = FlashSale(Small(server));
  EXPECT_EQ(again.status, 3) << "what stands there is not ours to sell";
  EXPECT_THAT(again.output, HasSubstr("exists already"));
}

TEST(FlashSale, HoldsArePaidOrRunOut) {
  ServerProcess server({"--hold-grace-ms", "0"});
  const ProgramResult sale = FlashSale(Small(server, {"--hold", "300", "--paid", "0.5", "--json"}));
  EXPECT_EQ(sale.status, 0) << sale.output;
  EXPECT_EQ(Number(sale.output, "held"), "0");
  EXPECT_EQ(Number(sale.output, "sold"), Number(sale.output, "confirmed"));
  EXPECT_GT(std::stoull(Number(sale.output, "confirmed")), 0u);
  EXPECT_GT(std::stoull(Number(sale.output, "left")), 0u);
}

TEST(FlashSale, KillsAreSurvived) {
  const ProgramResult sale = FlashSale({"--server",
                                        ServerProcess::Binary(),
                                        "--server-option",
                                        "spare-segments 0",
                                        "--chaos",
                                        "--kills",
                                        "3",
                                        "--stock",
                                        "300",
                                        "--tries",
                                        "20000",
                                        "--users",
                                        "4000",
                                        "--hold",
                                        "300",
                                        "--clients",
                                        "20",
                                        "--seed",
                                        "7",
                                        "--json",
                                        "--quiet"});
  EXPECT_EQ(sale.status, 0) << sale.output;
  EXPECT_EQ(Number(sale.output, "proven"), "true");
  EXPECT_GE(std::stoull(Number(sale.output, "kills")), 3u);
  EXPECT_GT(std::stoull(Number(sale.output, "unanswered")), 0u);
}

// Runs a sale while `steal` is called again and again, until it has stolen.
ProgramResult SaleWithThief(const ServerProcess& server, const std::function<bool(RedisClient&)>& steal) {
  std::atomic<bool> over = false;
  std::thread thief([&] {
    RedisClient client(server.port());
    while (!over && (client.Do({"EXISTS", "sale:orders"})->integer == 0 || !steal(client)))
      std::this_thread::yield();
  });
  const ProgramResult sale = FlashSale(Small(server, {"--tries", "60000"}));
  over = true;
  thief.join();
  return sale;
}

TEST(FlashSale, AnOrderThatNobodyPlacedIsFound) {
  ServerProcess server;
  const ProgramResult sale = SaleWithThief(server, [](RedisClient& client) {
    client.Do({"XADD", "sale:orders", "*", "event", "order", "item", "sale", "order", "1-1", "user", "u1",
               "qty", "1"});
    return true;
  });
  EXPECT_EQ(sale.status, 1) << sale.output;
  EXPECT_THAT(sale.output, AllOf(HasSubstr("WRONG  the stream's 201 entries"),
                                 HasSubstr("tells of the order 1-1"), HasSubstr("THE PROOF DOES NOT HOLD")));
}

TEST(FlashSale, ABuyerOfAnotherSaleIsFound) {
  ServerProcess server;
  const ProgramResult sale = SaleWithThief(server, [](RedisClient& client) {
    return client.Do({"SECKILL.TRY", "sale", "thief"})->integer != 5;
  });
  if (sale.status == 0) {
    // He came when all was sold.
    EXPECT_THAT(sale.output, HasSubstr("200 pieces: 200 sold"));
    FAIL() << "the thief was too slow";
  }
  EXPECT_EQ(sale.status, 1);
  EXPECT_THAT(sale.output, HasSubstr("of 'thief' is nobody's of this sale"));
}

TEST(FlashSale, AnOrderThatIsLostIsFound) {
  ServerProcess server;
  const ProgramResult sale = SaleWithThief(server, [](RedisClient& client) {
    const RedisReply first = client.Do({"XRANGE", "sale:orders", "-", "+", "COUNT", "1"});
    if (first->elements == 0) return false;
    return client.Do({"XDEL", "sale:orders", std::string(TextOf(ElementOf(ElementOf(*first, 0), 0)))})
               ->integer == 1;
  });
  EXPECT_EQ(sale.status, 1) << sale.output;
  EXPECT_THAT(sale.output, HasSubstr("is missing in the stream"));
}

TEST(FlashSale, WrongOptions) {
  const std::string huge(100'000, '9');
  for (const Arguments& wrong : std::vector<Arguments>{{"--stock", "0"},
                                                       {"--stock", "-1"},
                                                       {"--stock", huge},
                                                       {"--paid", "1.5"},
                                                       {"--tries", ""},
                                                       {"--chaos"},
                                                       {"--dir", "/tmp"},
                                                       {"--kills", "3"},
                                                       {"--no-such-option"},
                                                       {"a word"},
                                                       {"--threads", "60"},
                                                       {"--item", std::string(2000, 'x')},
                                                       {"--hold", "5", "--workers", "0"},
                                                       {"--server", "x", "--server-option", "appendfsync"},
                                                       {"--server", "x", "--chaos", "--due", "5"},
                                                       {"--p99-below", "1"},
                                                       {"--port", "65536"}}) {
    const ProgramResult result = FlashSale(wrong);
    EXPECT_EQ(result.status, 2) << wrong[0] << "\n" << result.output.substr(0, 500);
    EXPECT_THAT(result.output, HasSubstr("flash-sale: "));
  }
  const ProgramResult help = FlashSale({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("--double-clicks"), HasSubstr("Exit status")));
}

TEST(FlashSale, NoServerOrNoAccess) {
  const ProgramResult none = FlashSale({"--port", std::to_string(FreePort()), "--patience", "1"});
  EXPECT_EQ(none.status, 3);
  EXPECT_THAT(none.output, HasSubstr("no server at 127.0.0.1:"));
  const ProgramResult no_program = FlashSale({"--server", "/nowhere/sluice-server"});
  EXPECT_EQ(no_program.status, 3);
  EXPECT_THAT(no_program.output, HasSubstr("the server does not start"));
  const ProgramResult no_option =
      FlashSale({"--server", ServerProcess::Binary(), "--server-option", "no-such 1"});
  EXPECT_EQ(no_option.status, 3);
  EXPECT_THAT(no_option.output, HasSubstr("unknown option '--no-such'"));

  ServerProcess server({"--requirepass", "secret"});
  EXPECT_THAT(FlashSale(Small(server)).output, HasSubstr("wants a password"));
  const ProgramResult wrong = FlashSale(Small(server, {"--password", "wrong"}));
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.output, HasSubstr("refuses the login"));
  EXPECT_EQ(FlashSale(Small(server, {"--password", "secret"})).status, 0);
}

TEST(FlashSale, AnInterruptEndsItAndCleansUp) {
  TemporaryDirectory home;
  ServerProcess server;
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  Arguments words = Small(server, {"--tries", "100000000"});
  words.insert(words.begin(), SLUICE_FLASH_SALE_BINARY);
  const pid_t child = StartProgram(words, nothing, nothing);
  RedisClient client(server.port());
  const Deadline deadline(kPatience);
  while (client.Do({"XLEN", "sale:orders"})->integer == 0 && !deadline.over()) std::this_thread::yield();
  ::kill(child, SIGINT);
  EXPECT_EQ(WaitForExit(child, kPatience), 130);
  EXPECT_EQ(client.Do({"EXISTS", "sale", "sale:orders"})->integer, 0);

  // A server that it started goes with it, and so does the data folder.
  ::setenv("TMPDIR", home.path().c_str(), 1);
  const pid_t other = StartProgram({SLUICE_FLASH_SALE_BINARY, "--server", ServerProcess::Binary(),
                                    "--server-option", "spare-segments 0", "--tries", "100000000", "--quiet"},
                                   nothing, nothing);
  ::unsetenv("TMPDIR");
  ::close(nothing);
  const auto serves = [&] {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
      if (entry.path().extension() == ".log" && entry.path().filename() != "server.log") return true;
    }
    return false;
  };
  while (!serves() && !deadline.over()) std::this_thread::yield();
  ::kill(other, SIGTERM);
  EXPECT_EQ(WaitForExit(other, kPatience), 130);
  EXPECT_TRUE(std::filesystem::is_empty(home.path()));
}

// By hand, on a machine of one's own: flash-sale --due 1000000 --server ..., with its own bounds.
TEST(FlashSale, HoldsThatRunOutTogether) {
  const ProgramResult due = FlashSale({"--server", ServerProcess::Binary(), "--due", "10000", "--due-in", "4",
                                       "--within", "20", "--buys-per-second", "1000", "--p99-below", "0.0001",
                                       "--probes-per-second", "200", "--quiet"});
  EXPECT_EQ(due.status, 1) << "nobody is that quick:\n" << due.output;
  EXPECT_THAT(due.output, AllOf(HasSubstr("ok     all holds ended within 20 s"),
                                HasSubstr("WRONG  the others' p99"), HasSubstr("ok     SECKILL.AUDIT")));
}

// Whatever the speed of the machine: others have their turn while holds end, and see how they become fewer.
TEST(FlashSale, OthersAreServedWhileHoldsEnd) {
  // The grace keeps all of them until they are long due.
  ServerProcess server({"--hold-grace-ms", "3600000"});
  RedisClient client(server.port());
  constexpr int64_t kHolds = 20'000;
  client.Do({"SECKILL.CREATE", "sale", "STOCK", std::to_string(kHolds), "HOLD", "1"});
  for (int64_t i = 0; i < kHolds; ++i) client.Append({"SECKILL.TRY", "sale", "u" + std::to_string(i)});
  for (int64_t i = 0; i < kHolds; ++i) ASSERT_EQ(client.Receive()->integer, 0);
  const auto held = [&] { return ElementOf(*client.Do({"SECKILL.GET", "sale"}), 5).integer; };
  ASSERT_EQ(held(), kHolds);
  client.Do({"CONFIG", "SET", "hold-grace-ms", "0"});
  int seen = 0;
  const Deadline deadline(kPatience);
  for (int64_t left = kHolds; left > 0 && !deadline.over();) {
    left = held();
    if (left > 0 && left < kHolds) ++seen;
  }
  EXPECT_EQ(held(), 0);
  EXPECT_GE(seen, 10);
}

}  // namespace
}  // namespace sluice::tests
