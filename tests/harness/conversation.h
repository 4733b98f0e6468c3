// A golden conversation: what clients say, line by line, and what they must hear.
//
// tests/golden/README.md is the guide for authors. In short, a file is a head of directives, then blocks with an empty
// line between them:
//
//   in-memory only: <why>            head: never run against a real server (needs `advance`)
//   option <name> <value ...>        head: an option of the server
//
//   # a comment
//   XADD s 1-1 f v                   one request a line, words quoted as redis-cli has them
//   client A: XREAD BLOCK 0 STREAMS s $
//   ----
//   "1-1"                            the replies, in order, in the text form of tests/harness/reply.h
//   (blocked)
//
// A line that begins with one of these words is an order to the stage and not a request; only the starred ones answer:
//
//   advance 500ms | advance 3s       the clock moves on
//   crash                            the power fails: what was not durable is gone. Clients connect anew
//   reopen                           a clean stop and start
//   hello 3                          speaks RESP3 from here on (HELLO 2 goes back)
//   receives *                       the reply that a blocked call was waiting for, or (closed)
//   receives nothing                 fails where a reply has come
//   repeat <n>: <request> *          n times, with $i counting from 1; the last reply is the answer
//   client <name>: <any of the above>
//   client <name> receives [nothing] *
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::tests {

// One line of a block.
struct Turn {
  enum class Kind : uint8_t { kRequest, kAdvance, kCrash, kReopen, kHello, kReceive, kReceiveNothing };
  Kind kind = Kind::kRequest;
  std::string client;              // empty: the one that needs no name
  std::vector<std::string> words;  // of a request
  uint64_t number = 1;             // advance: milliseconds; hello: the version; a request: how often
  std::string source;              // as written
};

struct Block {
  size_t line = 0;                    // where it begins in the file, from 1
  std::vector<std::string> comments;  // the lines above it, for --rewrite
  std::vector<Turn> turns;
  std::vector<std::string> expected;  // lines
};

struct Conversation {
  std::string name;            // the file's, without folder and suffix
  std::string in_memory_only;  // why; empty: it runs everywhere
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> head;  // the head as written, for --rewrite
  std::vector<Block> blocks;
};

// Reads the text of one file. Throws std::runtime_error, naming file and line, where it does not follow the form: an
// unknown directive, a block without its replies, `advance` in a file that does not declare itself in-memory only.
Conversation ParseConversation(std::string_view text, const std::string& path);

// The conversation that a page of documentation holds: what stands between ```conversation and ```, and as directives
// of the head what stands in comments `<!-- conversation: ... -->`. Lines keep their numbers.
std::string ConversationOfPage(std::string_view page);

}  // namespace sluice::tests
