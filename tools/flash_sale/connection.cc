#include "tools/flash_sale/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>
#include <vector>

namespace sluice::flash_sale {
namespace {

bool StartsWith(const redisReply& reply, std::string_view prefix) {
  return std::string_view(reply.str, static_cast<size_t>(reply.len)).substr(0, prefix.size()) == prefix;
}

}  // namespace

int64_t IntegerOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_INTEGER) throw Trouble("the server's answer is no integer");
  return reply.integer;
}

std::string_view TextOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING && reply.type != REDIS_REPLY_STATUS)
    throw Trouble("the server's answer is no text");
  return {reply.str, static_cast<size_t>(reply.len)};
}

const redisReply& ElementOf(const redisReply& reply, size_t i) {
  if (reply.type != REDIS_REPLY_ARRAY || i >= reply.elements)
    throw Trouble("the server's answer is shorter than it should be");
  return *reply.element[i];
}

const redisReply* FieldOf(const redisReply& map, std::string_view name) {
  if (map.type != REDIS_REPLY_ARRAY) throw Trouble("the server's answer is no map");
  for (size_t i = 0; i + 1 < map.elements; i += 2) {
    if (TextOf(*map.element[i]) == name) return map.element[i + 1];
  }
  return nullptr;
}

bool IsNotReady(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return false;
  if (StartsWith(reply, "LOADING")) return true;
  const std::string said(reply.str, static_cast<size_t>(reply.len));
  if (StartsWith(reply, "NOAUTH")) throw Trouble("the server wants a password (--user, --password): " + said);
  if (StartsWith(reply, "WRONGPASS")) throw Trouble("the server refuses the login: " + said);
  if (StartsWith(reply, "NOPERM")) throw Trouble("this user may not run a sale: " + said);
  throw Trouble("the server answers: " + said);
}

std::unique_ptr<Connection> Connection::Open(const Address& address, std::string& why) {
  const timeval at_most{static_cast<time_t>(address.patience_s), 0};
  redisContext* context = redisConnectWithTimeout(address.host.c_str(), address.port, at_most);
  if (context == nullptr) throw Trouble("out of memory");
  std::unique_ptr<Connection> connection(new Connection(context));
  if (context->err != 0) return why = context->errstr, nullptr;
  const int on = 1;
  setsockopt(context->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  redisSetTimeout(context, at_most);
  // The reader would give its buffer back after every large reply, and grow it again.
  context->reader->maxbuf = 0;
  if (!address.password.empty() || !address.user.empty()) {
    const std::string_view user = address.user.empty() ? std::string_view("default") : address.user;
    if (connection->Ask({"AUTH", user, address.password}) == nullptr) return why = context->errstr, nullptr;
  }
  if (connection->Ask({"PING"}) == nullptr) {
    why = context->err != 0 ? context->errstr : "it is not ready yet";
    return nullptr;
  }
  return connection;
}

std::unique_ptr<Connection> Connection::Await(const Address& address, const std::atomic<bool>& give_up) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + std::chrono::seconds(address.patience_s);
  std::string why;
  while (!give_up) {
    if (auto connection = Open(address, why)) return connection;
    if (Clock::now() >= until) throw Trouble("no server at " + address.text() + ": " + why);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return nullptr;
}

void Connection::Append(std::span<const std::string_view> words) {
  constexpr size_t kMost = 64;
  const char* texts[kMost];
  size_t lengths[kMost];
  std::vector<const char*> many;
  std::vector<size_t> their_lengths;
  const char** text = texts;
  size_t* length = lengths;
  if (words.size() > kMost) {
    many.resize(words.size());
    their_lengths.resize(words.size());
    text = many.data();
    length = their_lengths.data();
  }
  for (size_t i = 0; i < words.size(); ++i) {
    text[i] = words[i].data();
    length[i] = words[i].size();
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), text, length);
}

bool Connection::Failed() {
  broken_ = true;
  return false;
}

bool Connection::Flush() {
  int done = 0;
  while (!broken_ && done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return Failed();
  }
  return !broken_;
}

bool Connection::ReadSome() {
  if (broken_ || redisBufferRead(context_.get()) != REDIS_OK) return Failed();
  return true;
}

Reply Connection::TryReceive() {
  void* reply = nullptr;
  if (broken_ || redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return Failed(), nullptr;
  return Reply(static_cast<redisReply*>(reply));
}

Reply Connection::Receive() {
  void* reply = nullptr;
  if (broken_ || redisGetReply(context_.get(), &reply) != REDIS_OK) return Failed(), nullptr;
  Reply got(static_cast<redisReply*>(reply));
  if (IsNotReady(*got)) return nullptr;
  return got;
}

Reply Connection::AskAnything(Words words) {
  Append(words);
  void* reply = nullptr;
  if (broken_ || redisGetReply(context_.get(), &reply) != REDIS_OK) return Failed(), nullptr;
  return Reply(static_cast<redisReply*>(reply));
}

Reply Connection::Ask(std::span<const std::string_view> words) {
  Append(words);
  return Receive();
}

}  // namespace sluice::flash_sale
