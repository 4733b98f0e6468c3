#include "server/commands/monitors.h"

#include <algorithm>
#include <cstdio>

#include "server/commands/errors.h"
#include "server/commands/redaction.h"

namespace sluice::commands {
namespace {

// As redis-cli would have it typed: "..." with \n \r \t \a \b \\ \" and \xHH.
void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          out += c;
        } else {
          constexpr std::string_view kHex = "0123456789abcdef";
          const auto byte = static_cast<unsigned char>(c);
          out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
  }
  out += '"';
}

}  // namespace

void Monitors::Add(Session& session) {
  if (session.monitor) return;
  session.monitor = true;
  sessions_.push_back(&session);
}

void Monitors::Drop(Session& session) {
  if (!session.monitor) return;
  session.monitor = false;
  std::erase(sessions_, &session);
}

void Monitors::Show(const Session& caller, const Command& command, const protocol::Request& request,
                    Time now) {
  if ((command.flags & kAdmin) != 0) return;
  char time[32];
  std::snprintf(time, sizeof time, "%llu.%06llu", static_cast<unsigned long long>(now.unix_us / 1000000),
                static_cast<unsigned long long>(now.unix_us % 1000000));
  std::string line = errors::Concat({"+", time, " [", std::to_string(caller.db), " ", caller.peer, "]"});
  for (size_t i = 0; i < request.size(); ++i) {
    line += ' ';
    AppendQuoted(line, IsSecret(command, request.args(), i) ? kRedacted : request[i]);
  }
  line += "\r\n";
  Message message(std::move(line));
  for (Session* session : sessions_) delivery_.Send(*session, message);
}

}  // namespace sluice::commands
