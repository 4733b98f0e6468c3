// COMMAND: the table, for programs and for people.
#include <vector>

#include "server/commands/acl_category.h"
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

void WriteSearch(ReplyWriter& reply, std::string_view type, const Command& command, const Keys& keys) {
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type"), reply.Bulk(type);
  reply.Bulk("spec");
  if (type == "index") {
    reply.Map(1);
    reply.Bulk("index"), reply.Integer(keys.first);
    return;
  }
  const bool streams = keys.kind == Keys::kStreams;
  reply.Map(2);
  reply.Bulk("keyword"), reply.Bulk(streams ? "STREAMS" : keys.words);
  reply.Bulk("startfrom"), reply.Integer(!streams ? keys.first : command.name == "xreadgroup" ? 4 : 1);
}

// Counted from the first key; -1: to the last argument, of which `limit` 2 takes the first half.
void WriteRange(ReplyWriter& reply, int last, int step, int limit) {
  reply.Bulk("type"), reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk("lastkey"), reply.Integer(last);
  reply.Bulk("keystep"), reply.Integer(step);
  reply.Bulk("limit"), reply.Integer(limit);
}

// Where some keys are, in the terms of COMMAND INFO's key specifications.
void WriteKeySpec(ReplyWriter& reply, const Command& command, const Keys& keys) {
  reply.Map(3);
  reply.Bulk("flags");
  WriteStatuses(reply, KeyFlagNames(keys.access == 0 ? AccessOf(command, keys, {}) : keys.access));
  const bool by_word = keys.kind == Keys::kStreams || keys.kind == Keys::kWords;
  WriteSearch(reply, by_word ? "keyword" : "index", command, keys);
  reply.Bulk("find_keys");
  reply.Map(2);
  switch (keys.kind) {
    case Keys::kStreams:
      return WriteRange(reply, -1, 1, 2);
    case Keys::kWords:
      return WriteRange(reply, 0, 1, 0);
    case Keys::kCounted:
      reply.Bulk("type"), reply.Bulk("keynum");
      reply.Bulk("spec");
      reply.Map(3);
      reply.Bulk("keynumidx"), reply.Integer(0);
      reply.Bulk("firstkey"), reply.Integer(1);
      reply.Bulk("keystep"), reply.Integer(keys.step);
      return;
    case Keys::kRange:
    case Keys::kNone:
      return WriteRange(reply, keys.last < 0 ? -1 : keys.last - keys.first, keys.step, 0);
  }
}

// Where keys stand behind several words, a specification each.
std::vector<Keys> SplitByWord(const Keys& keys) {
  std::vector<Keys> split;
  for (std::string_view words = keys.words; !words.empty();) {
    const size_t end = std::min(words.find('|'), words.size());
    split.push_back(keys);
    split.back().words = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  if (split.empty() && keys.kind != Keys::kNone) split.push_back(keys);
  return split;
}

void WriteKeySpecs(ReplyWriter& reply, const Command& command) {
  std::vector<Keys> all = SplitByWord(command.keys);
  for (const Keys& further : SplitByWord(command.further_keys)) all.push_back(further);
  reply.Array(all.size());
  for (const Keys& keys : all) WriteKeySpec(reply, command, keys);
}

// The last of the keys that stand in a row, for clients that know only first, last and step.
int LastInRow(const Command& command) {
  const Keys& keys = command.keys;
  const Keys& more = command.further_keys;
  return more.kind == Keys::kRange && more.first == keys.last + 1 ? more.last : keys.last;
}

void WriteInfo(ReplyWriter& reply, const Command& command) {
  reply.Array(10);
  reply.Bulk(command.name);
  reply.Integer(command.arity);
  WriteStatuses(reply, FlagNames(command));
  const bool range = command.keys.kind == Keys::kRange;
  reply.Integer(range ? command.keys.first : 0);
  reply.Integer(range ? LastInRow(command) : 0);
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

// Whose keys are asked for, from the arguments of COMMAND GETKEYS; nullptr: the error is replied.
const Command* CommandWithKeys(Context& ctx, std::span<const std::string_view> args) {
  const auto refuse = [&](std::string_view why) {
    ctx.reply.Error(why);
    return nullptr;
  };
  const Command* command = FindCommand(args[0]);
  if (command != nullptr && !command->subcommands.empty() && args.size() > 1) {
    const Command* subcommand = FindSubcommand(*command, args[1]);
    if (subcommand != nullptr) command = subcommand;
  }
  if (command == nullptr) return refuse("Invalid command specified");
  if (command->keys.kind == Keys::kNone && command->further_keys.kind == Keys::kNone) {
    return refuse("The command has no key arguments");
  }
  if (!AritySuits(*command, args.size())) return refuse("Invalid number of arguments specified for command");
  if (KeyPositions(*command, args).empty()) return refuse("Invalid arguments specified for command");
  return command;
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
  std::optional<acl::Category> category;
  if (ctx.argc() == 5) {
    if (IsWord(ctx.arg(3), "MODULE")) filter = kModule;
    if (IsWord(ctx.arg(3), "ACLCAT")) filter = kCategory;
    if (IsWord(ctx.arg(3), "PATTERN")) filter = kPattern;
    if (filter == kAll) return ctx.reply.Error(errors::kSyntax);
    if (filter == kCategory) category = acl::FindCategory(ctx.arg(4));
  }
  std::vector<std::string_view> names;
  auto consider = [&](const Command& command) {
    if (filter == kModule) return;
    if (filter == kCategory && (!category || (acl::CategoriesOf(command) & acl::Bit(*category)) == 0)) return;
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
  const Command* command = CommandWithKeys(ctx, args);
  if (command == nullptr) return;
  ctx.reply.Array(KeyPositions(*command, args).size());
  ForEachKey(*command, args, [&](size_t position) { ctx.reply.Bulk(args[position]); });
}

void CommandGetkeysandflags(Context& ctx) {
  const auto args = ctx.request.args().subspan(2);
  const Command* command = CommandWithKeys(ctx, args);
  if (command == nullptr) return;
  ctx.reply.Array(KeyPositions(*command, args).size());
  ForEachKey(*command, args, [&](size_t position, uint16_t access) {
    ctx.reply.Array(2);
    ctx.reply.Bulk(args[position]);
    WriteStatuses(ctx.reply, KeyFlagNames(access));
  });
}

}  // namespace sluice::commands
