// A connection whose command waits for the disk, among others that do not.
#include <condition_variable>
#include <mutex>

#include "tests/unit/net_fixture.h"

namespace sluice::net {
namespace {

// Everything is away until the test lets the disk go on.
class SlowDisk : public storage::PageCache {
 public:
  bool Has(std::span<const char>) override {
    const std::lock_guard lock(mutex_);
    return goes_on_;
  }
  void Announce(std::span<const char>) override {}
  void BringIn(std::span<const char>) override {
    std::unique_lock lock(mutex_);
    ++reads_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return goes_on_; });
  }

  void WaitForRead() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reads_ != 0; });
  }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    goes_on_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool goes_on_ = false;
  uint64_t reads_ = 0;
};

class ColdConnectionTest : public ServerTest {
 protected:
  storage::LogOptions LogOptions() const override {
    storage::LogOptions options = ServerTest::LogOptions();
    options.segment_bytes = 64 << 10;
    options.tail_cache_bytes = 0;
    return options;
  }
  storage::ColdReadOptions ColdReadOptions() override { return {.pages = &disk_}; }

  void SetUp() override {
    Start();
    Client writer(SocketPath());
    const std::string value(1000, 'x');
    for (int i = 1; i <= 200; ++i) {
      const std::string id = std::to_string(i) + "-0";
      writer.Expect({"XADD", "s", id, "v", value}, Bulk(id));
    }
  }
  void TearDown() override {
    disk_.GoOn();
    Stop();
  }

  static std::string Entry(int i) {
    return "*2\r\n" + Bulk(std::to_string(i) + "-0") + "*2\r\n" + Bulk("v") + Bulk(std::string(1000, 'x'));
  }

  SlowDisk disk_;
};

TEST_F(ColdConnectionTest, OthersAreServedAndItsOwnRepliesKeepTheirOrder) {
  Client reader(SocketPath());
  ASSERT_TRUE(reader.Send("ECHO before\r\nXRANGE s 5 6\r\nECHO between\r\nXRANGE s 7 7\r\nECHO after\r\n"));
  const std::string before = Bulk("before");
  EXPECT_EQ(reader.Read(before.size()), before);
  disk_.WaitForRead();
  Client other(SocketPath());
  other.Expect({"XADD", "s", "201-0", "v", "new"}, Bulk("201-0"));
  other.Expect({"PING"}, "+PONG\r\n");
  EXPECT_FALSE(reader.HasAnswer());
  disk_.GoOn();
  const std::string rest =
      "*2\r\n" + Entry(5) + Entry(6) + Bulk("between") + "*1\r\n" + Entry(7) + Bulk("after");
  EXPECT_EQ(reader.Read(rest.size()), rest);
}

TEST_F(ColdConnectionTest, WhoOnlySendsNoMoreIsAnsweredBeforeTheEnd) {
  Client reader(SocketPath());
  ASSERT_TRUE(reader.Send("XRANGE s 5 5\r\nECHO last\r\nXRANGE s 6 6\r\n"));
  reader.EndSending();
  disk_.WaitForRead();
  Client other(SocketPath());
  other.Expect({"PING"}, "+PONG\r\n");
  disk_.GoOn();
  EXPECT_EQ(reader.ReadAll(), "*1\r\n" + Entry(5) + Bulk("last") + "*1\r\n" + Entry(6));
}

TEST_F(ColdConnectionTest, KillingTheClientAndStoppingTheServerWaitForNoCall) {
  Client reader(SocketPath());
  ASSERT_TRUE(reader.Send("CLIENT ID\r\nXRANGE s 5 5\r\n"));
  const std::string id = reader.ReadUntil("\r\n").substr(1);
  disk_.WaitForRead();
  Client other(SocketPath());
  other.Expect({"CLIENT", "KILL", "ID", id.substr(0, id.size() - 2)}, ":1\r\n");
  EXPECT_EQ(reader.ReadAll(), "");
  Client second(SocketPath());
  ASSERT_TRUE(second.Send("XRANGE s 5 5\r\n"));
  ASSERT_TRUE(other.Send("SHUTDOWN\r\n"));
  disk_.GoOn();
  EXPECT_EQ(other.ReadAll(), "");
  thread_.join();
}

}  // namespace
}  // namespace sluice::net
