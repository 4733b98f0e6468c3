// What clients see while the disk stands still.

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/unit/net_fixture.h"

namespace sluice::net {
namespace {

using storage::Result;

// A disk that stands still on request: writes of the log wait until it moves again.
class StallingFileSystem : public storage::MemoryFileSystem {
 public:
  Result<std::unique_ptr<storage::File>> Open(const std::string& path, storage::OpenMode mode) override {
    auto file = MemoryFileSystem::Open(path, mode);
    if (!file) return tl::make_unexpected(file.error());
    return std::make_unique<StallingFile>(*this, std::move(*file));
  }
  void Stall(bool on) {
    {
      const std::lock_guard lock(mutex_);
      stalled_ = on;
    }
    moved_.notify_all();
  }

 private:
  class StallingFile : public storage::File {
   public:
    StallingFile(StallingFileSystem& files, std::unique_ptr<storage::File> file)
        : files_(files), file_(std::move(file)) {}
    Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                             bool durable) override {
      files_.WaitWhileStalled();
      return file_->WriteBlocks(offset, blocks, last, durable);
    }
    Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
      return file_->ReadAt(offset, into);
    }
    Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override {
      return file_->WriteAt(offset, bytes);
    }
    Result<void> Sync() override { return file_->Sync(); }
    Result<void> Allocate(uint64_t bytes) override { return file_->Allocate(bytes); }
    Result<uint64_t> Size() override { return file_->Size(); }
    Result<std::shared_ptr<const char>> Map(uint64_t bytes) override { return file_->Map(bytes); }
    int fd() const override { return -1; }

   private:
    StallingFileSystem& files_;
    std::unique_ptr<storage::File> file_;
  };

  void WaitWhileStalled() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return !stalled_; });
  }

  std::mutex mutex_;
  std::condition_variable moved_;
  bool stalled_ = false;
};

class StallTest : public ServerTest {
 protected:
  storage::FileSystem& Files() override { return disk_; }
  storage::LogOptions LogOptions() const override {
    storage::LogOptions options = ServerTest::LogOptions();
    options.commit_path = storage::CommitPath::kThread;
    return options;
  }
  void TearDown() override {
    disk_.Stall(false);
    Stop();
    journal_.reset();
  }

  StallingFileSystem disk_;
};

// True where nothing arrives although the server has meanwhile answered others, twice.
bool Silent(const Client& client) {
  for (int i = 0; i < 2; ++i) Client(SocketPath()).Expect({"PING"}, "+PONG\r\n");
  return !client.HasAnswer();
}

// How many commands each client has had executed, as CLIENT LIST tells: that one shows no state, so it
// answers while the disk stands still.
uint64_t CommandsOf(Client& observer, const std::string& name) {
  if (!observer.Send("CLIENT LIST\r\nECHO end\r\n")) return 0;
  const std::string list = observer.ReadUntil(Bulk("end"));
  const size_t line = list.find(" name=" + name + " ");
  const size_t count = list.find(" tot-cmds=", line);
  if (line == std::string::npos || count == std::string::npos) return 0;
  return std::stoull(list.substr(count + 10));
}

TEST_F(StallTest, NobodySeesWhatIsNotCommittedAndTheRestGoesOn) {
  Start();
  Client reader(SocketPath());
  Client blocked(SocketPath());
  Client writer(SocketPath());
  ASSERT_TRUE(blocked.Send("CLIENT SETNAME b\r\nXREAD BLOCK 0 STREAMS s $\r\n"));
  EXPECT_EQ(blocked.Read(5), "+OK\r\n");
  disk_.Stall(true);
  ASSERT_TRUE(writer.Send(Request({"XADD", "s", "1-1", "f", "v"}) + "PING\r\n"));
  EXPECT_TRUE(Silent(writer));
  ASSERT_TRUE(reader.Send("XLEN s\r\n"));
  EXPECT_TRUE(Silent(reader));
  EXPECT_TRUE(Silent(blocked));

  disk_.Stall(false);
  EXPECT_EQ(writer.Read(16), "$3\r\n1-1\r\n+PONG\r\n");
  EXPECT_EQ(reader.Read(4), ":1\r\n");
  EXPECT_EQ(blocked.Read(4), "*1\r\n");
}

TEST_F(StallTest, WritersWaitWhenTooMuchIsUncommitted) {
  Start("max-uncommitted-bytes 1mb");
  Client observer(SocketPath());
  Client writer(SocketPath());
  Client late(SocketPath());
  writer.Expect({"CLIENT", "SETNAME", "writer"}, "+OK\r\n");
  late.Expect({"CLIENT", "SETNAME", "late"}, "+OK\r\n");
  const std::string half_megabyte(1 << 19, 'x');
  disk_.Stall(true);
  std::thread sender([&] { writer.Send(Times(8, Request({"SET", "k", half_megabyte}))); });
  // Two values are a megabyte: the third one waits, and so does everybody else's write.
  while (CommandsOf(observer, "writer") < 3 && !HasFailure()) {
  }
  EXPECT_TRUE(late.Send(Request({"PING"}) + Request({"SET", "n", "1"})));
  EXPECT_EQ(late.Read(7), "+PONG\r\n");
  EXPECT_TRUE(Silent(late));
  EXPECT_EQ(CommandsOf(observer, "writer"), 3u);
  EXPECT_EQ(CommandsOf(observer, "late"), 2u);

  disk_.Stall(false);
  const std::string replies = Times(8, "+OK\r\n");
  EXPECT_EQ(writer.Read(replies.size()), replies);
  EXPECT_EQ(late.Read(5), "+OK\r\n");
  sender.join();
}

}  // namespace
}  // namespace sluice::net
