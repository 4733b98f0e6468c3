// What random clients say: every command that changes state, over few keys, so that they meet.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::tests {

class Conversation {
 public:
  explicit Conversation(uint64_t seed) : random_(seed) {}

  std::vector<std::string> Next() {
    switch (random_() % 38) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        return {"XADD", Key(), "*", "field", std::string(random_() % 200, 'x')};
      case 6:
        return {"XADD", Key(), "MAXLEN", Pick({"=", "~"}), Number(40), "*", "f", "v"};
      case 7:
        return {"XADD", Key(), "NOMKSTREAM", "MINID", Id(), "*", "f", "v"};
      case 8:
        return {"XTRIM", Key(), Pick({"MAXLEN", "MINID"}), Number(50)};
      case 9:
        return {"XDEL", Key(), Id(), Id()};
      case 10:
        return {"XGROUP", "CREATE", Key(), Group(), Pick({"0", "$"}), "MKSTREAM"};
      case 11:
        return {"XGROUP", Pick({"DESTROY", "DESTROY"}), Key(), Group()};
      case 12:
        return {"XGROUP", Pick({"CREATECONSUMER", "DELCONSUMER"}), Key(), Group(), Consumer()};
      case 13:
        return {"XGROUP", "SETID", Key(), Group(), Pick({"0", "$"})};
      case 14:
      case 15:
      case 16:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "COUNT", Number(20), "STREAMS", Key(), ">"};
      case 17:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "NOACK", "STREAMS", Key(), Pick({">", "0"})};
      case 18:
        return {"XACK", Key(), Group(), Id(), Id(), Id()};
      case 19:
        return {"XAUTOCLAIM", Key(), Group(), Consumer(), "0", "-", "COUNT", "5"};
      case 20:
        return {"XCLAIM", Key(), Group(),      Consumer(), "0",
                Id(),     Id(),  "RETRYCOUNT", "7",        Pick({"FORCE", "JUSTID"})};
      case 21:
        return {Pick({"DEL", "UNLINK"}), Key()};
      case 22:
        return {"RENAME", Key(), Key()};
      case 23:
        return {"SECKILL.CREATE", "item" + Number(3),
                "STOCK",          "50",
                "STREAM",         Key(),
                "LIMIT",          "3",
                "HOLD",           "20",
                "IDEM",           "50"};
      case 24:
        if (random_() % 4 == 0) return {"SECKILL.CONFIRM", "item" + Number(3), "REQID", Number(9)};
        if (random_() % 8 == 0)
          return {"SECKILL.ADDSTOCK", "item" + Number(3), "5", "REQID", "more" + Number(9)};
        if (random_() % 8 == 0) return {"SECKILL.PAUSE", "item" + Number(3), "HOLDS"};
        if (random_() % 8 == 0) return {"SECKILL.RESUME", "item" + Number(3)};
        if (random_() % 6 == 0) {
          return {"SECKILL.MBUY", "user" + Number(9), "ITEMS", "2", "item0", "1", "item1", "1",
                  "REQID",        Number(9)};
        }
        return {"SECKILL.BUY", "item" + Number(3), "user-of-a-long-name-" + Number(9),
                "QTY",         Pick({"1", "2"}),   "REQID",
                Number(9)};
      case 25:
        return {"PEXPIRE", Key(), Number(40)};
      case 26:
        return {"MULTI"};
      case 27:
        return {Pick({"EXEC", "EXEC", "DISCARD"})};
      case 28:
        return {"COPY", Key(), Key(), Pick({"REPLACE", "REPLACE"})};
      case 29:
        return {Pick({"APPEND", "SETNX"}), "t" + Number(3), Number(1000)};
      case 30:
        return {"SETRANGE", "t" + Number(3), Number(50), Number(1000)};
      case 31:
        if (random_() % 8 != 0) return {"INCREX", "n" + Number(4), "PX", Number(30)};
        return {"SWAPDB", "0", "1"};
      case 32:
        return {"XNACK", Key(), Group(), Pick({"SILENT", "FAIL", "FATAL"}), "IDS", "2", Id(), Id(), "FORCE"};
      case 33:
        return {"XREADGROUP", "GROUP", Group(), Consumer(), "CLAIM", Number(9), "STREAMS", Key(), ">"};
      case 34:
        return {"XADD",   Key(), "IDMP", Consumer(), Number(9), Pick({"ACKED", "DELREF"}),
                "MAXLEN", "9",   "*",    "f",        "v"};
      case 35:
        return {"XACKDEL", Key(), Group(), Pick({"ACKED", "DELREF"}), "IDS", "2", Id(), Id()};
      case 36:
        return {"XCFGSET", Key(), "IDMP-MAXSIZE", "5", "IDMP-DURATION", Pick({"1", "2"})};
      default:
        if (random_() % 20 == 0) return {Pick({"FLUSHDB", "FLUSHALL"})};
        return {Pick({"SET", "INCRBY"}), "n" + Number(4), Number(100)};
    }
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::string Number(uint64_t limit) { return std::to_string(random_() % limit); }
  std::string Pick(std::vector<std::string> words) { return words[random_() % words.size()]; }
  std::string Key() { return "s" + Number(3); }
  std::string Group() { return "g" + Number(2); }
  std::string Consumer() { return "c" + Number(3); }
  // Time begins where the stage's clock does and goes on a millisecond at a time, so small steps hit entries
  // often.
  std::string Id() { return std::to_string(now_ms + random_() % 60) + "-" + Number(3); }

 public:
  uint64_t now_ms = 0;

 private:
  std::mt19937_64 random_;
};

}  // namespace sluice::tests
