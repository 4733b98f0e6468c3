// Plays golden conversations (tests/golden/*.txt, and those in pages of docs/) and compares what is heard with what they say.
//
//   golden [--memory | --server | --connect host:port] [--rewrite] file...
//
//   --memory    parser, dispatcher, engine and log in this process, over a file system in memory (the default)
//   --server    a sluice-server of its own for each file
//   --connect   a server that runs already; it is emptied (FLUSHALL) before each file. Not for files that crash it
//   --rewrite   prints the conversation as it went, to be read by a person. It never changes a file
//
// The exit status is 0 only where every file was played and every reply was as expected.
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/harness/conversation.h"
#include "tests/harness/expectation.h"
#include "tests/harness/memory_stage.h"
#include "tests/harness/server_stage.h"

namespace sluice::tests {
namespace {

struct Arguments {
  enum class Where : uint8_t { kMemory, kServer, kConnect };
  Where where = Where::kMemory;
  std::string host;
  uint16_t port = 0;
  bool rewrite = false;
  std::vector<std::string> files;
};

std::unique_ptr<Stage> MakeStage(const Arguments& arguments, const Conversation& conversation) {
  switch (arguments.where) {
    case Arguments::Where::kConnect: return std::make_unique<ServerStage>(arguments.host, arguments.port);
    case Arguments::Where::kServer: {
      std::vector<std::string> options;
      for (const auto& [name, value] : conversation.options) {
        options.push_back("--" + name);
        options.push_back(value);
      }
      return std::make_unique<ServerStage>(std::move(options));
    }
    case Arguments::Where::kMemory: break;
  }
  Config config = DefaultConfig();
  for (const auto& [name, value] : conversation.options) {
    if (const auto error = ParseConfigText(name + " " + value, conversation.name, config)) {
      throw std::runtime_error(*error);
    }
  }
  return std::make_unique<MemoryStage>(config);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string Describe(const Stage::Heard& heard) {
  switch (heard.outcome) {
    case Stage::Outcome::kReply: return FormatReply(heard.reply);
    case Stage::Outcome::kBlocked: return "(blocked)";
    case Stage::Outcome::kNothing: return "(nothing)";
    case Stage::Outcome::kClosed: break;
  }
  return "(closed)";
}

class Player {
 public:
  explicit Player(Stage& stage) : stage_(stage) {}

  // Plays one block; the lines that were heard.
  std::vector<std::string> Play(const Block& block) {
    std::vector<std::string> heard;
    for (const Turn& turn : block.turns) {
      try {
        for (std::string& line : Lines(Take(turn))) heard.push_back(std::move(line));
      } catch (const std::exception& error) {
        throw std::runtime_error("`" + turn.source + "`: " + error.what());
      }
    }
    return heard;
  }

  Captures& captures() { return captures_; }

 private:
  std::string Take(const Turn& turn) {
    switch (turn.kind) {
      case Turn::Kind::kRequest: return Request(turn);
      case Turn::Kind::kReceive: return Describe(stage_.Receive(turn.client));
      case Turn::Kind::kReceiveNothing: {
        const Stage::Heard heard = stage_.Peek(turn.client);
        if (heard.outcome != Stage::Outcome::kNothing) throw std::runtime_error("heard " + Describe(heard));
        return "";
      }
      case Turn::Kind::kHello: {
        const Stage::Heard heard = stage_.Ask(turn.client, {"HELLO", std::to_string(turn.number)});
        if (heard.reply.elements.empty()) throw std::runtime_error("heard " + Describe(heard));
        return "";
      }
      case Turn::Kind::kAdvance: stage_.Advance(turn.number); return "";
      case Turn::Kind::kCrash: stage_.Crash(); return "";
      case Turn::Kind::kReopen: stage_.Reopen(); return "";
    }
    return "";
  }

  std::string Request(const Turn& turn) {
    Stage::Heard heard;
    for (uint64_t i = 1; i <= turn.number; ++i) {
      Captures known = captures_;
      if (turn.number > 1) known["i"] = std::to_string(i);
      std::vector<std::string> words;
      for (const std::string& word : turn.words) words.push_back(Substitute(word, known));
      heard = stage_.Ask(turn.client, words);
      if (heard.outcome == Stage::Outcome::kReply && heard.reply.type == Reply::Type::kError && turn.number > 1) {
        return "after " + std::to_string(i) + " times: " + Describe(heard);
      }
    }
    return Describe(heard);
  }

  Stage& stage_;
  Captures captures_;
};

void Print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::cout << line << '\n';
}

// What differs, from the first line that does: the whole of a long block would hide it.
void PrintDifference(const std::vector<std::string>& expected, const std::vector<std::string>& heard,
                     const Captures& captures) {
  constexpr size_t kLines = 16;
  size_t same = 0;
  Captures seen = captures;
  while (same < expected.size() && same < heard.size() && Matches({expected[same]}, {heard[same]}, seen)) ++same;
  const auto print = [&](const char* title, const std::vector<std::string>& lines) {
    std::cout << "  " << title << ", from its line " << same + 1 << '\n';
    for (size_t i = same; i < lines.size() && i < same + kLines; ++i) std::cout << "    " << lines[i] << '\n';
    if (lines.size() > same + kLines) std::cout << "    ...\n";
  };
  print("expected", expected);
  print("heard", heard);
}

// True where the file was played and went as it should.
bool PlayFile(const std::string& path, const Arguments& arguments) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Conversation conversation =
      ParseConversation(path.ends_with(".md") ? ConversationOfPage(text) : text, path);
  if (arguments.where != Arguments::Where::kMemory && !conversation.in_memory_only.empty()) {
    // Whoever asks for this must not believe that it was played.
    throw std::runtime_error(path + " is in-memory only: " + conversation.in_memory_only);
  }

  const std::unique_ptr<Stage> stage = MakeStage(arguments, conversation);
  Player player(*stage);
  size_t wrong = 0;
  if (arguments.rewrite) Print(conversation.head);
  for (const Block& block : conversation.blocks) {
    std::vector<std::string> heard;
    try {
      heard = player.Play(block);
    } catch (const std::exception& error) {
      std::cout << path << ":" << block.line << ": " << error.what() << '\n';
      return false;
    }
    const bool right = Matches(block.expected, heard, player.captures());
    if (!right) ++wrong;
    if (arguments.rewrite) {
      Print(block.comments);
      for (const Turn& turn : block.turns) std::cout << turn.source << '\n';
      // Where it matches, the expected lines stay: they may have placeholders.
      if (!heard.empty()) std::cout << "----\n";
      Print(right ? block.expected : heard);
      std::cout << '\n';
    } else if (!right) {
      std::cout << path << ":" << block.line << ":\n";
      for (const Turn& turn : block.turns) std::cout << "    " << turn.source << '\n';
      PrintDifference(block.expected, heard, player.captures());
    }
  }
  if (!arguments.rewrite) {
    std::cout << conversation.name << ": " << conversation.blocks.size() << " blocks, " << wrong << " wrong\n";
  }
  return wrong == 0;
}

Arguments ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--memory") {
      arguments.where = Arguments::Where::kMemory;
    } else if (word == "--server") {
      arguments.where = Arguments::Where::kServer;
    } else if (word == "--rewrite") {
      arguments.rewrite = true;
    } else if (word == "--connect" && i + 1 < argc) {
      const std::string address = argv[++i];
      const size_t colon = address.rfind(':');
      if (colon == std::string::npos) throw std::runtime_error("--connect takes host:port");
      arguments.where = Arguments::Where::kConnect;
      arguments.host = address.substr(0, colon);
      arguments.port = static_cast<uint16_t>(std::stoul(address.substr(colon + 1)));
    } else if (word.starts_with("--")) {
      throw std::runtime_error("unknown option " + word);
    } else {
      arguments.files.push_back(word);
    }
  }
  if (arguments.files.empty()) throw std::runtime_error("no file to play");
  return arguments;
}

int Main(int argc, char** argv) {
  try {
    const Arguments arguments = ParseArguments(argc, argv);
    bool right = true;
    for (const std::string& file : arguments.files) right &= PlayFile(file, arguments);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

}  // namespace
}  // namespace sluice::tests

int main(int argc, char** argv) {
  return sluice::tests::Main(argc, argv);
}
