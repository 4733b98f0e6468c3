// ACL, as far as it lists and changes users.
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/handlers.h"
#include "server/commands/subscriptions.h"

namespace sluice::commands {
namespace {

constexpr std::string_view kNoAclFile =
    "This server is not configured to use an ACL file. You may want to specify users via the ACL SETUSER "
    "command and "
    "then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users in the "
    "configuration.";

// Whether the session listens to something that its user may listen to no longer.
bool HearsTooMuch(const Session& session) {
  if (!session.subscriptions || session.user->unrestricted()) return false;
  for (const ChannelKind kind : {ChannelKind::kChannel, ChannelKind::kPattern, ChannelKind::kShard}) {
    for (const Channel* channel : session.subscriptions->of[static_cast<size_t>(kind)]) {
      if (!session.user->MayUseChannel(channel->name, kind == ChannelKind::kPattern)) return true;
    }
  }
  return false;
}

// Once users have changed: closes the connections of those who are no more, and of subscribers whose channels
// were taken from them. The caller's own ends after its reply.
void CloseDisallowed(Context& ctx) {
  const acl::Users& users = ctx.host.users();
  std::vector<Session*> closed;
  ctx.host.ForEachSession([&](Session& session) {
    if (users.Departed(session) || HearsTooMuch(session)) closed.push_back(&session);
  });
  for (Session* session : closed) {
    if (users.Departed(*session)) {
      users.Greet(*session);
      session->authenticated = false;
    }
    ctx.host.Kill(*session, ctx.session);
  }
}

void WriteSelector(protocol::ReplyWriter& reply, const acl::Selector& selector) {
  reply.Bulk("commands"), reply.Bulk(selector.CommandsText());
  reply.Bulk("keys"), reply.Bulk(selector.KeysText());
  reply.Bulk("channels"), reply.Bulk(selector.ChannelsText());
}

}  // namespace

void AclUsers(Context& ctx) {
  ctx.reply.Array(ctx.host.users().all().size());
  for (const auto& [name, user] : ctx.host.users().all()) ctx.reply.Bulk(name);
}

void AclList(Context& ctx) {
  ctx.reply.Array(ctx.host.users().all().size());
  for (const auto& [name, user] : ctx.host.users().all()) ctx.reply.Bulk(user->ToText());
}

void AclGetuser(Context& ctx) {
  const auto user = ctx.host.users().Find(ctx.arg(2));
  if (!user) return ctx.reply.Null();
  ctx.reply.Map(6);
  ctx.reply.Bulk("flags");
  const auto flags = user->FlagNames();
  ctx.reply.Set(flags.size());
  for (std::string_view flag : flags) ctx.reply.Bulk(flag);
  ctx.reply.Bulk("passwords");
  ctx.reply.Array(user->passwords().size());
  for (const acl::Secret& secret : user->passwords()) ctx.reply.Bulk(secret.ToHex());
  WriteSelector(ctx.reply, user->root());
  ctx.reply.Bulk("selectors");
  ctx.reply.Array(user->selectors().size());
  for (const acl::Selector& selector : user->selectors()) {
    ctx.reply.Map(3);
    WriteSelector(ctx.reply, selector);
  }
}

void AclSetuser(Context& ctx) {
  if (!acl::User::IsName(ctx.arg(2))) {
    return ctx.reply.Error("Usernames can't contain spaces or null characters");
  }
  const auto error = ctx.host.users().Set(ctx.arg(2), ctx.request.args().subspan(3));
  if (!error) {
    CloseDisallowed(ctx);
    return ctx.reply.Ok();
  }
  if (error->why == acl::kUnmatchedParenthesis) {
    return ctx.reply.Error(
        errors::Concat({"Unmatched parenthesis in acl selector starting at '", error->rule, "'."}));
  }
  ctx.reply.Error(errors::Concat({"Error in ACL SETUSER modifier '", error->rule, "': ", error->why}));
}

void AclDeluser(Context& ctx) {
  const auto names = ctx.request.args().subspan(2);
  for (std::string_view name : names) {
    if (name == acl::kDefaultUser) return ctx.reply.Error("The 'default' user cannot be removed");
  }
  int64_t deleted = 0;
  for (std::string_view name : names) deleted += ctx.host.users().Delete(name) ? 1 : 0;
  if (deleted != 0) CloseDisallowed(ctx);
  ctx.reply.Integer(deleted);
}

void AclLoad(Context& ctx) {
  const Settings& settings = ctx.host.settings();
  if (settings.acl_file.empty()) return ctx.reply.Error(kNoAclFile);
  const auto text = ctx.host.ReadAclFile();
  if (!text) return ctx.reply.Error(text.error());
  const auto lines = acl::SplitUserLines(*text, settings.acl_file);
  if (const auto error = ctx.host.users().Load(lines, settings.requirepass)) return ctx.reply.Error(*error);
  CloseDisallowed(ctx);
  ctx.reply.Ok();
}

void AclSave(Context& ctx) {
  if (ctx.host.settings().acl_file.empty()) return ctx.reply.Error(kNoAclFile);
  if (const auto error = ctx.host.WriteAclFile(ctx.host.users().ToText())) return ctx.reply.Error(*error);
  ctx.reply.Ok();
}

}  // namespace sluice::commands
