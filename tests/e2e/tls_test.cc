// TLS against the built server: who gets in, what they are served, and how connections end.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/harness/program.h"
#include "tests/harness/redis.h"
#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/tls_client.h"

namespace sluice::tests {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

class TlsTest : public testing::Test {
 protected:
  TlsTest() { files_.Sign("server"); }

  // Beside the plain port.
  void Start(Words more = {"--tls-auth-clients", "no"}) {
    port_ = FreePort();
    Words options = {
        "--tls-port",         std::to_string(port_), "--tls-cert-file", files_.certificate("server"),
        "--tls-key-file",     files_.key("server"),  "--loglevel",      "verbose",
        "--tls-ca-cert-file", files_.authority()};
    options.insert(options.end(), more.begin(), more.end());
    server_ = std::make_unique<ServerProcess>(options);
  }

  TlsClient::Options Trusting() const {
    return {.authority = files_.authority(), .certificate = "", .key = ""};
  }
  TlsClient::Options Showing(const TlsFiles& files, const std::string& name) const {
    return {.authority = files_.authority(), .certificate = files.certificate(name), .key = files.key(name)};
  }
  // True where a client with these options is served.
  bool Served(const TlsClient::Options& options) {
    TlsClient client(port_, options);
    return client.connected() && client.Send("PING\r\n") && client.Read(7) == "+PONG\r\n";
  }
  RedisReply Ask(const Words& words) { return RedisClient(server_->port()).Do(words); }
  std::string Refusal(const Words& words) {
    RedisClient client(server_->port());
    client.Append(words);
    const RedisReply reply = client.Receive();
    return reply && reply->type == REDIS_REPLY_ERROR ? std::string(TextOf(*reply)) : "";
  }

  TemporaryDirectory home_;
  TlsFiles files_{home_.path(), "ours"};
  uint16_t port_ = 0;
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(TlsTest, ServesBothVersionsAndBigMessages) {
  Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient::Options options = Trusting();
    options.min_version = options.max_version = version;
    TlsClient client(port_, options);
    ASSERT_TRUE(client.connected()) << client.error();
    EXPECT_EQ(client.ServerName(), "server");
    std::string many;
    std::string answers;
    for (int i = 0; i < 2000; ++i) {
      many += EncodeRequest({"ECHO", std::to_string(1000 + i)});
      answers += "$4\r\n" + std::to_string(1000 + i) + "\r\n";
    }
    ASSERT_TRUE(client.Send(many));
    EXPECT_EQ(client.Read(answers.size()), answers);
    std::string big(5'000'000, ' ');
    for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i * 7 % 23);
    ASSERT_TRUE(client.Send(EncodeRequest({"SET", "big", big})));
    EXPECT_EQ(client.Read(5), "+OK\r\n");
    // Several in one go: more than a slice, and more than the socket takes.
    ASSERT_TRUE(client.Send(EncodeRequest({"MGET", "big", "big", "big"})));
    const std::string bulk = "$5000000\r\n" + big + "\r\n";
    EXPECT_TRUE(client.Read(4) == "*3\r\n");
    EXPECT_TRUE(client.Read(3 * bulk.size()) == bulk + bulk + bulk);
  }
  EXPECT_STREQ(Ask({"PING"})->str, "PONG") << "the plain port serves too";
}

TEST_F(TlsTest, RedisCliConnects) {
  Start();
  const Words cli = {"redis-cli", "-p", std::to_string(port_), "--tls", "--cacert", files_.authority()};
  Words ping = cli;
  ping.insert(ping.end(), {"--sni", "server", "XADD", "s", "1-1", "f", "v"});
  EXPECT_EQ(RunProgram(ping).output, "1-1\n");
  // From a pipe, with requests that follow before the replies.
  EXPECT_EQ(RunProgram(cli, "PING\nXLEN s\n").output, "PONG\n1\n");
}

TEST_F(TlsTest, APortOfItsOwnIsEnough) {
  port_ = FreePort();
  const std::string conf = home_.path() + "/only-tls.conf";
  std::ofstream(conf) << "port 0\ntls-port " << port_ << "\ntls-auth-clients no\ntls-cert-file "
                      << files_.certificate("server") << "\ntls-key-file " << files_.key("server") << "\n";
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t pid = StartProgram({ServerProcess::Binary(), conf, "--dir", home_.path() + "/data",
                                  "--segment-bytes", "1mb", "--spare-segments", "0"},
                                 nothing, nothing);
  const Deadline deadline(kPatience);
  bool served = false;
  while (!served && !deadline.over()) {
    try {
      served = Served(Trusting());
    } catch (const std::runtime_error&) {  // does not listen yet
    }
  }
  EXPECT_TRUE(served);
  ::kill(pid, SIGTERM);
  EXPECT_EQ(WaitForExit(pid, kPatience), 0);
  ::close(nothing);
}

TEST_F(TlsTest, ClientsShowACertificate) {
  files_.Sign("client");
  const TlsFiles theirs(home_.path(), "theirs");
  theirs.Sign("stranger");

  Start({"--tls-auth-clients", "yes"});
  EXPECT_TRUE(Served(Showing(files_, "client")));
  EXPECT_FALSE(Served(Showing(theirs, "stranger")));
  EXPECT_FALSE(Served(Trusting()));

  Ask({"CONFIG", "SET", "tls-auth-clients", "optional"});
  EXPECT_TRUE(Served(Showing(files_, "client")));
  EXPECT_FALSE(Served(Showing(theirs, "stranger")));
  EXPECT_TRUE(Served(Trusting()));

  Ask({"CONFIG", "SET", "tls-auth-clients", "no"});
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, VersionsAndCiphersAreTheOperators) {
  Start();
  TlsClient::Options old = Trusting();
  old.max_version = TLS1_1_VERSION;
  EXPECT_FALSE(Served(old));
  TlsClient::Options two = Trusting();
  two.max_version = TLS1_2_VERSION;
  EXPECT_TRUE(Served(two));

  Ask({"CONFIG", "SET", "tls-protocols", "TLSv1.3", "tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"});
  EXPECT_FALSE(Served(two));
  TlsClient client(port_, Trusting());
  ASSERT_TRUE(client.connected()) << client.error();
  EXPECT_STREQ(SSL_get_cipher_name(client.ssl()), "TLS_CHACHA20_POLY1305_SHA256");

  for (const Words& wrong : {Words{"tls-protocols", "TLSv1.1"}, Words{"tls-protocols", ""},
                             Words{"tls-ciphers", "nonsense"}, Words{"tls-ciphersuites", "nonsense"}}) {
    EXPECT_THAT(Refusal({"CONFIG", "SET", wrong[0], wrong[1]}),
                HasSubstr(wrong[0] + "') - Unable to update TLS"));
  }
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, CertificatesAreReloadedAllOrNothing) {
  Start();
  TlsClient before(port_, Trusting());
  ASSERT_EQ(before.ServerName(), "server");
  files_.Sign("renewed", "open sesame");
  const Words renewed = {
      "CONFIG",  "SET", "tls-cert-file", files_.certificate("renewed"), "tls-key-file", files_.key("renewed"),
      "timeout", "77"};
  EXPECT_THAT(Refusal(renewed), HasSubstr("Unable to update TLS configuration")) << "the key has a password";
  EXPECT_STREQ(ElementOf(*Ask({"CONFIG", "GET", "timeout"}), 1).str, "0");
  EXPECT_THAT(Refusal({"CONFIG", "SET", "tls-cert-file", files_.certificate("renewed")}),
              HasSubstr("key values mismatch"));
  EXPECT_THAT(Refusal({"CONFIG", "SET", "tls-cert-file", "/no/such/file"}), HasSubstr("/no/such/file"));
  EXPECT_EQ(TlsClient(port_, Trusting()).ServerName(), "server");

  Words with_password = renewed;
  with_password.insert(with_password.end(), {"tls-key-file-pass", "open sesame"});
  Ask(with_password);
  EXPECT_EQ(TlsClient(port_, Trusting()).ServerName(), "renewed");
  ASSERT_TRUE(before.Send("PING\r\n"));
  EXPECT_EQ(before.Read(7), "+PONG\r\n") << "who is connected stays so";

  // The same path, another certificate in the file: what a renewal by a script looks like.
  files_.Sign("server");
  Ask({"CONFIG", "SET", "tls-cert-file", files_.certificate("server"), "tls-key-file", files_.key("server"),
       "tls-key-file-pass", ""});
  EXPECT_EQ(TlsClient(port_, Trusting()).ServerName(), "server");
  EXPECT_THAT(server_->Log(), Not(HasSubstr("sesame")));
}

TEST_F(TlsTest, AHandshakeThatIsNotFinishedEnds) {
  Start({"--tls-auth-clients", "no", "--tls-handshake-timeout", "1"});
  const int silent = ConnectTcp(port_);
  const int half = ConnectTcp(port_);
  // A record's header that announces 512 bytes of ClientHello, of which few follow.
  ASSERT_EQ(::send(half, "\x16\x03\x01\x02\x00\x01", 6, MSG_NOSIGNAL), 6);
  char byte = 0;
  EXPECT_LE(::recv(silent, &byte, 1, 0), 0);
  EXPECT_LE(::recv(half, &byte, 1, 0), 0);
  ::close(silent);
  ::close(half);
  EXPECT_THAT(server_->Log(), HasSubstr("no TLS handshake"));
  // On a machine that is busy a second is short for a sound handshake too.
  Ask({"CONFIG", "SET", "tls-handshake-timeout", "60"});
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, WhatIsNoTlsIsClosed) {
  Start();
  for (const std::string& words :
       {std::string("PING\r\n*1\r\n$4\r\nPING\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string(70000, '\x16'), std::string("\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9)}) {
    const int fd = ConnectTcp(port_);
    ::send(fd, words.data(), words.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    std::string all;
    char room[4096];
    for (ssize_t got; (got = ::recv(fd, room, sizeof room, 0)) > 0;)
      all.append(room, static_cast<size_t>(got));
    EXPECT_THAT(all, Not(HasSubstr("PONG")));
    ::close(fd);
  }
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, RenegotiationIsRefused) {
  Start();
  TlsClient::Options two = Trusting();
  two.max_version = TLS1_2_VERSION;
  TlsClient client(port_, two);
  ASSERT_TRUE(client.connected());
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
  EXPECT_TRUE(Served(two));
}

TEST_F(TlsTest, SessionsAreResumedWhereThatIsWanted) {
  Start();
  const auto resumed = [this] {
    TlsClient::Options two = Trusting();
    two.max_version = TLS1_2_VERSION;
    TlsClient first(port_, two);
    first.Send("PING\r\n");
    first.Read(7);
    SSL_SESSION* session = SSL_get1_session(first.ssl());
    // A second handshake of the same context, offering what the first one left.
    SSL* ssl = SSL_new(SSL_get_SSL_CTX(first.ssl()));
    const int fd = ConnectTcp(port_);
    SSL_set_fd(ssl, fd);
    SSL_set_session(ssl, session);
    EXPECT_EQ(SSL_connect(ssl), 1);
    const bool reused = SSL_session_reused(ssl) == 1;
    SSL_free(ssl);
    SSL_SESSION_free(session);
    ::close(fd);
    return reused;
  };
  EXPECT_TRUE(resumed());
  Ask({"CONFIG", "SET", "tls-session-caching", "no"});
  EXPECT_FALSE(resumed());
}

TEST_F(TlsTest, AnEndIsSaidAndNotMistakenForACut) {
  Start();
  TlsClient client(port_, Trusting());
  ASSERT_TRUE(client.Send("QUIT\r\n"));
  EXPECT_EQ(client.Read(6), "+OK\r\n");
  EXPECT_TRUE(client.ended_well()) << client.error();

  // The other way round: a client that has said that it sends nothing more still gets its replies.
  TlsClient leaving(port_, Trusting());
  ASSERT_TRUE(leaving.Send("PING\r\nPING\r\n"));
  SSL_shutdown(leaving.ssl());
  EXPECT_EQ(leaving.Read(15), "+PONG\r\n+PONG\r\n");
  EXPECT_TRUE(leaving.ended_well());
}

// CVE-2026-81934.
TEST_F(TlsTest, ClosingWithDataPendingInEitherDirection) {
  Start();
  TlsClient writer(port_, Trusting());
  ASSERT_TRUE(writer.Send(EncodeRequest({"SET", "big", std::string(8'000'000, 'x')})));
  ASSERT_EQ(writer.Read(5), "+OK\r\n");
  const auto reader = [this] {
    auto client = std::make_unique<TlsClient>(port_, Trusting());
    EXPECT_TRUE(client->Send(EncodeRequest({"CLIENT", "SETNAME", "reader"})));
    EXPECT_EQ(client->Read(5), "+OK\r\n");
    EXPECT_TRUE(client->Send(EncodeRequest({"MGET", "big", "big", "big"})));
    EXPECT_EQ(client->Read(4), "*3\r\n");
    return client;
  };
  // Replies pending: the client resets; it is killed; it closes its side only.
  reader()->Abort();
  const auto killed = reader();
  const std::string list(TextOf(*Ask({"CLIENT", "LIST"})));
  const size_t name = list.find("name=reader");
  ASSERT_NE(name, std::string::npos) << list;
  const size_t line = list.rfind('\n', name) + 1;
  ASSERT_EQ(list.compare(line, 3, "id="), 0) << list;
  EXPECT_EQ(Ask({"CLIENT", "KILL", "ID", list.substr(line + 3, list.find(' ', line) - line - 3)})->integer,
            1);
  EXPECT_LT(killed->Read(24'000'100).size(), 24'000'060u);
  EXPECT_FALSE(killed->ended_well()) << "what was cut short must not look whole";
  const auto half_closed = reader();
  SSL_shutdown(half_closed->ssl());
  // Requests pending: half a record, half a request, and a blocked read with more behind it.
  TlsClient half(port_, Trusting());
  ASSERT_TRUE(half.Send("*2\r\n$3\r\nGET\r\n$100\r\nhalf"));
  ASSERT_EQ(::send(half.fd(), "\x17\x03\x03\x40\x00rest", 9, MSG_NOSIGNAL), 9);
  half.Abort();
  TlsClient blocked(port_, Trusting());
  ASSERT_TRUE(blocked.Send("XREAD BLOCK 0 STREAMS s $\r\nPING\r\n"));
  blocked.Abort();
  EXPECT_TRUE(Served(Trusting()));
  // The server's own end, with replies pending.
  const auto last = reader();
  EXPECT_EQ(server_->Stop(), 0) << server_->Log();
}

TEST_F(TlsTest, ForgedRecordsEndTheConnection) {
  Start();
  TlsClient client(port_, Trusting());
  ASSERT_TRUE(client.Send("PING\r\n"));
  ASSERT_EQ(client.Read(7), "+PONG\r\n");
  const std::string forged = std::string("\x17\x03\x03\x00\x40", 5) + std::string(64, 'f');
  ASSERT_EQ(::send(client.fd(), forged.data(), forged.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(forged.size()));
  EXPECT_EQ(client.Read(1), "");
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, BeyondMaxclientsThereIsNoHandshake) {
  Start();
  TlsClient first(port_, Trusting());
  ASSERT_TRUE(first.connected());
  RedisClient second(server_->port());
  // Who asked whether the server is up has gone when there are two.
  const Deadline deadline(kPatience);
  while (TextOf(*second.Do({"INFO", "clients"})).find("connected_clients:2\r\n") == std::string::npos) {
    ASSERT_FALSE(deadline.over());
  }
  second.Do({"CONFIG", "SET", "maxclients", "2"});
  EXPECT_FALSE(TlsClient(port_, Trusting()).connected());
  ASSERT_TRUE(first.Send("PING\r\n"));
  EXPECT_EQ(first.Read(7), "+PONG\r\n");
  second.Do({"CONFIG", "SET", "maxclients", "3"});
  EXPECT_TRUE(Served(Trusting()));
}

TEST_F(TlsTest, AStartThatCannotWorkSaysWhy) {
  const auto says = [this](Words options) {
    options.insert(options.begin(), {ServerProcess::Binary(), "--port", "0", "--tls-port",
                                     std::to_string(FreePort()), "--dir", home_.path() + "/data"});
    const ProgramResult result = RunProgram(options);
    EXPECT_EQ(result.status, 1);
    return result.output;
  };
  const std::string certificate = files_.certificate("server");
  EXPECT_THAT(says({}), HasSubstr("tls-cert-file: no certificate is named"));
  EXPECT_THAT(says({"--tls-cert-file", certificate}), HasSubstr("tls-key-file: no key is named"));
  EXPECT_THAT(says({"--tls-cert-file", certificate, "--tls-key-file", files_.key("server")}),
              HasSubstr("tls-auth-clients: tls-ca-cert-file or tls-ca-cert-dir"));
  EXPECT_THAT(says({"--tls-cert-file", "/no/such", "--tls-key-file", files_.key("server")}),
              HasSubstr("/no/such"));
}

}  // namespace
}  // namespace sluice::tests
