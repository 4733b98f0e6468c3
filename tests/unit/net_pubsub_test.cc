// Clients that go at the moment at which something is sent to them.

#include <gtest/gtest.h>

#include "tests/unit/net_fixture.h"

namespace sluice::net {
namespace {

using PubsubTest = ServerTest;

const std::string kOk = "+OK\r\n";

// Two readers of one group wait. The first is a subscriber too, and waking it takes its output over its
// limit: it is closed in the middle of the wake-up. What it was given stays pending for it, and the second
// goes on.
TEST_F(PubsubTest, AReaderThatIsClosedWhileItIsWoken) {
  Start();
  Client admin(SocketPath());
  admin.Expect({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"}, kOk);
  admin.Expect({"CONFIG", "SET", "notify-keyspace-events", "KEA"}, kOk);
  Client doomed(SocketPath());
  ASSERT_TRUE(doomed.Send("HELLO 3\r\nPSUBSCRIBE __key*\r\n"));
  doomed.ReadUntil("psubscribe\r\n$6\r\n__key*\r\n:1\r\n");
  ASSERT_TRUE(doomed.Send("XREADGROUP GROUP g first BLOCK 0 STREAMS s >\r\n"));
  WaitForBlocked(admin, 1);
  Client second(SocketPath());
  ASSERT_TRUE(second.Send("XREADGROUP GROUP g second BLOCK 0 STREAMS s >\r\n"));
  WaitForBlocked(admin, 2);
  admin.Expect({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 0 0"}, kOk);
  admin.Expect({"XADD", "s", "1-1", "f", "v"}, "$3\r\n1-1\r\n");
  doomed.ReadAll();
  admin.Expect({"XADD", "s", "2-1", "f", "v"}, "$3\r\n2-1\r\n");
  const std::string entry = "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
  EXPECT_EQ(second.Read(entry.size()), entry);
  WaitForBlocked(admin, 0);
  admin.Expect({"PUBSUB", "NUMPAT"}, ":0\r\n");
}

// Killed within EXEC, after the entry that would have woken it: nobody is given what it waited for but the
// next in line.
TEST_F(PubsubTest, AReaderThatIsKilledBeforeItIsWoken) {
  Start();
  Client admin(SocketPath());
  admin.Expect({"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"}, kOk);
  Client doomed(SocketPath());
  ASSERT_TRUE(doomed.Send("CLIENT SETNAME doomed\r\nCLIENT ID\r\n"));
  ASSERT_EQ(doomed.Read(kOk.size()), kOk);
  const std::string id = doomed.ReadUntil("\r\n");
  ASSERT_TRUE(doomed.Send("XREADGROUP GROUP g first BLOCK 0 STREAMS s >\r\n"));
  WaitForBlocked(admin, 1);
  Client second(SocketPath());
  ASSERT_TRUE(second.Send("XREADGROUP GROUP g second BLOCK 0 STREAMS s >\r\n"));
  WaitForBlocked(admin, 2);
  admin.Expect({"MULTI"}, kOk);
  admin.Expect({"XADD", "s", "1-1", "f", "v"}, "+QUEUED\r\n");
  admin.Expect({"CLIENT", "KILL", "ID", id.substr(1, id.size() - 3)}, "+QUEUED\r\n");
  admin.Expect({"EXEC"}, "*2\r\n$3\r\n1-1\r\n:1\r\n");
  EXPECT_EQ(doomed.ReadAll(), "");
  const std::string entry = "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
  EXPECT_EQ(second.Read(entry.size()), entry);
}

// A subscriber that is closed at its limit by a message among many, and its channel's last.
TEST_F(PubsubTest, ASubscriberClosedByTheMessageItself) {
  Start("client-output-buffer-limit pubsub 64kb 0 0\n");
  Client small(SocketPath());
  small.Expect({"SUBSCRIBE", "c"}, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
  Client other(SocketPath());
  other.Expect({"SUBSCRIBE", "d"}, "*3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:1\r\n");
  Client admin(SocketPath());
  // One transaction, so one tick: the second message finds it doomed, and takes no more memory for it.
  admin.Expect({"MULTI"}, kOk);
  admin.Expect({"PUBLISH", "c", std::string(100'000, 'x')}, "+QUEUED\r\n");
  admin.Expect({"PUBLISH", "c", std::string(100'000, 'x')}, "+QUEUED\r\n");
  admin.Expect({"PUBLISH", "d", "hi"}, "+QUEUED\r\n");
  admin.Expect({"EXEC"}, "*3\r\n:1\r\n:1\r\n:1\r\n");
  EXPECT_EQ(small.ReadAll(), "");
  const std::string message = "*3\r\n$7\r\nmessage\r\n$1\r\nd\r\n$2\r\nhi\r\n";
  EXPECT_EQ(other.Read(message.size()), message);
  admin.Expect({"PUBLISH", "c", "gone"}, ":0\r\n");
}

// Whoever waits for the end of a pause may go before it.
TEST_F(PubsubTest, AClientThatGoesWhileItIsPaused) {
  Start();
  Client admin(SocketPath());
  admin.Expect({"CLIENT", "PAUSE", "60000", "WRITE"}, kOk);
  {
    Client going(SocketPath());
    ASSERT_TRUE(going.Send("SET k v\r\n"));
    WaitForBlocked(admin, 1);
  }
  WaitForBlocked(admin, 0);
  admin.Expect({"CLIENT", "UNPAUSE"}, kOk);
  admin.Expect({"GET", "k"}, "$-1\r\n");
}

}  // namespace
}  // namespace sluice::net
