#include "tests/harness/conversation.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "protocol/inline_word.h"

namespace sluice::tests {
namespace {

// Takes `prefix` off the front of `text`, if it stands there.
bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

class FileParser {
 public:
  FileParser(std::string_view text, const std::string& path) : path_(path) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      lines_.emplace_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  Conversation Parse() {
    conversation_.name = std::filesystem::path(path_).stem().string();
    ParseHead();
    while (SkipToBlock()) ParseBlock();
    if (conversation_.blocks.empty()) Fail("no block: nothing would be tested");
    return std::move(conversation_);
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw std::runtime_error(path_ + ":" + std::to_string(at_ + 1) + ": " + what);
  }
  bool AtEnd() const { return at_ == lines_.size(); }
  bool AtComment() const { return lines_[at_].starts_with('#'); }

  // The head ends at the first line that is neither comment nor empty nor a directive of the head.
  void ParseHead() {
    for (; !AtEnd(); ++at_) {
      std::string_view line = lines_[at_];
      if (Take(line, "in-memory only")) {
        if (!Take(line, ": ") || line.empty()) Fail("say why: `in-memory only: <why>`");
        conversation_.in_memory_only = line;
      } else if (Take(line, "option ")) {
        const size_t space = line.find(' ');
        if (space == std::string_view::npos) Fail("`option <name> <value>`");
        conversation_.options.emplace_back(line.substr(0, space), line.substr(space + 1));
      } else {
        // Comments directly above a block belong to it.
        if (!AtComment() && !line.empty()) break;
        size_t next = at_;
        while (next < lines_.size() && lines_[next].starts_with('#')) ++next;
        if (next > at_ && next < lines_.size() && !lines_[next].empty() && !IsHead(lines_[next])) return;
      }
      conversation_.head.push_back(lines_[at_]);
    }
  }
  static bool IsHead(const std::string& line) {
    return line.starts_with("in-memory only") || line.starts_with("option ");
  }

  bool SkipToBlock() {
    comments_.clear();
    for (; !AtEnd() && (lines_[at_].empty() || AtComment()); ++at_) {
      if (AtComment()) comments_.push_back(lines_[at_]);
      if (lines_[at_].empty() && !comments_.empty()) comments_.push_back("");
    }
    return !AtEnd();
  }

  void ParseBlock() {
    Block block{.line = at_ + 1, .comments = std::move(comments_), .turns = {}, .expected = {}};
    bool answers = false;
    for (; !AtEnd() && !lines_[at_].empty() && lines_[at_] != "----"; ++at_) {
      block.turns.push_back(ParseTurn(lines_[at_]));
      const Turn::Kind kind = block.turns.back().kind;
      answers |= kind == Turn::Kind::kRequest || kind == Turn::Kind::kReceive;
    }
    if (block.turns.empty()) Fail("`----` without a request before it");
    if (!AtEnd() && lines_[at_] == "----") {
      for (++at_; !AtEnd() && !lines_[at_].empty(); ++at_) block.expected.push_back(lines_[at_]);
    }
    if (answers == block.expected.empty()) {
      at_ = block.line - 1;  // where a reader looks for it
      Fail(answers ? "a block without its replies" : "replies to a block that asks nothing");
    }
    conversation_.blocks.push_back(std::move(block));
  }

  Turn ParseTurn(std::string_view line) {
    if (line.starts_with('#')) Fail("a comment in the middle of a block");
    Turn turn;
    turn.source = line;
    if (Take(line, "client ")) {
      const size_t end = line.find_first_of(": ");
      if (end == std::string_view::npos || end == 0) Fail("`client <name>: <request>` or `client <name> receives`");
      turn.client = line.substr(0, end);
      line.remove_prefix(end);
      if (!Take(line, ": ") && !Take(line, " ")) Fail("nothing for the client to do");
    }
    if (line == "crash") {
      turn.kind = Turn::Kind::kCrash;
    } else if (line == "reopen") {
      turn.kind = Turn::Kind::kReopen;
    } else if (line == "receives") {
      turn.kind = Turn::Kind::kReceive;
    } else if (line == "receives nothing") {
      turn.kind = Turn::Kind::kReceiveNothing;
    } else if (Take(line, "hello ")) {
      turn.kind = Turn::Kind::kHello;
      turn.number = RequireNumber(line);
      if (!line.empty()) Fail("`hello 3`");
    } else if (Take(line, "advance ")) {
      if (conversation_.in_memory_only.empty()) {
        Fail("a real server's clock cannot be advanced: declare the file `in-memory only: <why>`");
      }
      turn.kind = Turn::Kind::kAdvance;
      turn.number = RequireNumber(line);
      if (line == "s") {
        turn.number *= 1000;
      } else if (line != "ms") {
        Fail("`advance 500ms` or `advance 3s`");
      }
    } else {
      if (Take(line, "repeat ")) {
        turn.number = RequireNumber(line);
        if (turn.number == 0 || !Take(line, ": ")) Fail("`repeat 100: <request>`");
      }
      turn.words = Words(line);
    }
    return turn;
  }

  uint64_t RequireNumber(std::string_view& line) const {
    const std::optional<uint64_t> number = TakeNumber(line);
    if (!number) Fail("a number is missing");
    return *number;
  }

  std::vector<std::string> Words(std::string_view line) const {
    std::vector<std::string> words;
    std::string word;
    for (;;) {
      switch (protocol::TakeInlineWord(line, word)) {
        case protocol::InlineWord::kWord: words.push_back(word); continue;
        case protocol::InlineWord::kUnbalanced: Fail("unbalanced quotes");
        case protocol::InlineWord::kEnd: break;
      }
      break;
    }
    // Requests are written in capitals, so a directive misspelt is not sent off as a command.
    if (words.empty() || words[0].find_first_of("abcdefghijklmnopqrstuvwxyz") == 0) {
      Fail("neither a request (in capitals) nor a directive");
    }
    return words;
  }

  std::string path_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
  std::vector<std::string> comments_;
  Conversation conversation_;
};

}  // namespace

std::string ConversationOfPage(std::string_view page) {
  constexpr std::string_view kDirective = "<!-- conversation: ";
  constexpr std::string_view kEnd = " -->";
  std::string text;
  bool inside = false;
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(line.size() + 1, page.size()));
    if (line.starts_with("```")) {
      inside = line == "```conversation";
    } else if (inside) {
      text += line;
    } else if (line.starts_with(kDirective) && line.ends_with(kEnd)) {
      text += line.substr(kDirective.size(), line.size() - kDirective.size() - kEnd.size());
    }
    text += '\n';
  }
  return text;
}

Conversation ParseConversation(std::string_view text, const std::string& path) {
  return FileParser(text, path).Parse();
}

}  // namespace sluice::tests
