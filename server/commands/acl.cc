// ACL, as far as it only tells: categories, who one is, what was refused, what would be.
#include <algorithm>
#include <string>

#include "server/commands/acl_category.h"
#include "server/commands/acl_denial.h"
#include "server/commands/acl_users.h"
#include "server/commands/arguments.h"
#include "server/commands/command_table.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// What ACL's subcommands of up to one argument say to more.
void RefuseArguments(Context& ctx) {
  ctx.reply.Error(errors::Concat({"unknown subcommand or wrong number of arguments for '",
                                  ctx.arg(1).substr(0, 128), "'. Try ACL HELP."}));
}

void WriteLogEntry(protocol::ReplyWriter& reply, const acl::LogEntry& entry, Time now) {
  const uint64_t age_ms = now.unix_ms() > entry.created_ms ? now.unix_ms() - entry.created_ms : 0;
  reply.Map(10);
  reply.Bulk("count"), reply.Integer(static_cast<int64_t>(entry.count));
  reply.Bulk("reason"), reply.Bulk(entry.reason);
  reply.Bulk("context"), reply.Bulk(entry.context);
  reply.Bulk("object"), reply.Bulk(entry.object);
  reply.Bulk("username"), reply.Bulk(entry.user);
  reply.Bulk("age-seconds"), reply.Double(static_cast<double>(age_ms) / 1000);
  reply.Bulk("client-info"), reply.Bulk(entry.client);
  reply.Bulk("entry-id"), reply.Integer(static_cast<int64_t>(entry.id));
  reply.Bulk("timestamp-created"), reply.Integer(static_cast<int64_t>(entry.created_ms));
  reply.Bulk("timestamp-last-updated"), reply.Integer(static_cast<int64_t>(entry.updated_ms));
}

}  // namespace

void AclCat(Context& ctx) {
  if (ctx.argc() > 3) return RefuseArguments(ctx);
  if (ctx.argc() == 2) {
    ctx.reply.Array(acl::CategoryNames().size());
    for (std::string_view name : acl::CategoryNames()) ctx.reply.Bulk(name);
    return;
  }
  const auto category = acl::FindCategory(ctx.arg(2));
  if (!category)
    return ctx.reply.Error(errors::Concat({"Unknown category '", ctx.arg(2).substr(0, 128), "'"}));
  const auto commands = acl::CommandsOf(*category);
  ctx.reply.Array(commands.size());
  for (const Command* command : commands) ctx.reply.Bulk(command->name);
}

void AclWhoami(Context& ctx) {
  ctx.reply.Bulk(ctx.session.user->name());
}

void AclGenpass(Context& ctx) {
  constexpr int64_t kMaxBits = 4096;
  if (ctx.argc() > 3) return RefuseArguments(ctx);
  int64_t bits = 256;
  if (ctx.argc() == 3) {
    const auto given = ParseInteger(ctx.arg(2));
    if (!given) return ctx.reply.Error(errors::kNotInteger);
    if (*given < 1 || *given > kMaxBits) {
      return ctx.reply.Error(
          "ACL GENPASS argument must be the number of bits for the output password, a positive number up to "
          "4096");
    }
    bits = *given;
  }
  const auto digits = static_cast<size_t>(bits + 3) / 4;
  std::string bytes((digits + 1) / 2, '\0');
  ctx.host.FillRandom(bytes);
  ctx.reply.Bulk(std::string_view(acl::ToHexText(bytes)).substr(0, digits));
}

void AclLog(Context& ctx) {
  constexpr size_t kShownUnasked = 10;
  if (ctx.argc() > 3) return RefuseArguments(ctx);
  acl::Log& log = ctx.host.users().log();
  if (ctx.argc() == 3 && IsWord(ctx.arg(2), "RESET")) {
    log.Clear();
    return ctx.reply.Ok();
  }
  size_t count = kShownUnasked;
  if (ctx.argc() == 3) {
    const auto given = ParseInteger(ctx.arg(2));
    if (!given) return ctx.reply.Error(errors::kNotInteger);
    count = static_cast<size_t>(std::max<int64_t>(*given, 0));
  }
  count = std::min(count, log.entries().size());
  ctx.reply.Array(count);
  for (size_t i = 0; i < count; ++i) WriteLogEntry(ctx.reply, log.entries()[i], ctx.now);
}

void AclDryrun(Context& ctx) {
  const auto user = ctx.host.users().Find(ctx.arg(2));
  if (!user) return ctx.reply.Error(errors::Concat({"User '", ctx.arg(2).substr(0, 128), "' not found"}));
  const auto args = ctx.request.args().subspan(3);
  const Command* command = FindCommand(args[0]);
  if (command != nullptr && !command->subcommands.empty() && args.size() > 1) {
    command = FindSubcommand(*command, args[1]);
  }
  if (command == nullptr) {
    return ctx.reply.Error(errors::Concat({"Command '", args[0].substr(0, 128), "' not found"}));
  }
  if (!AritySuits(*command, args.size())) return ctx.reply.Error(errors::WrongArity(command->name));
  const acl::Verdict verdict = user->Check(*command, args);
  if (verdict.allowed()) return ctx.reply.Ok();
  ctx.reply.Bulk(acl::WouldBeDenied(verdict, *command, args));
}

}  // namespace sluice::commands
