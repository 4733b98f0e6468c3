#include "tests/harness/redis.h"

#include <signal.h>
#include <sys/time.h>

#include <mutex>

namespace sluice::tests {

RedisClient::RedisClient(uint16_t port) {
  // hiredis writes to sockets that may be closed.
  static std::once_flag once;
  std::call_once(once, [] { ::signal(SIGPIPE, SIG_IGN); });
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  context_.reset(redisConnectWithTimeout("127.0.0.1", port, patience));
  if (!context_ || context_->err != 0) throw std::runtime_error("hiredis cannot connect");
  redisSetTimeout(context_.get(), patience);
}

void RedisClient::Append(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data());
}

RedisReply RedisClient::Receive() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK) return nullptr;
  return RedisReply(static_cast<redisReply*>(reply));
}

RedisReply RedisClient::Do(const std::vector<std::string>& words) {
  Append(words);
  RedisReply reply = Receive();
  if (!reply) throw std::runtime_error(words[0] + ": the connection ended: " + context_->errstr);
  if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(words[0] + ": " + std::string(TextOf(*reply)));
  return reply;
}

}  // namespace sluice::tests
