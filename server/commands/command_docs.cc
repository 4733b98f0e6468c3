// COMMAND: the table, for programs and for people.
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "server/commands/glob.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

using protocol::ReplyWriter;

void WriteStatuses(ReplyWriter& reply, const std::vector<std::string_view>& names) {
  reply.Set(names.size());
  for (std::string_view name : names) reply.Simple(name);
}

// Where the keys are, in the terms of COMMAND INFO's key specifications.
void WriteKeySpecs(ReplyWriter& reply, const Command& command) {
  const Keys& keys = command.keys;
  if (keys.kind == Keys::kNone) return reply.Array(0);
  reply.Array(1);
  reply.Map(3);
  reply.Bulk("flags");
  WriteStatuses(reply, {(command.flags & kWrite) != 0 ? "RW" : "RO",
                        (command.flags & kWrite) != 0 ? "update" : "access"});
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  const bool by_word = keys.kind == Keys::kStreams;
  reply.Bulk(by_word ? "keyword" : "index");
  reply.Bulk("spec");
  if (by_word) {
    reply.Map(2);
    reply.Bulk("keyword"), reply.Bulk("STREAMS");
    reply.Bulk("startfrom"), reply.Integer(command.name == "xreadgroup" ? 4 : 1);
  } else {
    reply.Map(1);
    reply.Bulk("index"), reply.Integer(keys.first);
  }
  reply.Bulk("find_keys");
  reply.Map(2);
  if (keys.kind == Keys::kCounted) {
    reply.Bulk("type"), reply.Bulk("keynum");
    reply.Bulk("spec");
    reply.Map(3);
    reply.Bulk("keynumidx"), reply.Integer(0);
    reply.Bulk("firstkey"), reply.Integer(1);
    return reply.Bulk("keystep"), reply.Integer(keys.step);
  }
  reply.Bulk("type"), reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  // Counted from the first key; -1: to the last argument, of which `limit` 2 takes the first half.
  reply.Bulk("lastkey"), reply.Integer(by_word || keys.last < 0 ? -1 : keys.last - keys.first);
  reply.Bulk("keystep"), reply.Integer(by_word ? 1 : keys.step);
  reply.Bulk("limit"), reply.Integer(by_word ? 2 : 0);
}

void WriteInfo(ReplyWriter& reply, const Command& command) {
  reply.Array(10);
  reply.Bulk(command.name);
  reply.Integer(command.arity);
  WriteStatuses(reply, FlagNames(command));
  const bool range = command.keys.kind == Keys::kRange;
  reply.Integer(range ? command.keys.first : 0);
  reply.Integer(range ? command.keys.last : 0);
  reply.Integer(range ? command.keys.step : 0);
  WriteStatuses(reply, CategoryNames(command));
  reply.Array(0);  // tips: for proxies of clusters
  WriteKeySpecs(reply, command);
  reply.Array(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) WriteInfo(reply, subcommand);
}

// The parts of a syntax at its top level: "key", "[COUNT count]", "<* | id>", ...
std::vector<std::string_view> SplitSyntax(std::string_view syntax) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= syntax.size(); ++i) {
    if (i == syntax.size() || (syntax[i] == ' ' && depth == 0)) {
      if (i > begin) parts.push_back(syntax.substr(begin, i - begin));
      begin = i + 1;
    } else if (syntax[i] == '[' || syntax[i] == '<') {
      ++depth;
    } else if (syntax[i] == ']' || syntax[i] == '>') {
      --depth;
    }
  }
  return parts;
}

// Arguments as redis-cli turns them into hints: each part of the syntax by its own text.
void WriteArguments(ReplyWriter& reply, std::string_view syntax) {
  const std::vector<std::string_view> parts = SplitSyntax(syntax);
  reply.Array(parts.size());
  for (std::string_view part : parts) {
    const bool optional = part.front() == '[';
    if (optional) part = part.substr(1, part.size() - 2);
    reply.Map(optional ? 4 : 3);
    reply.Bulk("name"), reply.Bulk(part);
    reply.Bulk("type"), reply.Bulk("string");
    reply.Bulk("display_text"), reply.Bulk(part);
    if (!optional) continue;
    reply.Bulk("flags");
    WriteStatuses(reply, {"optional"});
  }
}

void WriteDocs(ReplyWriter& reply, const Command& command) {
  reply.Bulk(command.name);
  const bool arguments = !command.syntax.empty();
  const bool container = !command.subcommands.empty();
  reply.Map(4u + arguments + container);
  reply.Bulk("summary"), reply.Bulk(command.summary);
  reply.Bulk("since"), reply.Bulk(command.since);
  reply.Bulk("group"), reply.Bulk(GroupName(command.group));
  reply.Bulk("complexity"), reply.Bulk(command.complexity);
  if (arguments) {
    reply.Bulk("arguments");
    WriteArguments(reply, command.syntax);
  }
  if (container) {
    reply.Bulk("subcommands");
    reply.Map(command.subcommands.size());
    for (const Command& subcommand : command.subcommands) WriteDocs(reply, subcommand);
  }
}

bool InCategory(const Command& command, std::string_view category) {
  for (std::string_view name : CategoryNames(command)) {
    if (name.substr(1) == category) return true;
  }
  return false;
}

}  // namespace

void CommandAll(Context& ctx) {
  ctx.reply.Array(CommandTable().size());
  for (const Command& command : CommandTable()) WriteInfo(ctx.reply, command);
}

void CommandCount(Context& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(CommandTable().size()));
}

void CommandInfo(Context& ctx) {
  if (ctx.argc() == 2) return CommandAll(ctx);
  ctx.reply.Array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = FindCommandByFullName(ctx.arg(i));
    if (command == nullptr) {
      ctx.reply.Null();
    } else {
      WriteInfo(ctx.reply, *command);
    }
  }
}

void CommandDocs(Context& ctx) {
  std::vector<const Command*> wanted;
  if (ctx.argc() == 2) {
    for (const Command& command : CommandTable()) wanted.push_back(&command);
  }
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = FindCommandByFullName(ctx.arg(i));
    if (command != nullptr) wanted.push_back(command);
  }
  ctx.reply.Map(wanted.size());
  for (const Command* command : wanted) WriteDocs(ctx.reply, *command);
}

void CommandList(Context& ctx) {
  if (ctx.argc() != 2 && (ctx.argc() != 5 || !IsWord(ctx.arg(2), "FILTERBY")))
    return ctx.reply.Error(errors::kSyntax);
  enum { kAll, kModule, kCategory, kPattern } filter = kAll;
  if (ctx.argc() == 5) {
    if (IsWord(ctx.arg(3), "MODULE")) filter = kModule;
    if (IsWord(ctx.arg(3), "ACLCAT")) filter = kCategory;
    if (IsWord(ctx.arg(3), "PATTERN")) filter = kPattern;
    if (filter == kAll) return ctx.reply.Error(errors::kSyntax);
  }
  std::vector<std::string_view> names;
  auto consider = [&](const Command& command) {
    if (filter == kModule) return;
    if (filter == kCategory && !InCategory(command, ToLower(ctx.arg(4)))) return;
    if (filter == kPattern && !GlobMatches(ctx.arg(4), command.name, true)) return;
    names.push_back(command.name);
  };
  for (const Command& command : CommandTable()) {
    consider(command);
    if (filter == kAll) continue;
    for (const Command& subcommand : command.subcommands) consider(subcommand);
  }
  ctx.reply.Array(names.size());
  for (std::string_view name : names) ctx.reply.Bulk(name);
}

void CommandGetkeys(Context& ctx) {
  const auto args = ctx.request.args().subspan(2);
  const Command* command = FindCommand(args[0]);
  if (command != nullptr && !command->subcommands.empty() && args.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, args[1]);
    if (subcommand != nullptr) command = subcommand;
  }
  if (command == nullptr) return ctx.reply.Error("Invalid command specified");
  if (command->keys.kind == Keys::kNone) return ctx.reply.Error("The command has no key arguments");
  if (!AritySuits(*command, args.size()))
    return ctx.reply.Error("Invalid number of arguments specified for command");
  const std::vector<size_t> positions = KeyPositions(*command, args);
  if (positions.empty()) return ctx.reply.Error("Invalid arguments specified for command");
  ctx.reply.Array(positions.size());
  for (size_t position : positions) ctx.reply.Bulk(args[position]);
}

}  // namespace sluice::commands
