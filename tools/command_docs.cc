// Prints docs/commands.md from the command table. A test compares the two, so the page cannot fall behind:
//
//   build/release/bin/command-docs > docs/commands.md
#include <cstdio>
#include <string>
#include <string_view>

#include "server/commands/acl_category.h"
#include "server/commands/command_table.h"

namespace {

using sluice::commands::Command;
using sluice::commands::Group;

constexpr std::string_view kIntroduction = R"(# Commands

This page is printed from the command table by `command-docs`; edit the table (server/commands/command_table.cc), not
the page. Replies and error texts are those of Redis where Redis has the command. "Since" is the Redis version that
brought a command, or for the SECKILL family the version of Sluice.

A group's lag is always a number here: where Redis answers nil because deletions in the middle left it uncertain, the
index counts.

## Errors that only Sluice gives

| error | when |
|---|---|
| `-DISKFULL no space left for the log: writes are refused until there is` | the disk, or `maxdisk`, has no room for the next piece of the log, and the command would make the data more; nothing was changed. Reading, XREADGROUP, XACK and what removes data go on from a reserve, and writes do once there is space |
| `-ERR there are no scripts here ('EVAL'): ...` | EVAL, SCRIPT LOAD and their like: SECKILL.CREATE and SECKILL.BUY do what a flash sale's script does |
| `-AUDIT ...` | SECKILL.AUDIT found counters that contradict each other |

## The codes of SECKILL.BUY and SECKILL.TRY

| code | name | when |
|---|---|---|
| 0 | OK | bought |
| 1 | SOLD_OUT | fewer pieces are available than were asked for |
| 2 | LIMIT | the user's pieces would exceed LIMIT, or the quantity exceeds MAXQTY |
| 3 | NOT_STARTED | before START |
| 4 | ENDED | at or after END |
| 5 | NO_ITEM | there is no such item |

SECKILL.BUY answers `[code, order, available, user-count, replayed]`: the order's ID is its entry's ID in the item's
stream, or nil on a refusal. A refusal is not an error reply and records nothing. The order's message is
`event order item <item> order <id> user <user> qty <n> state sold`, or exactly the FIELDS that were given.
)";

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '|') c = ' ';
  }
  return upper;
}

void Print(const Command& command) {
  if (command.handler == nullptr) {
    for (const Command& subcommand : command.subcommands) Print(subcommand);
    return;
  }
  const std::string name = Upper(command.name);
  std::string categories;
  for (std::string_view category : sluice::commands::CategoryNames(command))
    categories += " " + std::string(category);
  std::printf("\n### %s\n\n```\n%s%s%s\n```\n\n%s\n\nSince %s. %s. ACL categories:%s.\n", name.c_str(),
              name.c_str(), command.syntax.empty() ? "" : " ", std::string(command.syntax).c_str(),
              std::string(command.summary).c_str(), std::string(command.since).c_str(),
              std::string(command.complexity).c_str(), categories.c_str());
  for (const Command& subcommand : command.subcommands) Print(subcommand);
}

}  // namespace

int main() {
  std::printf("%s", std::string(kIntroduction).c_str());
  constexpr std::pair<Group, const char*> kGroups[] = {
      {Group::kStream, "Streams"},
      {Group::kSeckill, "Flash sales"},
      {Group::kString, "Strings"},
      {Group::kGeneric, "Keys"},
      {Group::kTransactions, "Transactions"},
      {Group::kPubsub, "Channels"},
      {Group::kConnection, "Connections"},
      {Group::kServer, "The server"},
  };
  for (const auto& [group, title] : kGroups) {
    std::printf("\n## %s\n", title);
    for (const Command& command : sluice::commands::CommandTable()) {
      if (command.group == group) Print(command);
    }
  }
}
