#include "tests/differential/stream_talk.h"

namespace sluice::tests {

std::vector<Words> StreamTalk::Next() {
  const uint64_t dice = Below(100);
  if (dice < 24) return {Append()};
  if (dice < 27) return {TrimmingAppend()};
  if (dice < 30) return {Trim()};
  if (dice < 35) return {kind_ == Kind::kHoled ? Delete() : Append()};
  if (dice < 40) return {Range()};
  if (dice < 45) return {Read()};
  if (dice < 70) {
    // The newer server creates a consumer on any attempt, the older one only once it is given something: here
    // it exists beforehand.
    const std::string key = Key(), group = Group(), consumer = Consumer();
    const Words create = {"XGROUP", "CREATECONSUMER", key, group, consumer};
    if (dice < 60) return {create, ReadGroup(key, group, consumer)};
    if (dice < 66) return {create, Claim(key, group, consumer)};
    return {create, AutoClaim(key, group, consumer)};
  }
  if (dice < 77) return {Acknowledge()};
  if (dice < 84) return {Pending()};
  if (dice < 90) return {GroupWork()};
  if (dice < 92) return {SetId()};
  if (dice < 97) return {Info()};
  if (dice < 99) return {Nonsense()};
  return {{Pick({"DEL", "EXISTS", "TYPE", "XLEN"}), Pick({"s", "t"})}};
}

std::string StreamTalk::Id() {
  if (Chance(2))
    return Pick({"0", "0-0", "18446744073709551615-18446744073709551615", "18446744073709551615"});
  const uint64_t ms = 1 + Below(top_ms_ + 1);
  return Chance(15) ? std::to_string(ms) : std::to_string(ms) + "-" + Number(3);
}

std::string StreamTalk::NewId() {
  if (Chance(4)) return Id();
  if (Chance(60)) ++top_ms_;
  return std::to_string(top_ms_) + (Chance(70) ? "-*" : "-" + Number(4));
}

std::string StreamTalk::Bound(bool start) {
  if (Chance(30)) return start ? "-" : "+";
  return (Chance(15) ? "(" : "") + Id();
}

Words StreamTalk::Append() {
  Words words = {"XADD", Key()};
  if (Chance(5)) words.push_back("NOMKSTREAM");
  words.insert(words.end(), {NewId(), "f", Number(1000)});
  if (Chance(20)) words.insert(words.end(), {"other", Pick({"", "x", "long value with blanks\r\n"})});
  return words;
}

Words StreamTalk::TrimmingAppend() {
  Words words = {"XADD", Key()};
  const std::string how = kind_ == Kind::kWhole ? Pick({"=", "~"}) : "=";
  if (Chance(50)) {
    words.insert(words.end(), {"MAXLEN", how, Number(20)});
  } else {
    words.insert(words.end(), {"MINID", how, Id()});
  }
  if (how == "~" && Chance(30)) words.insert(words.end(), {"LIMIT", Number(12)});
  words.insert(words.end(), {NewId(), "f", "v"});
  return words;
}

Words StreamTalk::Trim() {
  Words words = {"XTRIM", Key()};
  const std::string how = kind_ == Kind::kWhole ? Pick({"=", "~"}) : "=";
  if (Chance(50)) {
    words.insert(words.end(), {"MAXLEN", how, Number(20)});
  } else {
    words.insert(words.end(), {"MINID", how, Id()});
  }
  if (how == "~" && Chance(30)) words.insert(words.end(), {"LIMIT", Number(12)});
  return words;
}

Words StreamTalk::Delete() {
  Words words = {"XDEL", Key()};
  for (uint64_t n = 1 + Below(3); n > 0; --n) words.push_back(Id());
  return words;
}

Words StreamTalk::Range() {
  const bool forward = Chance(50);
  Words words = {forward ? "XRANGE" : "XREVRANGE", Key(), Bound(forward), Bound(!forward)};
  if (Chance(40)) words.insert(words.end(), {"COUNT", Pick({"0", "-1", "1", "2", "7"})});
  return words;
}

Words StreamTalk::Read() {
  Words words = {"XREAD"};
  if (Chance(50)) words.insert(words.end(), {"COUNT", Pick({"0", "1", "3", "-2"})});
  if (Chance(5)) words.insert(words.end(), {"BLOCK", "1"});
  if (Chance(70)) {
    words.insert(words.end(), {"STREAMS", Key(), Chance(10) ? "$" : Id()});
  } else {
    words.insert(words.end(), {"STREAMS", Key(), Key(), Id(), Chance(10) ? "$" : Id()});
  }
  return words;
}

Words StreamTalk::ReadGroup(const std::string& key, const std::string& group, const std::string& consumer) {
  Words words = {"XREADGROUP", "GROUP", group, consumer};
  if (Chance(70)) words.insert(words.end(), {"COUNT", Pick({"1", "2", "5", "0"})});
  if (Chance(10)) words.push_back("NOACK");
  if (Chance(3)) words.insert(words.end(), {"BLOCK", "1"});
  words.insert(words.end(), {"STREAMS", key, Chance(70) ? ">" : Chance(50) ? "0" : Id()});
  return words;
}

Words StreamTalk::Claim(const std::string& key, const std::string& group, const std::string& consumer) {
  Words words = {"XCLAIM", key, group, consumer, Pick({"0", "0", "-5", "3000000"})};
  for (uint64_t n = 1 + Below(4); n > 0; --n) words.push_back(Id());
  if (Chance(30)) words.insert(words.end(), {"IDLE", Pick({"5500000", "1500000", "0"})});
  if (Chance(10)) words.insert(words.end(), {"TIME", Pick({"1000", "99999999999999999", "-1"})});
  if (Chance(20)) words.insert(words.end(), {"RETRYCOUNT", Pick({"0", "7", "1000000"})});
  if (Chance(30)) words.push_back("FORCE");
  if (Chance(30)) words.push_back("JUSTID");
  if (Chance(5)) words.insert(words.end(), {"LASTID", Id()});
  return words;
}

Words StreamTalk::AutoClaim(const std::string& key, const std::string& group, const std::string& consumer) {
  Words words = {"XAUTOCLAIM", key, group, consumer, Pick({"0", "0", "3000000"}), Bound(true)};
  if (Chance(60)) words.insert(words.end(), {"COUNT", Pick({"1", "2", "5", "0"})});
  if (Chance(30)) words.push_back("JUSTID");
  return words;
}

Words StreamTalk::Acknowledge() {
  Words words = {"XACK", Key(), Group()};
  for (uint64_t n = 1 + Below(4); n > 0; --n) words.push_back(Id());
  return words;
}

Words StreamTalk::Pending() {
  Words words = {"XPENDING", Key(), Group()};
  if (Chance(30)) return words;
  if (Chance(30)) words.insert(words.end(), {"IDLE", Pick({"0", "3000000"})});
  words.insert(words.end(), {Bound(true), Bound(false), Pick({"1", "3", "10", "0", "-1"})});
  if (Chance(30)) words.push_back(Consumer());
  return words;
}

Words StreamTalk::GroupWork() {
  const std::string key = Key(), group = Group();
  const uint64_t dice = Below(100);
  if (dice < 55) {
    Words words = {"XGROUP", "CREATE", key, group, Chance(60) ? "0" : Chance(50) ? "$" : Id()};
    if (Chance(60)) words.push_back("MKSTREAM");
    if (Chance(20)) words.insert(words.end(), {"ENTRIESREAD", Pick({"0", "-1", "-2", "x"})});
    return words;
  }
  if (dice < 75) return {"XGROUP", "SETID", key, group, Chance(40) ? "0" : Chance(50) ? "$" : Id()};
  if (dice < 83) return {"XGROUP", "DESTROY", key, group};
  return {"XGROUP", "DELCONSUMER", key, group, Consumer()};
}

Words StreamTalk::SetId() {
  Words words = {"XSETID", Key(), Chance(70) ? std::to_string(++top_ms_) + "-0" : Id()};
  if (kind_ == Kind::kHoled && Chance(40)) {
    words.insert(words.end(), {"ENTRIESADDED", Pick({"1", "100000"}), "MAXDELETEDID", Id()});
  }
  return words;
}

Words StreamTalk::Info() {
  const uint64_t dice = Below(4);
  if (dice == 0) return {"XINFO", "STREAM", Key()};
  if (dice == 1) return {"XINFO", "STREAM", Key(), "FULL", "COUNT", Pick({"0", "2", "-1", "100"})};
  if (dice == 2) return {"XINFO", "GROUPS", Key()};
  return {"XINFO", "CONSUMERS", Key(), Group()};
}

Words StreamTalk::Nonsense() {
  const std::string key = Key(), group = Group();
  switch (Below(22)) {
    case 0:
      return {"XADD", key, "1-1", "f"};
    case 1:
      return {"XADD", key, "MAXLEN", "-1", "9-9", "f", "v"};
    case 2:
      return {"XADD", key, "MAXLEN", "5", "LIMIT", "1", "9-9", "f", "v"};
    case 3:
      return {"XADD", key, "MAXLEN", "5", "MINID", "1", "9-9", "f", "v"};
    case 4:
      return {"XADD", key, "LIMIT", "5", "9-9", "f", "v"};
    case 5:
      return {"XADD", key, Pick({"-", "+", "1-1-1", "1-x", "nonsense", "-*", "1-**"}), "f", "v"};
    case 6:
      return {"XTRIM", key, "MAXLEN", Pick({"x", "-1"})};
    case 7:
      return {"XTRIM", key, Pick({"LIMIT", "NOMKSTREAM", "MINLEN"}), "5"};
    case 8:
      return {"XRANGE", key, Pick({"(-", "(", "x", "(18446744073709551615-18446744073709551615"}), "+"};
    case 9:
      return {"XRANGE", key, "-", Pick({"(0-0", "(+", "y"})};
    case 10:
      return {"XRANGE", key, "-", "+", Pick({"COUNT", "LIMIT"})};
    case 11:
      return {"XREAD", "STREAMS", key, Pick({">", "x", "-"})};
    case 12:
      return {"XREAD", "COUNT", "x", "STREAMS", key, "0"};
    case 13:
      return {"XREAD", "BLOCK", Pick({"x", "-1", "1.5"}), "STREAMS", key, "0"};
    case 14:
      return {"XREADGROUP", "GROUP", group, "ann", "STREAMS", key, Pick({"$", "x", "-"})};
    case 15:
      return {"XREADGROUP", "COUNT", "1", "NOACK", "STREAMS", key, "0", ">"};
    case 16:
      return {"XCLAIM", key, group, "ann", Pick({"x", "0"}), "1-1", Pick({"IDLE", "BOGUS", "TIME"}), "x"};
    case 17:
      return {"XAUTOCLAIM",     key, group, "ann", Pick({"x", "0"}), Pick({"x", "0"}), "COUNT",
              Pick({"x", "-1"})};
    case 18:
      return {"XPENDING", key, group, Pick({"-", "IDLE", "x"}), "+", "5", "ann", "more", "evenmore"};
    case 19:
      return {"XPENDING", key, group, "-", "+", Pick({"x", "5"})};
    case 20:
      return {"XACK", key, group, "x"};
    default:
      return {"XGROUP", Pick({"SETID", "CREATE"}), key, group, Pick({"x", "-", "1"}), "BOGUS"};
  }
}

}  // namespace sluice::tests
